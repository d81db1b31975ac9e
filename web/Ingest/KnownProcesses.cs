using System.Collections.Concurrent;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Ingest;

/// <summary>
/// Whether a process is there, or will be by an arrival that waits. What was found, or made here, is remembered: processes do not go away.
/// </summary>
internal sealed class KnownProcesses(NpgsqlDataSource source)
{
    private const int Remembered = 200_000;

    private readonly ConcurrentDictionary<(TenantId, long), byte> _known = new();
    private int _count;

    public void Add(TenantId tenant, long pid)
    {
        if (_known.TryAdd((tenant, pid), 0) && Interlocked.Increment(ref _count) > Remembered)
        {
            _known.Clear();
            Interlocked.Exchange(ref _count, 0);
        }
    }

    public async ValueTask<bool> IsKnownAsync(TenantId tenant, long pid, CancellationToken cancel)
    {
        if (_known.ContainsKey((tenant, pid)))
        {
            return true;
        }

        await using var look = source.CreateCommand("select known_pids($1, $2)");
        look.Parameters.Add(new() { Value = tenant.Value });
        look.Parameters.Add(new() { Value = new[] { pid } });
        if (await look.ExecuteScalarAsync(cancel) is not long)
        {
            return false;
        }

        Add(tenant, pid);
        return true;
    }
}
