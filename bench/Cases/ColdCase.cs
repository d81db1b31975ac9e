using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench.Cases;

/// <summary>A tenant's first event: no cell, no cached key, nothing known of it. Tenants one after another, POST to settled.</summary>
internal sealed class ColdCase : ICase
{
    public string Name => "cold";

    public void Measure(Stage stage)
    {
        var tenants = stage.Tenants(stage.Plan.Cold + 10, BenchRules.Heat);
        Latencies.OfFirst(stage.Port, tenants.Take(10), stage.Cancel);
        var took = Latencies.OfFirst(stage.Port, tenants.Skip(10), stage.Cancel);
        stage.Sheet.Line(Name, "first event of a tenant to settled, p50", Unit.Milliseconds, aim: new Aim.AtMost(50)).Add(took.P50Ms, took.Errors);
        stage.Sheet.Line(Name, "first event of a tenant to settled, p99", Unit.Milliseconds, aim: new Aim.AtMost(50)).Add(took.P99Ms, took.Errors);
    }
}
