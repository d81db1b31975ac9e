using System.Text.Json;

namespace Eddy.Bench.Load;

/// <summary>Makes processes to which later POSTs add.</summary>
internal static class MadeProcesses
{
    /// <summary>The PIDs of so many new processes, which wake no rule.</summary>
    public static IReadOnlyList<long> Make(int port, BenchTenant tenant, int count)
    {
        using var caller = new Caller(port);
        var status = caller.Post(tenant.Key, $"[{string.Join(',', Enumerable.Repeat("""{"room":"attic"}""", count))}]", settled: false);
        if (status != 202)
        {
            throw new BenchFault($"Processes could not be made: {status} {caller.Body}");
        }

        using var answer = JsonDocument.Parse(caller.Body);
        return [.. answer.RootElement.EnumerateArray().Select(arrival => arrival.GetProperty("pid").GetInt64())];
    }
}
