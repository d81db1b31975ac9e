using System.Diagnostics;
using System.Globalization;

namespace Eddy.Tests.Faults;

/// <summary>
/// Whatever is killed when, an event that was acknowledged has its effect exactly once, one that was not at most once, and the log stays sound.
/// </summary>
public sealed class FaultTests(ITestOutputHelper output)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task Nothing_is_lost_or_doubled_while_parts_are_killed() => KillAsync(TimeSpan.FromSeconds(10));

    [Fact, Trait("Category", "Long")]
    public Task Nothing_is_lost_or_doubled_while_parts_are_killed_for_a_minute() => KillAsync(TimeSpan.FromMinutes(1));

    private async Task KillAsync(TimeSpan span)
    {
        var seed = Environment.GetEnvironmentVariable("EDDY_FAULT_SEED") is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture) : Environment.TickCount;
        var random = new Random(seed);
        Say($"seed {seed} (EDDY_FAULT_SEED)");
        await using var site = await TestSite.StartAsync();
        await using var product = await TestProduct.StartAsync("Pump__Runs=4", site.Allowed.Replace(":0=", "__0=", StringComparison.Ordinal).Replace("Egress:Allow", "Egress__Allow", StringComparison.Ordinal));
        var tenant = await TestTenant.MakeAsync(product.Database);
        using var load = new FaultLoad(product, site, tenant, await TestTenant.MakeAsync(product.Database));
        await load.PrepareAsync();
        load.Start(random.Next());

        // Each kind once before any comes twice, then by chance; two at once every third time.
        var kinds = new Queue<string>(new[] { "worker", "web", "zygote", "cell", "postgres" }.OrderBy(_ => random.Next()));
        var kills = new Dictionary<string, int>();
        var back = new List<(string What, TimeSpan After)>();
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < span || kinds.Count > 0;)
        {
            await load.AcknowledgedAsync(random.Next(1, 120), Patience.Long);
            string Next() => kinds.TryDequeue(out var kind) ? kind : new[] { "worker", "worker", "web", "zygote", "cell", "postgres" }[random.Next(6)];
            string[] victims = random.Next(3) == 0 ? [Next(), Next()] : [Next()];
            var killed = Stopwatch.GetTimestamp();
            foreach (var victim in victims)
            {
                if (product.Kill(victim))
                {
                    kills[victim] = kills.GetValueOrDefault(victim) + 1;
                }
                else if (!kills.ContainsKey(victim))
                {
                    // There was none just now.
                    kinds.Enqueue(victim);
                }
            }

            await load.WorksAsync(Patience.Long);
            var since = Stopwatch.GetElapsedTime(Math.Max(killed, product.LastStart));
            back.Add((string.Join(" and ", victims), since));
        }

        await load.StopAsync();
        await load.WorksAsync(Patience.Long);
        foreach (var part in back.GroupBy(one => one.What).OrderBy(part => part.Key, StringComparer.Ordinal))
        {
            Say(string.Create(CultureInfo.InvariantCulture, $"{part.Key}: {part.Count()} times, works again after {part.Average(one => one.After.TotalSeconds):F2} s, at most {part.Max(one => one.After.TotalSeconds):F2} s"));
        }

        try
        {
            Say($"killed {string.Join(", ", kills.Select(kill => $"{kill.Key} {kill.Value}"))}; {await load.CheckAsync()}");
        }
        catch
        {
            Say($"what the parts said is kept in {product.KeepLogs()}");
            throw;
        }
    }

    private void Say(string text)
    {
        output.WriteLine(text);
        TestContext.Current.SendDiagnosticMessage(text);
    }
}
