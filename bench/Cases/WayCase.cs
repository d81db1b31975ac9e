using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench.Cases;

/// <summary>
/// The whole way, sustained: POST, key checked, rule run in its cell, its change committed. Counted are the POSTs whose rule's change is in the log, by the
/// log, while wrk goes on; then whether the line empties once wrk stops, and whether the log has each accepted event and its run once.
/// </summary>
internal sealed class WayCase : ICase
{
    private const int TenantCount = 8;
    private const int ProcessesOfATenant = 500;

    private readonly Dictionary<string, Targets> _targets = [];

    public string Name => "way";

    public void Measure(Stage stage)
    {
        Measure(stage, "new processes", 16, new Aim.TimesFloor(0.8));
        Measure(stage, "new processes", 64, new Aim.TimesFloor(1.3));
        Measure(stage, "same processes", 16, new Aim.TimesFloor(0.8));
        Measure(stage, "same processes", 64, new Aim.TimesFloor(1.3));
        Measure(stage, "one tenant, new processes", 64, null);
        Measure(stage, "no rules, new processes", 64, null);
    }

    private void Measure(Stage stage, string kind, int connections, Aim? aim)
    {
        if (!_targets.TryGetValue(kind, out var targets))
        {
            _targets[kind] = targets = Make(stage, kind);
        }

        var eventsOfAPost = kind.StartsWith("no rules", StringComparison.Ordinal) ? 1 : BenchRules.HeatEvents;
        stage.Db.Drain();
        var before = stage.Db.Log(targets.Tenants);
        var warm = Wrk.Run(stage.Port, targets, connections, stage.Plan.Approach, stage.Cancel);
        var load = LoadWindow.Measure(stage, targets, connections, stage.Plan.Long);
        var drained = stage.Db.Drain();
        var after = stage.Db.Log(targets.Tenants);

        // Of requests under way when wrk stops, some are accepted and not counted.
        var accepted = warm.Accepted + load.Wrk.Accepted;
        var (posts, odd) = Math.DivRem(after.Events - before.Events, eventsOfAPost);
        var runs = eventsOfAPost == 1 ? posts : after.Runs - before.Runs;
        var wrong = odd + Math.Abs(runs - posts) + Math.Max(0, accepted - posts) + Math.Max(0, posts - accepted - (2 * connections)) + stage.Db.Failures(targets.Tenants);

        var applied = load.Events / (double)eventsOfAPost;
        var at = $"{kind}, {connections} connections";
        stage.Sheet.Line(Name, $"applied, {at}", Unit.PerSecond, FloorCase.For(stage, connections), aim)
            .Add(applied / load.Seconds, wrong + warm.Errors + load.Wrk.Errors);
        stage.Sheet.Line(Name, $"longest lag, {at}", Unit.Milliseconds).Add(load.Lag.TotalMilliseconds);
        stage.Sheet.Line(Name, $"until the line was empty, {at}", Unit.Milliseconds, aim: new Aim.AtMost(1000)).Add(drained.TotalMilliseconds);
        stage.Sheet.Line(Name, $"p50 of the 202, {at}", Unit.Milliseconds).Add(load.Wrk.P50Ms);
        stage.Sheet.Line(Name, $"p99 of the 202, {at}", Unit.Milliseconds).Add(load.Wrk.P99Ms);
        stage.Sheet.CpuOf(Name, at).Add(load.Cpu.Per(applied));
    }

    private static Targets Make(Stage stage, string kind)
    {
        var tenants = stage.Tenants(kind.StartsWith("one tenant", StringComparison.Ordinal) ? 1 : TenantCount, kind.StartsWith("no rules", StringComparison.Ordinal) ? null : BenchRules.Heat);
        return kind == "same processes"
            ? Targets.SameProcesses(stage.Folder, tenants, [.. tenants.Select(tenant => MadeProcesses.Make(stage.Port, tenant, ProcessesOfATenant))])
            : Targets.NewProcesses(stage.Folder, tenants);
    }
}
