using Eddy.Events;
using Eddy.Runs;

namespace Eddy.Push;

/// <summary>
/// What was committed to a tenant's log since the news before: its events and the records of its runs, each in their order. Some of it may be known already to whoever read the
/// log after subscribing; positions and numbers tell.
/// </summary>
/// <param name="IsGap">There was more than is told: whoever shows the log reads it anew. Events and runs are empty then.</param>
/// <param name="Position">The last position of the log that this has to do with.</param>
/// <param name="Run">The last number of a run, likewise.</param>
public sealed record FeedNews(IReadOnlyList<StoredEvent> Events, IReadOnlyList<StoredRun> Runs, bool IsGap, long Position, long Run)
{
    /// <summary>More is not kept for a screen that is slow.</summary>
    public const int Most = 5000;

    /// <summary>This and what came after it as one.</summary>
    public FeedNews Then(FeedNews next) =>
        IsGap || next.IsGap || Events.Count + Runs.Count + next.Events.Count + next.Runs.Count > Most
            ? new FeedNews([], [], true, next.Position, next.Run)
            : new FeedNews([.. Events, .. next.Events], [.. Runs, .. next.Runs], false, next.Position, next.Run);
}
