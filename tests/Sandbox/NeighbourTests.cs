using System.Diagnostics;
using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>A neighbour's runs beside tenants that do their worst. How long they take is told in the test's output.</summary>
[Trait("Category", "Long")]
public sealed class NeighbourTests
{
    private static readonly (string Name, string Action)[] Bombs =
    [
        ("CPU", "while True: pass"),
        ("memory", "kept = []\n        while True: kept.append(bytearray(1 << 20))"),
        ("output", "while True: print('x' * 100_000)"),
        ("fork", "while True:\n            try: os.fork()\n            except OSError: pass"),
    ];

    [Fact]
    public async Task A_neighbour_works_beside_bombs_and_nothing_of_its_is_lost()
    {
        await using var sandbox = await CellFixture.StartAsync(CellFixture.Limits());
        var neighbour = TestTenant.WithRule(sandbox, "class go(Rule):\n    listens_to = ['go']\n    def action(self): self.count = (self.count or 0) + 1\n");
        await neighbour.OneRunAsync(1, ("go", "1"));

        await MeasureAsync("alone", neighbour);
        foreach (var (name, action) in Bombs)
        {
            var bomber = TestTenant.WithRule(sandbox, $"import os\nclass go(Rule):\n    listens_to = ['go']\n    def action(self):\n        {action}\n");
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            var bombs = Task.Run(
                async () =>
                {
                    var killed = 0;
                    // One at least, however soon the neighbour is done.
                    do
                    {
                        killed += (await bomber.OneRunAsync(1, ("go", "1"))).Outcome == RunOutcome.Killed ? 1 : 0;
                    }
                    while (!stop.IsCancellationRequested);

                    return killed;
                },
                TestContext.Current.CancellationToken);
            await MeasureAsync($"beside a bomb of {name}", neighbour);
            await stop.CancelAsync();
            (await bombs).ShouldBeGreaterThan(0, name);
        }

        neighbour.Kvp(1, "count").ShouldBe($"{1 + (5 * Runs)}");
    }

    private const int Runs = 2000;

    private static async Task MeasureAsync(string where, TestTenant neighbour)
    {
        var took = new List<TimeSpan>();
        for (var i = 0; i < Runs; i++)
        {
            var started = Stopwatch.GetTimestamp();
            (await neighbour.OneRunAsync(1, ("go", "1"))).Outcome.ShouldBe(RunOutcome.Ran);
            took.Add(Stopwatch.GetElapsedTime(started));
        }

        took.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine(
            FormattableString.Invariant($"{where}: p50 {took[Runs / 2].TotalMicroseconds:0} µs, p99 {took[Runs * 99 / 100].TotalMicroseconds:0} µs, longest {took[^1].TotalMilliseconds:0.0} ms"));
    }
}
