using Eddy.Kvps;

namespace Eddy.Sandbox;

/// <summary>
/// What one tenant's cell shall do next: first the runs that a cascade still owes, then arrivals, in this order. All of it
/// comes from the log and from doors that checked it.
/// </summary>
/// <param name="Head">The tenant's last position in the log; the first change of this slice gets the next one.</param>
/// <param name="At">The moment of everything that this slice writes; the rules see it as <c>event.at</c>.</param>
/// <param name="Owed">Runs that earlier slices of the same cascade left.</param>
/// <param name="Arrivals">Change sets from outside, in the order of the line.</param>
/// <param name="State">
/// The committed KVPs, as canonical JSON by key, of every process that <paramref name="Owed"/> and <paramref name="Arrivals"/> name, and of
/// the shared bag (0), as they were before this slice. A process without KVPs has an empty dictionary.
/// </param>
/// <param name="Runs">After this many runs the slice ends, with what is left as owed or not taken.</param>
/// <param name="Time">After this time it ends likewise, once the run under way has ended.</param>
public sealed record Slice(
    long Head,
    DateTimeOffset At,
    IReadOnlyList<OwedRun> Owed,
    IReadOnlyList<ArrivalSet> Arrivals,
    IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>> State,
    int Runs,
    TimeSpan Time)
{
    /// <summary>Rules and processes of runs that are beside the line: what else wakes there leaves it too.</summary>
    public IReadOnlyCollection<(string Rule, long Pid)> Away { get; init; } = [];

    /// <summary>Rules that are switched off: what wakes them is put aside.</summary>
    public IReadOnlyCollection<string> Off { get; init; } = [];

    /// <summary>Rules and processes where later runs wait for one that is in quarantine.</summary>
    public IReadOnlyCollection<(string Rule, long Pid)> Held { get; init; } = [];

    /// <summary>Runs that come back from beside the line, each with a cascade of its own, before the arrivals. None where there are owed runs.</summary>
    public IReadOnlyList<Landing> Landings { get; init; } = [];
}

/// <summary>A run that comes back from beside the line: what it read still holds, so that what it came to takes its place in the log.</summary>
/// <param name="Run">What woke it, and the cascade that it belongs to.</param>
/// <param name="Ended">What it came to. Its changes are those that differ from what is there now. Null where its rule is gone.</param>
public sealed record Landing(OwedRun Run, RunEnded? Ended);

/// <summary>The KVPs of one arrival: one change set.</summary>
/// <param name="Arrival">The arrival's public id.</param>
/// <param name="Pid">The process that it sets, or 0 for the shared bag.</param>
/// <param name="WakePid">The process in which rules that listen to <c>shared.key</c> wake: another than <paramref name="Pid"/> only where that is 0.</param>
/// <param name="Actor">Who caused it, as in <c>key:sensors</c>.</param>
/// <param name="Source">By which door it came, as in <c>post</c>.</param>
public sealed record ArrivalSet(Guid Arrival, long Pid, long WakePid, string Actor, string Source, IReadOnlyList<Change> Changes)
{
    /// <summary>The one run that it wakes, because of what is in the log already. Such an arrival changes nothing, and its run goes on with the cascade that it was of. Null for any other.</summary>
    public OwedRun? Waking { get; init; }
}

/// <summary>A change as the log has it.</summary>
/// <param name="Pid">The process, or 0 for the shared bag.</param>
/// <param name="Value">Canonical JSON, or null where the KVP was removed.</param>
/// <param name="Previous">What it was before, or null where there was none.</param>
public sealed record SetEvent(long Position, long Pid, string Key, string? Value, string? Previous);

/// <summary>A run that a cascade owes: it was woken, and a slice ended before it; or it was put aside.</summary>
/// <param name="Rule">The rule's id: the file's path and the class, as in <c>scripts/heat.py:high_temperature</c>.</param>
/// <param name="Pid">The process in which it runs.</param>
/// <param name="Set">The change set that woke it, with all of its events.</param>
/// <param name="SetAt">When that change set was made.</param>
/// <param name="SetSource">The source of these events: a door's, or <c>rule</c>.</param>
/// <param name="Cascade">The cascade that it belongs to.</param>
/// <param name="Generation">How many runs led here; a run woken by the arrival itself has 1.</param>
/// <param name="Chain">The rules that led here, eldest first, this one not included.</param>
public sealed record OwedRun(
    string Rule, long Pid, IReadOnlyList<SetEvent> Set, DateTimeOffset SetAt, string SetSource, Cascade Cascade, int Generation, IReadOnlyList<string> Chain)
{
    /// <summary>The first position of the change set that woke it; 0 where none did.</summary>
    public long SetPosition => Set.Count > 0 ? Set[0].Position : 0;

    /// <summary>What woke it comes of a quarantine: if it fails, it sets no KVPs.</summary>
    public bool IsQuiet { get; init; }

    /// <summary>Why it is not woken for the first time, if it is not.</summary>
    public Again Again { get; init; }
}

/// <summary>What a run has behind it that is woken again.</summary>
/// <param name="Quarantine">Its place in quarantine, where it is tried again from there.</param>
/// <param name="Attempt">How often it failed, and was put off to be tried again.</param>
/// <param name="IsDue">It has waited as long as its rule says.</param>
public readonly record struct Again(long? Quarantine, int Attempt, bool IsDue);

/// <summary>All that one arrival causes.</summary>
/// <param name="Root">The arrival's public id.</param>
/// <param name="Actor">On whose behalf the rules run.</param>
/// <param name="Runs">How many runs it has had before this slice.</param>
public sealed record Cascade(Guid Root, string Actor, int Runs)
{
    /// <summary>Whom one of its rules chose for its cards; null for its actor.</summary>
    public string? Acting { get; init; }
}
