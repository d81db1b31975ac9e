using Eddy.Tenants;
using Npgsql;

namespace Eddy.Ingest;

/// <summary>
/// Whether a process is there, or will be by an arrival that waits. What was found, or made here, is remembered: processes do not go away.
/// </summary>
internal sealed class KnownProcesses(NpgsqlDataSource source)
{
    /// <summary>So many, and as many of those that came before them.</summary>
    private const int Remembered = 100_000;

    private readonly Lock _gate = new();

    // Sets of plain values in one piece each: what a collection of garbage had to follow, node by node, was most of its pause.
    private HashSet<(TenantId, long)> _known = [];
    private HashSet<(TenantId, long)> _before = [];

    public void Add(TenantId tenant, long pid)
    {
        lock (_gate)
        {
            Remember((tenant, pid));
        }
    }

    public async ValueTask<bool> IsKnownAsync(TenantId tenant, long pid, CancellationToken cancel)
    {
        if (IsRemembered((tenant, pid)))
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

    private bool IsRemembered((TenantId, long) process)
    {
        lock (_gate)
        {
            if (!_known.Contains(process) && !_before.Contains(process))
            {
                return false;
            }

            Remember(process);
            return true;
        }
    }

    private void Remember((TenantId, long) process)
    {
        if (_known.Add(process) && _known.Count >= Remembered)
        {
            (_known, _before) = (_before, _known);
            _known.Clear();
        }
    }
}
