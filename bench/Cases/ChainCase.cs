using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench.Cases;

/// <summary>One event that causes ten runs, each by what the one before has set, one request at a time.</summary>
internal sealed class ChainCase : ICase
{
    private BenchTenant? _tenant;

    public string Name => "chain";

    public void Measure(Stage stage)
    {
        _tenant ??= stage.Tenants(1, BenchRules.Chain())[0];
        Latencies.OfSettled(stage.Port, _tenant, stage.Plan.WarmUp / 2, stage.Cancel);
        stage.Db.Drain();
        var before = stage.Db.Log([_tenant.Id]);
        var took = Latencies.OfSettled(stage.Port, _tenant, stage.Plan.Latency, stage.Cancel);
        var after = stage.Db.Log([_tenant.Id]);
        var wrong = took.Errors + Math.Abs(((after.Events - before.Events) * BenchRules.ChainLength) - ((after.Runs - before.Runs) * (BenchRules.ChainLength + 1)));
        stage.Sheet.Line(Name, $"cascades of {BenchRules.ChainLength} rules to settled, 1 connection", Unit.PerSecond).Add(took.PerSecond, wrong);
        stage.Sheet.Line(Name, "p50", Unit.Milliseconds).Add(took.P50Ms);
        stage.Sheet.Line(Name, "p99", Unit.Milliseconds).Add(took.P99Ms);
    }
}
