using Eddy.Bench.Load;
using Eddy.Bench.Report;
using Eddy.Sandbox;
using Microsoft.Extensions.Logging.Abstractions;

namespace Eddy.Bench.Cases;

/// <summary>
/// The cells alone, driven in the bench's own process as the pump drives them: no door, no line, no database. Their floor is the same check and action in bare
/// Python, measured in the same round.
/// </summary>
internal sealed class SandboxCase : ICase
{
    private const int Tenants = 32;
    private const int Width = 100;

    // As long as the sandbox needs to have the next cell in store.
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);

    private const string Endless =
        """
        class endless(Rule):
            listens_to = ["temperature"]

            def action(self):
                while True:
                    pass

        """;

    public string Name => "sandbox";

    public bool NeedsProduct => false;

    public void Measure(Stage stage) => MeasureAsync(stage).GetAwaiter().GetResult();

    private async Task MeasureAsync(Stage stage)
    {
        var options = new SandboxOptions();
        options.Cells = Math.Max(options.Cells, stage.Plan.IdleCells.Max() + 1);
        await using var sandbox = new RuleSandbox(options, TimeProvider.System, NullLogger<RuleSandbox>.Instance);
        await sandbox.StartAsync(stage.Cancel);
        if (!sandbox.Health.Ready)
        {
            throw new BenchFault($"There is no sandbox to measure: {sandbox.Health.Reason}");
        }

        await ReadyAsync(stage, sandbox);
        await ThereAndBackAsync(stage, sandbox);
        await SliceAsync(stage, sandbox);
        await ThroughputAsync(stage, sandbox);
        await StopAsync(stage, sandbox);
        await MemoryAsync(stage, sandbox);
    }

    private async Task ReadyAsync(Stage stage, RuleSandbox sandbox)
    {
        var floor = Floor(stage, "a fork that has the rule", Unit.Milliseconds, BarePython.Ready(stage.Plan.Forks, stage.Cancel));
        await ReadyAsync(stage, sandbox, "cell ready, its rule loaded", floor, Rest, new Aim.AtMost(3), new Aim.AtMost(9));
        await ReadyAsync(stage, sandbox, "cells one after another, each ready, its rule loaded", floor, TimeSpan.Zero, null, null);
    }

    private async Task ReadyAsync(Stage stage, RuleSandbox sandbox, string figure, (Line P50, Line P99) floor, TimeSpan rest, Aim? most50, Aim? most99)
    {
        var (spans, clock, errors) = (new Spans(), TimeProvider.System, 0);
        for (var i = -stage.Plan.Forks / 10; i < stage.Plan.Forks; i++)
        {
            stage.Pause(rest);
            var cell = new BenchCell(sandbox, 1);
            var asked = clock.GetTimestamp();
            var tree = await cell.LoadAsync(stage.Cancel);
            var took = clock.GetElapsedTime(asked);
            cell.Drop();
            errors += tree is { Rules.Count: 1, Errors.Count: 0 } ? 0 : 1;
            if (i >= 0)
            {
                spans.Add(took);
            }
        }

        Add(stage, figure, spans, errors, floor, most50, most99);
    }

    private async Task ThereAndBackAsync(Stage stage, RuleSandbox sandbox)
    {
        using var folder = new BenchFolder();
        var floor = Floor(stage, "one run, there and back", Unit.Microseconds, BarePython.Answers(folder.Path, stage.Plan.Latency, stage.Cancel));
        var cell = new BenchCell(sandbox, 1);
        await RunAsync(cell, stage.Plan.WarmUp, null, stage.Cancel);
        var spans = new Spans();
        var errors = await RunAsync(cell, stage.Plan.Latency, spans, stage.Cancel);
        cell.Drop();
        Add(stage, "one run, there and back", spans, errors, floor, new Aim.AtMost(78), new Aim.AtMost(180));
    }

    private async Task SliceAsync(Stage stage, RuleSandbox sandbox)
    {
        var floor = stage.Sheet.Line(Name, "bare Python: one run in a loop", Unit.Microseconds);
        floor.Add(1e6 / BarePython.Loops(1, stage.Plan.Latency, stage.Cancel));
        var cell = new BenchCell(sandbox, Width);
        await RunAsync(cell, stage.Plan.WarmUp, null, stage.Cancel);
        var spans = new Spans();
        var errors = await RunAsync(cell, stage.Plan.Latency, spans, stage.Cancel);
        cell.Drop();
        stage.Sheet.Line(Name, $"each run in a slice of {Width}, p50", Unit.Microseconds, floor, new Aim.AtMost(7.5)).Add(spans.P50.TotalMicroseconds / Width, errors);
    }

    private async Task ThroughputAsync(Stage stage, RuleSandbox sandbox)
    {
        var floor = stage.Sheet.Line(Name, $"bare Python: runs in loops, {Environment.ProcessorCount} processes", Unit.PerSecond);
        floor.Add(BarePython.Loops(Environment.ProcessorCount, stage.Plan.Latency, stage.Cancel));
        await ThroughputAsync(stage, sandbox, Width, floor);
        await ThroughputAsync(stage, sandbox, 1, floor);
    }

    private async Task ThroughputAsync(Stage stage, RuleSandbox sandbox, int width, Line floor)
    {
        var cells = Enumerable.Range(0, Tenants).Select(_ => new BenchCell(sandbox, width)).ToList();
        await Task.WhenAll(cells.Select(cell => RunAsync(cell, stage.Plan.WarmUp, null, stage.Cancel)));
        var (clock, spans) = (TimeProvider.System, cells.ConvertAll(_ => new Spans()));
        var started = clock.GetTimestamp();
        var errors = await Task.WhenAll(cells.Select((cell, i) => RunAsync(cell, stage.Plan.Latency, spans[i], stage.Cancel)));
        var took = clock.GetElapsedTime(started);
        cells.ForEach(cell => cell.Drop());
        stage.Sheet.Line(Name, $"runs, {Tenants} cells, slices of {width}", Unit.PerSecond, floor, new Aim.AtLeast(26_667))
            .Add(spans.Sum(each => (long)each.Count) * width / took.TotalSeconds, errors.Sum());
    }

    /// <summary>From the kill of a cell in an endless loop until a fresh one has done a run.</summary>
    private async Task StopAsync(Stage stage, RuleSandbox sandbox)
    {
        var floor = Floor(stage, "from the kill of an endless fork to a run of the next", Unit.Milliseconds, BarePython.Stop(stage.Plan.Stops, stage.Cancel));
        var (spans, clock, errors) = (new Spans(), TimeProvider.System, 0);
        var next = new BenchCell(sandbox, 1);
        for (var i = -1; i < stage.Plan.Stops; i++)
        {
            next.Drop();
            var endless = new BenchCell(sandbox, 1, Endless);
            await endless.LoadAsync(stage.Cancel);
            var run = endless.RunAsync(stage.Cancel);
            stage.Pause(TimeSpan.FromMilliseconds(10));

            var killed = clock.GetTimestamp();
            endless.Drop();
            try
            {
                await run;
                errors++;
            }
            catch (SandboxUnavailable)
            {
                // As it should: its cell is gone.
            }

            errors += await next.RunAsync(stage.Cancel);
            if (i >= 0)
            {
                spans.Add(clock.GetElapsedTime(killed));
            }
        }

        next.Drop();
        Add(stage, "from the kill of an endless loop to the next run done", spans, errors, floor, new Aim.AtMost(8.25), null);
    }

    private async Task MemoryAsync(Stage stage, RuleSandbox sandbox)
    {
        var cells = new List<BenchCell>();
        var before = CellMemory.Available();
        foreach (var count in stage.Plan.IdleCells)
        {
            while (cells.Count < count)
            {
                var cell = new BenchCell(sandbox, 1);
                cells.Add(cell);
                var errors = await cell.RunAsync(stage.Cancel);
                if (errors > 0)
                {
                    throw new BenchFault("A cell did not run its rule.");
                }
            }

            var at = $"of {count} idle {(count == 1 ? "cell" : "cells")}";
            if (!CellMemory.CanBeRead)
            {
                stage.Sheet.Line(Name, $"memory {at}, each (what is less available)", Unit.Megabytes, aim: new Aim.AtMost(2.4)).Add((before - CellMemory.Available()) / count);
                continue;
            }

            var memory = CellMemory.Read();
            var wrong = memory.Count - count is 0 or 1 ? 0 : 1;
            stage.Sheet.Line(Name, $"memory {at}, each (its private pages)", Unit.Megabytes, aim: new Aim.AtMost(2.4)).Add(memory.Private / memory.Count, wrong);
            stage.Sheet.Line(Name, $"page tables {at}, each", Unit.Megabytes).Add(memory.Tables / memory.Count, wrong);
        }

        cells.ForEach(cell => cell.Drop());
    }

    /// <summary>Slices, one after another, until the time is up; how many runs went wrong.</summary>
    private static async Task<int> RunAsync(BenchCell cell, TimeSpan span, Spans? spans, CancellationToken cancel)
    {
        var (clock, errors) = (TimeProvider.System, 0);
        var started = clock.GetTimestamp();
        while (clock.GetElapsedTime(started) < span)
        {
            var asked = clock.GetTimestamp();
            errors += await cell.RunAsync(cancel);
            spans?.Add(clock.GetElapsedTime(asked));
        }

        return errors;
    }

    /// <summary>The lines of what bare Python needed.</summary>
    private (Line P50, Line P99) Floor(Stage stage, string figure, Unit unit, Spans spans)
    {
        var floor = (stage.Sheet.Line(Name, $"bare Python: {figure}, p50", unit), stage.Sheet.Line(Name, $"bare Python: {figure}, p99", unit));
        floor.Item1.Add(In(unit, spans.P50));
        floor.Item2.Add(In(unit, spans.P99));
        return floor;
    }

    private void Add(Stage stage, string figure, Spans spans, int errors, (Line P50, Line P99) floor, Aim? most50, Aim? most99)
    {
        stage.Sheet.Line(Name, $"{figure}, p50", floor.P50.Unit, floor.P50, most50).Add(In(floor.P50.Unit, spans.P50), errors);
        stage.Sheet.Line(Name, $"{figure}, p99", floor.P99.Unit, floor.P99, most99).Add(In(floor.P99.Unit, spans.P99));
    }

    private static double In(Unit unit, TimeSpan span) => unit == Unit.Milliseconds ? span.TotalMilliseconds : span.TotalMicroseconds;
}
