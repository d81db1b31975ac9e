using System.Text;
using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench.Cases;

/// <summary>Many screens that watch one process of a tenant while it takes events: how long until they show what came in, and what they cost.</summary>
internal sealed class CircuitsCase : ICase
{
    private const int EventsPerSecond = 200;

    private Visitor? _visitor;
    private long _pid;

    public string Name => "circuits";

    public void Measure(Stage stage) => MeasureAsync(stage).GetAwaiter().GetResult();

    private async Task MeasureAsync(Stage stage)
    {
        var cancel = stage.Cancel;
        using var caller = new Caller(stage.Port);
        if (_visitor is null)
        {
            _visitor = await Visitor.EnterAsync(stage.Root, stage.Product, cancel);
            _pid = Readings.MakeProcess(caller, _visitor.ApiKey);
        }

        var page = new Uri($"http://localhost:{stage.Port}/t/{_visitor.Slug}/processes/{_pid}");
        var screens = new List<(Circuit Circuit, Readings.Watcher Watcher)>();
        try
        {
            // The first pays for what all share.
            await OpenAsync();
            var before = stage.Product.MemoryOf("web");
            while (screens.Count < stage.Plan.Circuits)
            {
                await OpenAsync();
            }

            var memory = (stage.Product.MemoryOf("web") - before) / (screens.Count - 1);
            var readings = new Readings(caller, _visitor.ApiKey, _pid);
            readings.Send(stage, stage.Plan.WarmUp * 5, EventsPerSecond);
            var cpu = CpuClock.Read(stage.Product, Environment.ProcessId);
            screens.ForEach(screen => screen.Watcher.Count(readings));
            readings.Send(stage, stage.Plan.Latency, EventsPerSecond);
            var spent = CpuClock.Read(stage.Product, Environment.ProcessId).Since(cpu);
            foreach (var screen in screens)
            {
                await screen.Watcher.AwaitLastAsync(cancel);
            }

            var took = screens.SelectMany(screen => screen.Watcher.Took).Order().ToList();
            stage.Sheet.Line(Name, $"event to screen, {screens.Count} screens, p50", Unit.Milliseconds, aim: new Aim.AtMost(150)).Add(took[took.Count / 2], readings.Errors);
            stage.Sheet.Line(Name, $"event to screen, {screens.Count} screens, p99", Unit.Milliseconds).Add(took[took.Count * 99 / 100], readings.Errors);
            stage.Sheet.Line(Name, $"events a second while {screens.Count} screens watch", Unit.PerSecond).Add(readings.Count / stage.Plan.Latency.TotalSeconds, readings.Errors);
            stage.Sheet.Line(Name, "memory of a circuit", Unit.Megabytes).Add(memory);
            stage.Sheet.Line(Name, $"CPU of the web, of a core, {screens.Count} screens", Unit.Times).Add(spent.Web / stage.Plan.Latency.TotalSeconds);
            stage.Sheet.CpuOf(Name, $"{screens.Count} screens").Add(spent.Per(readings.Count));
        }
        finally
        {
            foreach (var (circuit, watcher) in screens)
            {
                await circuit.DisposeAsync();
                watcher.Dispose();
            }
        }

        async Task OpenAsync()
        {
            var watcher = new Readings.Watcher();
            screens.Add((await Circuit.OpenAsync(page, _visitor.Cookies, batch => watcher.See(Encoding.Latin1.GetString(batch.Span)), cancel), watcher));
        }
    }
}
