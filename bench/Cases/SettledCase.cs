using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench.Cases;

/// <summary>From the POST to the answer that says what its rule did, one request at a time.</summary>
internal sealed class SettledCase : ICase
{
    private BenchTenant? _tenant;

    public string Name => "settled";

    public void Measure(Stage stage)
    {
        _tenant ??= stage.Tenants(1, BenchRules.Heat)[0];
        Latencies.OfSettled(stage.Port, _tenant, stage.Plan.WarmUp, stage.Cancel);
        var took = Latencies.OfSettled(stage.Port, _tenant, stage.Plan.Latency, stage.Cancel);
        stage.Sheet.Line(Name, "POST to settled, 1 connection", Unit.PerSecond).Add(took.PerSecond, took.Errors);
        stage.Sheet.Line(Name, "p50", Unit.Milliseconds, aim: new Aim.AtMost(1.6)).Add(took.P50Ms, took.Errors);
        stage.Sheet.Line(Name, "p99", Unit.Milliseconds, aim: new Aim.AtMost(6)).Add(took.P99Ms, took.Errors);
    }
}
