namespace Eddy.Bench.Load;

/// <summary>How long requests took, one after another on one connection.</summary>
/// <param name="Errors">Answers that were not 200.</param>
internal sealed record Latencies(double P50Ms, double P99Ms, double PerSecond, long Errors)
{
    /// <summary>Posts to one tenant until the time is up, and waits each time until all is settled.</summary>
    public static Latencies OfSettled(int port, BenchTenant tenant, TimeSpan span, CancellationToken cancel)
    {
        using var caller = new Caller(port);
        var (clock, took, errors) = (TimeProvider.System, new List<TimeSpan>(), 0L);
        var started = clock.GetTimestamp();
        while (clock.GetElapsedTime(started) < span)
        {
            cancel.ThrowIfCancellationRequested();
            var asked = clock.GetTimestamp();
            errors += caller.Post(tenant.Key, $$"""{"temperature":{{1_000_000 + took.Count}}}""", settled: true) == 200 ? 0 : 1;
            took.Add(clock.GetElapsedTime(asked));
        }

        return Of(took, clock.GetElapsedTime(started), errors);
    }

    /// <summary>Posts once to each tenant.</summary>
    public static Latencies OfFirst(int port, IEnumerable<BenchTenant> tenants, CancellationToken cancel)
    {
        using var caller = new Caller(port);
        var (clock, took, errors) = (TimeProvider.System, new List<TimeSpan>(), 0L);
        var started = clock.GetTimestamp();
        foreach (var tenant in tenants)
        {
            cancel.ThrowIfCancellationRequested();
            var asked = clock.GetTimestamp();
            errors += caller.Post(tenant.Key, """{"temperature":1000000}""", settled: true) == 200 ? 0 : 1;
            took.Add(clock.GetElapsedTime(asked));
        }

        return Of(took, clock.GetElapsedTime(started), errors);
    }

    private static Latencies Of(List<TimeSpan> took, TimeSpan span, long errors)
    {
        took.Sort();
        return new Latencies(
            took[took.Count / 2].TotalMilliseconds,
            took[Math.Min(took.Count - 1, took.Count * 99 / 100)].TotalMilliseconds,
            took.Count / span.TotalSeconds,
            errors);
    }
}
