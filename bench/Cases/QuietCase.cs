using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench.Cases;

/// <summary>How much a tenant that sends one event at a time notices of another that sends all it can.</summary>
internal sealed class QuietCase : ICase
{
    private const int FloodConnections = 64;

    private BenchTenant? _quiet;
    private Targets? _flood;

    public string Name => "quiet";

    public void Measure(Stage stage)
    {
        _quiet ??= stage.Tenants(1, BenchRules.Heat)[0];
        _flood ??= Targets.NewProcesses(stage.Folder, stage.Tenants(1, BenchRules.Heat));
        Latencies.OfSettled(stage.Port, _quiet, stage.Plan.WarmUp / 4, stage.Cancel);
        stage.Db.Drain();
        var alone = Latencies.OfSettled(stage.Port, _quiet, stage.Plan.Latency, stage.Cancel);

        var seconds = stage.Plan.Approach + (int)Math.Ceiling(stage.Plan.Latency.TotalSeconds);
        using var wrk = Wrk.Start(stage.Port, _flood, FloodConnections, seconds, stage.Cancel);
        stage.Pause(TimeSpan.FromSeconds(stage.Plan.Approach) - TimeSpan.FromMilliseconds(300));
        var beside = Latencies.OfSettled(stage.Port, _quiet, stage.Plan.Latency, stage.Cancel);
        var flood = wrk.Await();
        stage.Db.Drain();

        stage.Sheet.Line(Name, "POST to settled alone, p50", Unit.Milliseconds).Add(alone.P50Ms, alone.Errors);
        stage.Sheet.Line(Name, "POST to settled alone, p99", Unit.Milliseconds).Add(alone.P99Ms, alone.Errors);
        stage.Sheet.Line(Name, "the same beside a flood, p50", Unit.Milliseconds).Add(beside.P50Ms, beside.Errors);
        stage.Sheet.Line(Name, "the same beside a flood, p99", Unit.Milliseconds).Add(beside.P99Ms, beside.Errors);
        stage.Sheet.Line(Name, "p99 beside a flood to p99 alone", Unit.Times, aim: new Aim.AtMost(2)).Add(beside.P99Ms / alone.P99Ms, alone.Errors + beside.Errors);
        stage.Sheet.Line(Name, $"the flood's 202s, {FloodConnections} connections", Unit.PerSecond).Add(flood.AcceptedPerSecond, flood.Errors);
    }
}
