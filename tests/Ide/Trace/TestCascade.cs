using System.Globalization;
using Eddy.Events;
using Eddy.Runs;
using Eddy.Sandbox;

namespace Eddy.Tests.Ide.Trace;

/// <summary>A log written by hand, as the pump would write it: positions and runs are counted, what came in and what ran is said.</summary>
internal sealed class TestCascade
{
    public static readonly DateTimeOffset Start = new(2026, 11, 23, 14, 3, 21, TimeSpan.Zero);

    private readonly Dictionary<long, (Guid Root, int Generation)> _sets = [];

    public List<StoredEvent> Events { get; } = [];

    public List<StoredRun> Runs { get; } = [];

    /// <summary>An arrival, and the position of its change set.</summary>
    public (Guid Root, long Set) Arrive(long pid, params string[] keys)
    {
        var root = new Guid(Events.Count + Runs.Count + 1, 7, 7, 1, 2, 3, 4, 5, 6, 7, 8);
        return (root, Change(root, null, pid, 0, keys)!.Value);
    }

    /// <summary>What ran without a change that woke it: at its hour, or for a request.</summary>
    public Guid RanUnwoken(long pid, string rule, params string[] keys)
    {
        var root = new Guid(Events.Count + Runs.Count + 1, 7, 7, 1, 2, 3, 4, 5, 6, 7, 8);
        _sets[0] = (root, 0);
        Ran(0, pid, rule, keys);
        return root;
    }

    /// <summary>A rule that ran, and the position of what it changed; null where that is nothing.</summary>
    public (long Run, long? Set) Ran(long set, long pid, string rule, params string[] keys)
    {
        var run = Add(set, pid, rule, null, RunOutcome.Ran, null, keys.Length);
        return (run.Id, Change(run.Root, run.Id, pid, run.Generation, keys));
    }

    public long SaidNo(long set, long pid, params string[] rules) => Add(set, pid, null, rules, RunOutcome.No, null, 0).Id;

    public long Failed(long set, long pid, string rule, string error)
    {
        var run = Add(set, pid, rule, null, RunOutcome.Failed, error, 1);
        Change(run.Root, run.Id, pid, run.Generation, ["quarantine_error"]);
        return run.Id;
    }

    private StoredRun Add(long set, long pid, string? rule, string[]? saidNo, RunOutcome outcome, string? error, int changes)
    {
        var (root, generation) = _sets[set];
        var run = new StoredRun(
            Runs.Count + 1, Start.AddSeconds(root.ToByteArray()[0]), rule, saidNo, 1, pid, set, root, generation + 1, outcome, changes > 0 ? Events.Count + 1 : null, changes, TimeSpan.FromMilliseconds(2), TimeSpan.Zero, null, error, null);
        Runs.Add(run);
        return run;
    }

    private long? Change(Guid root, long? cause, long pid, int generation, string[] keys)
    {
        if (keys.Length == 0)
        {
            return null;
        }

        var set = Events.Count + 1L;
        foreach (var key in keys)
        {
            Events.Add(new StoredEvent(
                Events.Count + 1, Start.AddSeconds(root.ToByteArray()[0]), pid, key, (Events.Count + 1).ToString(CultureInfo.InvariantCulture), null, "ann@acme.test", cause is null ? "post" : "rule", cause, set, root));
        }

        _sets[set] = (root, generation);
        return set;
    }
}
