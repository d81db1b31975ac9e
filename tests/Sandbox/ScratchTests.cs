#pragma warning disable xUnit1051
using System.Diagnostics;
using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

public sealed class ScratchTests
{
    [Theory]
    [InlineData("kill")]
    [InlineData("exit")]
    [InlineData("spin")]
    public async Task Replacement(string how)
    {
        var o = new SandboxOptions { CpuTime = TimeSpan.FromSeconds(how == "spin" ? 5 : 1) };
        await using var sandbox = await CellFixture.StartAsync(o);
        var tenant = TestTenant.WithRule(sandbox, """
            import os, time
            class go(Rule):
                listens_to = ["go"]
                def action(self):
                    self.cell = os.getpid()
                    if self.go == "exit": os._exit(1)
                    if self.go == "spin":
                        while True: pass
            """);
        var times = new List<double>();
        for (var i = 0; i < (how == "spin" ? 3 : 60); i++)
        {
            await tenant.PostAsync(15, ("go", "1"));
            await Task.Delay(20);
            if (how == "kill")
            {
                Process.GetProcessById(int.Parse(tenant.Kvp(15, "cell")!)).Kill();
                var t = Stopwatch.GetTimestamp();
                await tenant.PostAsync(15, ("go", "2"));
                times.Add(Stopwatch.GetElapsedTime(t).TotalMilliseconds);
            }
            else if (how == "exit")
            {
                var t = Stopwatch.GetTimestamp();
                var r = await tenant.RunAsync(TestTenant.Arrival(15, ("go", "\"exit\"")), TestTenant.Arrival(15, ("go", "1")));
                times.Add(Stopwatch.GetElapsedTime(t).TotalMilliseconds);
            }
            else
            {
                var t = Stopwatch.GetTimestamp();
                var r = await tenant.RunAsync(TestTenant.Arrival(15, ("go", "\"spin\"")));
                times.Add(Stopwatch.GetElapsedTime(t).TotalMilliseconds);
                await File.AppendAllTextAsync("/tmp/seal-scratch", r.Steps.OfType<RunEnded>().Single().ToString() + "\n");
                var (cpu, error) = (r.Steps.OfType<RunEnded>().Single().Cpu, r.Steps.OfType<RunEnded>().Single().Elapsed);
                await File.AppendAllTextAsync("/tmp/seal-scratch", $"cpu {cpu} elapsed {error}\n");
            }
        }
        times.Sort();
        await File.AppendAllTextAsync("/tmp/seal-scratch", $"{how} p50 {times[times.Count / 2]:0.00} p90 {times[times.Count * 9 / 10]:0.00} min {times[0]:0.00} max {times[^1]:0.00}\n");
    }
}
