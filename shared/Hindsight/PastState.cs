using Eddy.Kvps;
using Eddy.Runs;

namespace Eddy.Hindsight;

/// <summary>A process (or the shared bag, PID 0) as it was right after one event of the tenant's log, whichever process that was of. One that was not there has no KVPs.</summary>
/// <param name="Position">That event's: the last until the position that was asked for. 0 is before the first.</param>
/// <param name="At">Its moment; null where there is none.</param>
/// <param name="Kvps">By key, in the order of the keys' bytes.</param>
/// <param name="Unknown">Keys that it may have had, and whose values lie farther away in the log than is looked for.</param>
/// <param name="IsCut">There may be others that are neither here nor there: more was removed since than is looked at.</param>
public sealed record PastState(long Pid, long Position, DateTimeOffset? At, IReadOnlyList<PastKvp> Kvps, IReadOnlyList<string> Unknown, bool IsCut)
{
    /// <summary>All that it had is here.</summary>
    public bool IsWhole => Unknown.Count == 0 && !IsCut;

    /// <summary>The text of its KVP <c>kind</c>, or null.</summary>
    public string? Kind => Find("kind") is { } kind ? KvpLookup.Of(kind.Value).Txt : null;

    public PastKvp? Find(string key) => Kvps.FirstOrDefault(kvp => kvp.Key == key);
}

/// <summary>A KVP as it was.</summary>
/// <param name="Value">JSON.</param>
/// <param name="Position">Of the event that had set it; null where that is farther back in the log than is looked for.</param>
/// <param name="Origin">Who had set it; null where that is not known.</param>
public sealed record PastKvp(string Key, string Value, long? Position, KvpOrigin? Origin);
