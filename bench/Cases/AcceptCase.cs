using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench.Cases;

/// <summary>
/// Durable 202s. The worker is paused, and what it would have applied is thrown away afterwards: this is the door alone. (With the worker beside it, the door
/// takes in as much as is applied: that is <see cref="WayCase"/>.)
/// </summary>
internal sealed class AcceptCase : ICase
{
    /// <summary>So many that none reaches the limit of what may wait for one tenant.</summary>
    private const int TenantCount = 64;

    private static readonly (int Connections, double? Times)[] Loads = [(1, null), (16, 1.5), (64, 2.5), (256, null)];

    private Targets? _targets;

    public string Name => "accept";

    public void Measure(Stage stage)
    {
        _targets ??= Targets.NewProcesses(stage.Folder, stage.Tenants(TenantCount));
        stage.Db.Drain();
        stage.Product.PauseWorker();
        try
        {
            foreach (var (connections, times) in Loads)
            {
                Measure(stage, _targets, connections, times);
                stage.Db.EmptyLine();
            }
        }
        finally
        {
            stage.Product.ResumeWorker();
        }

        // Its leases have run out; it takes them again.
        stage.Pause(TimeSpan.FromSeconds(2));
    }

    private void Measure(Stage stage, Targets targets, int connections, double? times)
    {
        Wrk.Run(stage.Port, targets, connections, stage.Plan.Approach, stage.Cancel);
        stage.Db.EmptyLine();
        var load = LoadWindow.Measure(stage, targets, connections, stage.Plan.Short);
        var at = $"{connections} {(connections == 1 ? "connection" : "connections")}";
        stage.Sheet.Line(Name, $"202s, {at}", Unit.PerSecond, FloorCase.For(stage, connections), times is { } aim ? new Aim.TimesFloor(aim) : null)
            .Add(load.Wrk.AcceptedPerSecond, load.Wrk.Errors);
        stage.Sheet.Line(Name, $"p50, {at}", Unit.Milliseconds).Add(load.Wrk.P50Ms);
        stage.Sheet.Line(Name, $"p99, {at}", Unit.Milliseconds).Add(load.Wrk.P99Ms);
        if (connections == 64)
        {
            stage.Sheet.CpuOf(Name, at).Add(load.Cpu.Per(load.Wrk.AcceptedPerSecond * load.Seconds));
        }
    }
}
