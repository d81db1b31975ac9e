namespace Eddy.Bench.Load;

/// <summary>Many connections that together post exactly once to each tenant.</summary>
internal static class Crowd
{
    /// <summary>How many were not accepted. Returns once all have their answer.</summary>
    public static long PostOnce(int port, IReadOnlyList<BenchTenant> tenants, int connections, CancellationToken cancel)
    {
        var (next, errors) = (-1, 0L);
        var threads = Enumerable.Range(0, Math.Min(connections, tenants.Count)).Select(_ => new Thread(Post)).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        cancel.ThrowIfCancellationRequested();
        return errors;

        void Post()
        {
            using var caller = new Caller(port);
            while (!cancel.IsCancellationRequested && Interlocked.Increment(ref next) is var mine && mine < tenants.Count)
            {
                if (caller.Post(tenants[mine].Key, $$"""{"temperature":{{1_000_000 + mine}}}""", settled: false) != 202)
                {
                    Interlocked.Increment(ref errors);
                }
            }
        }
    }
}
