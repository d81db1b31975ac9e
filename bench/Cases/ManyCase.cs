using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench.Cases;

/// <summary>Many tenants with one event each, from the first POST until the line is empty: without rules, and, fewer, each with a rule and no cell yet.</summary>
internal sealed class ManyCase : ICase
{
    private const int Connections = 64;

    public string Name => "many";

    public void Measure(Stage stage)
    {
        Crowd.PostOnce(stage.Port, stage.Tenants(stage.Plan.Tenants / 10), Connections, stage.Cancel);
        Measure(stage, stage.Tenants(stage.Plan.Tenants), "no rule", eventsOfEach: 1, new Aim.AtLeast(10_000));
        Measure(stage, stage.Tenants(stage.Plan.ColdTogether, BenchRules.Heat), "a rule, no cell yet", BenchRules.HeatEvents, null);
    }

    private void Measure(Stage stage, IReadOnlyList<BenchTenant> tenants, string kind, int eventsOfEach, Aim? aim)
    {
        stage.Db.Drain();
        var clock = TimeProvider.System;
        var (started, cpuBefore) = (clock.GetTimestamp(), CpuClock.Read(stage.Product, Environment.ProcessId));
        var errors = Crowd.PostOnce(stage.Port, tenants, Connections, stage.Cancel);
        var accepted = clock.GetElapsedTime(started).TotalSeconds;
        stage.Db.Drain();
        var applied = clock.GetElapsedTime(started).TotalSeconds;
        var cpu = CpuClock.Read(stage.Product, Environment.ProcessId).Since(cpuBefore);

        var events = stage.Db.Log([.. tenants.Select(tenant => tenant.Id)]).Events;
        var wrong = errors + Math.Abs(events - ((long)tenants.Count * eventsOfEach));
        var which = $"{tenants.Count} tenants, one event each, {kind}";
        stage.Sheet.Line(Name, $"applied, {which}", Unit.PerSecond, aim: aim).Add(tenants.Count / applied, wrong);
        stage.Sheet.Line(Name, $"accepted, {which}", Unit.PerSecond).Add(tenants.Count / accepted, errors);
        stage.Sheet.CpuOf(Name, which).Add(cpu.Per(tenants.Count));
    }
}
