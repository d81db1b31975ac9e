using Eddy.Egress;
using Eddy.Kvps;

namespace Eddy.Sandbox;

/// <summary>
/// What a slice came to: its steps in the order in which they take their places in the log, and what it left. Positions are dense:
/// folding the steps' changes in order from <see cref="Slice.Head"/> gives the positions that the cell used.
/// </summary>
/// <param name="Steps">What happened, in order.</param>
/// <param name="ArrivalsTaken">How many of the slice's arrivals were applied; the others stay in the line.</param>
/// <param name="Owed">The runs that the slice's last cascade still owes, in order. Owed runs of the slice that it did not come to are among them.</param>
/// <param name="LandingsTaken">How many of the slice's landings took their place; the others wait for a later slice.</param>
public sealed record Transcript(IReadOnlyList<Step> Steps, int ArrivalsTaken, IReadOnlyList<LeftRun> Owed, int LandingsTaken = 0)
{
    /// <summary>Processes that <see cref="Slice.State"/> does not have, as they were committed when runs asked for them. What runs changed is in these, or in those of the slice.</summary>
    public IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>> Learned { get; init; } = new Dictionary<long, IReadOnlyDictionary<string, string>>();
}

/// <summary>A place in the transcript.</summary>
public abstract record Step;

/// <summary>The arrival of this index was applied: its changes come next in the log.</summary>
public sealed record ArrivalApplied(int Index) : Step;

/// <summary>The run of this landing's index comes next, and is the first of its cascade here.</summary>
public sealed record RunLanded(int Index) : Step;

/// <summary>A run left the line: it called out, or has to wait for one of the same rule and process that did. It is done beside the line.</summary>
public sealed record RunLeft(LeftRun Run) : Step;

/// <summary>A run was put aside before it began, and waits in quarantine.</summary>
public sealed record RunPutAside(LeftRun Run, Aside Why) : Step;

/// <summary>Why a run is put aside.</summary>
public enum Aside
{
    /// <summary>Its rule is switched off.</summary>
    Off,

    /// <summary>An earlier run of its rule in its process is in quarantine, and the rule keeps their order.</summary>
    Held,

    /// <summary>Its cascade was stopped before it came to be its turn.</summary>
    Stopped,

    /// <summary>Its rule says that it waits: debounce or throttle.</summary>
    Deferred,
}

/// <summary>The run that the arrival before this step was to wake is no more to be run, because its rule is gone from the tenant's files.</summary>
public sealed record WakingDropped(OwedRun Run) : Step;

/// <summary>The owed run of this index of the slice is no more to be run, because its rule is gone from the tenant's files.</summary>
public sealed record OwedDropped(int Index) : Step;

/// <summary>A run ended.</summary>
/// <param name="Rule">The rule's id, as in <see cref="OwedRun.Rule"/>.</param>
/// <param name="Pid">The process in which it ran.</param>
/// <param name="Arrival">The index of the slice's arrival whose cascade it belongs to, or -1 where that is the cascade of the slice's owed runs or of a landing.</param>
/// <param name="SetPosition">The position of the first event of the change set that woke it.</param>
/// <param name="Generation">As in <see cref="OwedRun.Generation"/>.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Changes">What it changed. If it failed, what its quarantine says in its process; nothing where what woke it comes of a quarantine.</param>
/// <param name="Log">What it printed, cut at the limit; null where it printed nothing.</param>
/// <param name="Error">What went wrong; null where nothing did.</param>
/// <param name="Elapsed">Wall time.</param>
/// <param name="Cpu">CPU time, by its cell's own word.</param>
public sealed record RunEnded(
    string Rule, long Pid, int Arrival, long SetPosition, int Generation, RunOutcome Outcome,
    IReadOnlyList<PidChange> Changes, string? Log, RunError? Error, TimeSpan Elapsed, TimeSpan Cpu) : Step
{
    /// <summary>What woke it, to try it again by; null where it ended well for the first time.</summary>
    public LeftRun? Woken { get; init; }

    /// <summary>It failed, and its rule says that it is tried again later: it does not go into quarantine.</summary>
    public bool IsRetried { get; init; }

    /// <summary>The source of the events that it makes.</summary>
    public string Source => Error is not null ? "quarantine" : Rule.StartsWith("api/", StringComparison.Ordinal) ? "api" : "rule";

    /// <summary>The outgoing calls that it made, in order.</summary>
    public IReadOnlyList<CallRecord> Calls { get; init; } = [];

    /// <summary>What it tells people: mails and cards, in order. Empty unless it ran well.</summary>
    public IReadOnlyList<Effect> Effects { get; init; } = [];
}

/// <summary>A run's change of its process or of the shared bag (0).</summary>
public readonly record struct PidChange(long Pid, string Key, string? Value);

/// <summary>How a run ended.</summary>
public enum RunOutcome : short
{
    /// <summary>Its check was falsy: nothing was done.</summary>
    No = 0,

    /// <summary>Its action ended well; its changes are in force.</summary>
    Ran = 1,

    /// <summary>It raised, or what it did was refused; nothing of it is in force.</summary>
    Failed = 2,

    /// <summary>It went over a limit, or ended its cell; nothing of it is in force.</summary>
    Killed = 3,
}

/// <summary>Why a run failed, in words for the tenant.</summary>
/// <param name="Kind">The Python exception's name, or the limit's: <c>WallTime</c>, <c>CpuTime</c>, <c>Memory</c>, <c>Died</c>, <c>Cascade</c>.</param>
/// <param name="Message">One sentence; a limit's names the limit and the number.</param>
/// <param name="File">The tenant's file, where known.</param>
/// <param name="Line">Its line, counted from 1.</param>
/// <param name="Traceback">The traceback in the tenant's own lines only.</param>
public sealed record RunError(string Kind, string Message, string? File, int? Line, string? Traceback)
{
    /// <summary>What a run that failed changes: it says so in its process. Its cell comes to the same.</summary>
    public IReadOnlyList<PidChange> SaidIn(long pid, string rule) => Said(pid, rule, $"{Kind}: {Message}");

    internal static IReadOnlyList<PidChange> Said(long pid, string rule, string error) =>
    [
        new(pid, "quarantined_script", KvpValue.FromText(rule)),
        new(pid, "quarantine_error", KvpValue.TryText(error, out var text, out _) ? text : KvpValue.FromText("It can not be told.")),
    ];
}

/// <summary>A run that the slice leaves to a later one, or to be done beside the line.</summary>
/// <param name="SetPosition">The first position of the change set that woke it.</param>
/// <param name="SetCount">How many events that change set has.</param>
public sealed record LeftRun(string Rule, long Pid, long SetPosition, int SetCount, int Generation, IReadOnlyList<string> Chain)
{
    /// <summary>As in <see cref="OwedRun.IsQuiet"/>.</summary>
    public bool IsQuiet { get; init; }

    /// <summary>As in <see cref="OwedRun.Again"/>.</summary>
    public Again Again { get; init; }

    /// <summary>Its rule as loaded; null where it was brought along.</summary>
    public LoadedRule? Loaded { get; init; }

    /// <summary>What it was brought along as; null where what woke it was made in this slice.</summary>
    public OwedRun? Owed { get; init; }

    public static LeftRun Of(OwedRun run) => new(run.Rule, run.Pid, run.SetPosition, run.Set.Count, run.Generation, run.Chain)
    {
        IsQuiet = run.IsQuiet,
        Again = run.Again,
        Owed = run,
    };
}
