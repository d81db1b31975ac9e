using Eddy.Events;
using Eddy.Quarantine;
using Eddy.Runs;
using Eddy.Sandbox;

namespace Eddy.Ide.Trace;

/// <summary>
/// What an arrival has led to, as far as it is known: its changes, whom these woke, what they changed, and so on.
/// <code>
/// arrival ── change set ── rule woken (ran, said no, failed, put off, put aside)
///                            └── change set ── rule woken …
/// </code>
/// </summary>
/// <param name="At">When the first of it that is known was applied.</param>
/// <param name="Sets">What came in; behind it, change sets and runs whose cause is not known here, as of an arrival of which only the end was told.</param>
public sealed record ArrivalTree(Guid Arrival, DateTimeOffset At, IReadOnlyList<TracedSet> Sets)
{
    /// <summary>What came in from outside; null where that is not known, or nothing did: the clock wakes rules without a change.</summary>
    public TracedSet? Begin => Sets.Count > 0 && Sets[0] is { Changes: [{ Cause: null }, ..] } first ? first : null;

    /// <summary>It is what an API script made of a request.</summary>
    public bool IsRequest => Sets is [{ Woken: [{ Rule: var rule }, ..] }, ..] && rule.StartsWith("api/", StringComparison.Ordinal);

    /// <summary>All rules that it woke, in the order of the tree.</summary>
    public IEnumerable<TracedRun> Runs => Sets.SelectMany(set => set.Below);

    /// <summary>All changes, in the order of the tree.</summary>
    public IEnumerable<StoredEvent> Changes => Sets.SelectMany(set => set.Changes.Concat(set.Below.SelectMany(run => run.Sets).SelectMany(next => next.Changes)));

    public bool IsLit => Runs.Any(run => run.State == TracedState.Ran);

    /// <summary>The tree of these facts, whatever their order.</summary>
    public static ArrivalTree Of(
        Guid arrival, IReadOnlyCollection<StoredEvent> events, IReadOnlyCollection<StoredRun> runs, IReadOnlyCollection<DeferredRun> deferred, IReadOnlyCollection<QuarantinedRun> quarantined)
    {
        var changes = events.OrderBy(one => one.Position).GroupBy(one => one.ChangeSet).ToDictionary(set => set.Key, set => (IReadOnlyList<StoredEvent>)[.. set]);
        var known = runs.Select(run => run.Id).ToHashSet();
        var next = changes.Where(set => set.Value[0].Cause is not null).ToLookup(set => set.Value[0].Cause!.Value, set => set.Key);
        var failed = quarantined.Where(one => one.Run is not null).GroupBy(one => one.Run!.Value).ToDictionary(group => group.Key, group => group.First());
        var woken = runs.OrderBy(run => run.Id)
            .SelectMany(run => (run.SaidNo ?? [run.Rule!]).Select((rule, place) => (Set: run.SetPosition, Run: new Waking(rule, run.Pid, StateOf(run.Outcome), run, place, null, failed.GetValueOrDefault(run.Id)))))
            .Concat(deferred.OrderBy(one => one.Id).Select(one => (Set: one.ChangeSet, Run: new Waking(one.Rule, one.Pid, TracedState.PutOff, null, 0, one, null))))
            .Concat(quarantined.Where(one => one.Run is null || !known.Contains(one.Run.Value)).OrderBy(one => one.Id).Select(one => (Set: one.ChangeSet, Run: new Waking(one.Rule, one.Pid, TracedState.Aside, null, 0, null, one))))
            .ToLookup(one => one.Set, one => one.Run);
        var begun = changes.Where(set => set.Value[0].Cause is not { } cause || !known.Contains(cause)).Select(set => set.Key).Concat(woken.Select(set => set.Key).Where(set => !changes.ContainsKey(set))).Order();
        var sets = begun.Select(SetOf).OrderBy(set => set.Changes is [{ Cause: null }, ..] ? 0 : 1).ThenBy(set => set.Position).ToList();
        return new ArrivalTree(arrival, events.Select(one => one.At).Concat(runs.Select(run => run.At)).Concat(deferred.Select(one => one.Since)).Concat(quarantined.Select(one => one.FirstAt)).Min(), sets);

        TracedSet SetOf(long position) => new(position, changes.GetValueOrDefault(position) ?? [], [.. woken[position].Select(RunOf)]);

        // A run's changes are later than what woke it, so this ends.
        TracedRun RunOf(Waking one) => new(
            one.Rule, one.Pid, one.State, one.Run, one.Place, one.Deferred, one.Quarantined, one.Run is { SaidNo: null } run ? [.. next[run.Id].Where(set => set > run.SetPosition).Order().Select(SetOf)] : []);
    }

    private static TracedState StateOf(RunOutcome outcome) => outcome switch
    {
        RunOutcome.Ran => TracedState.Ran,
        RunOutcome.No => TracedState.SaidNo,
        _ => TracedState.Failed,
    };

    private readonly record struct Waking(string Rule, long Pid, TracedState State, StoredRun? Run, int Place, DeferredRun? Deferred, QuarantinedRun? Quarantined);
}

/// <summary>Changes that became visible together, and whom they woke.</summary>
/// <param name="Position">That of the first of them; 0 where the clock woke.</param>
/// <param name="Changes">Empty where they are not known here.</param>
public sealed record TracedSet(long Position, IReadOnlyList<StoredEvent> Changes, IReadOnlyList<TracedRun> Woken)
{
    internal IEnumerable<TracedRun> Below => Woken.SelectMany(run => run.Sets.SelectMany(set => set.Below).Prepend(run));
}

/// <summary>A rule that was woken, and what became of that.</summary>
/// <param name="Run">The record of it; null where it has not run yet. Checks that said no share one.</param>
/// <param name="Place">Which of those that share the record.</param>
/// <param name="Deferred">What puts it off.</param>
/// <param name="Quarantined">Where it waits: it failed, or was put aside.</param>
/// <param name="Sets">What it changed.</param>
public sealed record TracedRun(
    string Rule, long Pid, TracedState State, StoredRun? Run, int Place, DeferredRun? Deferred, QuarantinedRun? Quarantined, IReadOnlyList<TracedSet> Sets)
{
    /// <summary>Its file, as in <c>scripts/heat.py</c>.</summary>
    public string File => Rule.Split(':')[0];

    /// <summary>Its class.</summary>
    public string Name => Rule[(Rule.IndexOf(':') + 1)..];
}

/// <summary>What became of a rule that was woken.</summary>
public enum TracedState
{
    Ran,
    SaidNo,
    Failed,

    /// <summary>Its rule says that it runs later.</summary>
    PutOff,

    /// <summary>Its rule is switched off, it waits for one before it, or its cascade was stopped.</summary>
    Aside,
}
