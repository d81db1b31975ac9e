using Eddy.Events;
using Eddy.Kvps;
using Eddy.Runs;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Hindsight;

/// <summary>The moment of a run: what woke it, and the state that it had before it.</summary>
internal static class RunMoment
{
    /// <summary>The last position that a run of the rule had before it: its change set, and what the runs before it in the cascade changed.</summary>
    /// <param name="run">Its record; null where it was not woken.</param>
    public static async Task<long> BeforeAsync(TenantId tenant, WakingFacts facts, string rule, StoredRun? run, LoadedTree loaded, PastStore past, WhyStore log, CancellationToken cancel)
    {
        if (run?.FirstPosition is { } first)
        {
            return first - 1;
        }

        var before = Before(facts, rule, run, loaded);
        if (run is null || run.At == facts.Set[0].At)
        {
            return before;
        }

        // It ran later: what others changed meanwhile counts, too.
        return Math.Max(before, Math.Max(await past.PositionAsync(tenant, run.At.AddTicks(-10), cancel), await log.LastChangeBeforeAsync(tenant, run.Id, cancel)));
    }

    /// <summary>By what a rule is woken by a change set, in this process or in any.</summary>
    public static async Task<IReadOnlyList<WakeMatch>> MatchesAsync(LoadedRule rule, WakingFacts facts, PastTenant moment, long? pid, CancellationToken cancel)
    {
        var above = new Dictionary<long, long>();
        if (rule.ListensTo.Any(entry => WakeMatch.Split(entry).Prefix is "child." or "parent."))
        {
            foreach (var of in facts.Set.Select(one => one.Pid).Append(pid ?? 0).Where(of => of > 0).Distinct())
            {
                above[of] = Process((await moment.KvpsAsync(of, cancel)).GetValueOrDefault("PARENT"));
            }
        }

        var all = WakeMatch.Of(rule.ListensTo, facts.Set, of => above.GetValueOrDefault(of), facts.Runs.Select(run => (long?)run.Pid).FirstOrDefault());
        return pid is null ? all : [.. all.Where(match => match.Pid == pid || match.Pid is null && (match.Event.Pid == 0 || above.GetValueOrDefault(pid.Value) == match.Event.Pid))];
    }

    /// <summary>The run as it was owed when the change set had woken it.</summary>
    public static OwedRun Woken(string rule, long pid, IReadOnlyList<StoredEvent> set, StoredEvent one, StoredRun? run) => new(
        rule, pid, [.. set.Select(change => new SetEvent(change.Position, change.Pid, change.Key, Canonical(change.Value), Canonical(change.Previous)))], one.At, one.Source,
        new Cascade(one.Arrival, one.Actor, 0), run?.Generation ?? 1, [])
    {
        IsQuiet = one.Source == "quarantine",
    };

    /// <summary>The number in a reference's canonical JSON, else 0.</summary>
    public static long Process(string? value) =>
        value is not null && value.StartsWith("{\"$process\":", StringComparison.Ordinal) && long.TryParse(value.AsSpan(12, value.Length - 13), out var pid) ? pid : 0;

    private static long Before(WakingFacts facts, string rule, StoredRun? run, LoadedTree loaded)
    {
        var set = facts.Set[0].Position;
        var order = loaded.Rules.Select((one, place) => (one.Id, place)).ToDictionary(one => one.Id, one => one.place, StringComparer.Ordinal);
        var place = order.GetValueOrDefault(rule);
        // Checks that said no together have one number, that of the first: of their change set the order of the rules tells.
        return facts.Changed.Where(other => other.SetPosition == set && run?.Rule is null ? order.GetValueOrDefault(other.Rule, int.MaxValue) < place : run is null ? other.SetPosition < set : other.Id < run.Id)
            .Select(other => other.Last).Append(facts.Set[^1].Position).Max();
    }

    private static string? Canonical(string? json) => json is null ? null : KvpValue.Stored(json);
}
