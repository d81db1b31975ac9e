using Eddy.Events;
using Eddy.Runs;
using Eddy.Sandbox;

namespace Eddy.Ide.Processes;

/// <summary>A change set of one process as its history shows it.</summary>
/// <param name="Set">Its first position in the log.</param>
/// <param name="Last">The position of the last of its changes in this process.</param>
/// <param name="Changes">Those that may be seen, in their order.</param>
/// <param name="Hidden">How many there are beside.</param>
/// <param name="Worst">How the worst of the runs that it woke ended; null where it woke none, or they are not known.</param>
public sealed record ChangeSetLine(long Set, long Last, DateTimeOffset At, IReadOnlyList<StoredEvent> Changes, int Hidden, RunOutcome? Worst, string? Failed)
{
    public int Count => Changes.Count + Hidden;

    public StoredEvent First => Changes[0];

    /// <summary>The glyph and the word of its worst run, or of how it came.</summary>
    public (string Glyph, string Word) State => Worst switch
    {
        RunOutcome.Failed or RunOutcome.Killed => ("failed", "a rule failed"),
        RunOutcome.Ran => ("ran", "a rule ran"),
        RunOutcome.No => ("no", "rules said no"),
        _ => ("in", "no rule woke"),
    };

    /// <summary>The line of one set; null where nothing of it may be seen.</summary>
    /// <param name="events">Those of the set, in their order; one at least.</param>
    /// <param name="runs">Those that it woke.</param>
    public static ChangeSetLine? Of(IReadOnlyList<StoredEvent> events, IEnumerable<StoredRun> runs, Func<StoredEvent, bool> mayRead)
    {
        var shown = events.Where(mayRead).ToList();
        var worst = runs.MaxBy(run => Badness(run.Outcome));
        return shown.Count == 0
            ? null
            : new ChangeSetLine(
                events[0].ChangeSet, events[^1].Position, events[0].At, shown, events.Count - shown.Count, worst?.Outcome, worst is not null && Badness(worst.Outcome) > Badness(RunOutcome.Ran) ? worst.Rule : null);
    }

    // Ran is worth more to see than said no.
    private static int Badness(RunOutcome outcome) => outcome switch
    {
        RunOutcome.No => 0,
        RunOutcome.Ran => 1,
        RunOutcome.Failed => 2,
        _ => 3,
    };
}
