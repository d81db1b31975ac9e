using System.Globalization;

namespace Eddy.Bench.Load;

/// <summary>Whom wrk posts to, in a file: keys, and PIDs where it adds to processes that are there.</summary>
internal sealed class Targets
{
    private Targets(string file, IReadOnlyList<BenchTenant> tenants) => (File, Tenants) = (file, tenants.Select(tenant => tenant.Id).ToArray());

    public string File { get; }

    public Guid[] Tenants { get; }

    /// <summary>Each POST makes a new process.</summary>
    public static Targets NewProcesses(string folder, IReadOnlyList<BenchTenant> tenants) =>
        Written(folder, tenants, tenants.Select(tenant => tenant.Key));

    /// <summary>Each POST adds to one of these processes.</summary>
    public static Targets SameProcesses(string folder, IReadOnlyList<BenchTenant> tenants, IReadOnlyList<long>[] pids) =>
        Written(
            folder,
            tenants,
            // One tenant after the other, as without PIDs.
            Enumerable.Range(0, pids.Min(list => list.Count)).SelectMany(i =>
                tenants.Select((tenant, t) => string.Create(CultureInfo.InvariantCulture, $"{tenant.Key} {pids[t][i]}"))));

    private static Targets Written(string folder, IReadOnlyList<BenchTenant> tenants, IEnumerable<string> lines)
    {
        var file = Path.Combine(folder, $"targets-{Guid.NewGuid():N}");
        System.IO.File.WriteAllLines(file, lines);
        return new Targets(file, tenants);
    }
}
