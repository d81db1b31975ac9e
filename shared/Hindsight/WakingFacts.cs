using Eddy.Events;
using Eddy.Quarantine;
using Eddy.Runs;

namespace Eddy.Hindsight;

/// <summary>What is on record of one change set, and of one rule that it may have woken.</summary>
/// <param name="Set">The change set, in the order of its events.</param>
/// <param name="Runs">Of whatever rule, those that the change set woke, in the order of their numbers.</param>
/// <param name="Changed">The runs of its cascade that changed something, woken by it or by what came before it.</param>
/// <param name="Deferred">Runs of the rule that wait by their rule's own word.</param>
/// <param name="Quarantined">Runs of the rule in quarantine.</param>
/// <param name="Owed">Runs of the rule that are still to come to their turn.</param>
/// <param name="Switch">Null where the rule is switched on.</param>
/// <param name="Version">The version of the files in force then.</param>
public sealed record WakingFacts(
    IReadOnlyList<StoredEvent> Set, IReadOnlyList<StoredRun> Runs, IReadOnlyList<ChangingRun> Changed, IReadOnlyList<DeferredRun> Deferred, IReadOnlyList<QuarantinedRun> Quarantined,
    IReadOnlyList<OwedWaking> Owed, RuleSwitch? Switch, long Version)
{
    public IEnumerable<StoredRun> RunsOf(string rule) => Runs.Where(run => run.Rule == rule || run.SaidNo?.Contains(rule) == true);
}

/// <summary>A run that changed something.</summary>
/// <param name="Last">The position of the last of its changes.</param>
public readonly record struct ChangingRun(long Id, string Rule, long SetPosition, long Last);

/// <summary>A run that is still to come to its turn.</summary>
/// <param name="IsBeside">It calls out, or waits for one that does.</param>
public readonly record struct OwedWaking(string Rule, long Pid, int Generation, bool IsBeside);
