using System.Collections.Concurrent;
using Eddy.Health;
using Eddy.Postgres;
using Eddy.Tenants;

namespace Eddy.Push;

/// <summary>Reads a tenant's pulse once a second at most, however many screens ask for it.</summary>
public sealed class Pulses(EddyDbs dbs, Readiness readiness, TimeProvider time)
{
    private const string Sql = """
        select (select count(*) from quarantine q where q.tenant_id = $1 and q.kind = 'failed'),
          (select count(*) from deferred d where d.tenant_id = $1),
          t.tree_version, f.author, f.saved_at
        from tenants t left join lateral (select author, saved_at from files v where v.tenant_id = $1 and not starts_with(v.path, 'workspace/') order by v.version desc limit 1) f on true
        where t.id = $1
        """;

    private static readonly TimeSpan Fresh = TimeSpan.FromMilliseconds(900);

    private readonly ConcurrentDictionary<TenantId, (long At, Task<Pulse> Pulse)> _kept = new();

    public Task<Pulse> ReadAsync(TenantId tenant) =>
        _kept.AddOrUpdate(
            tenant,
            _ => (time.GetTimestamp(), LookAsync(tenant)),
            (_, kept) => time.GetElapsedTime(kept.At) < Fresh || !kept.Pulse.IsCompleted ? kept : (time.GetTimestamp(), LookAsync(tenant))).Pulse;

    private async Task<Pulse> LookAsync(TenantId tenant)
    {
        var ready = await readiness.LookAsync(CancellationToken.None);
        if (!ready.Database.Ready)
        {
            return new Pulse(null, 0, 0, 0, null, null);
        }

        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(Sql) { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(CancellationToken.None);
        await rows.NextResultAsync(CancellationToken.None);
        return await rows.ReadAsync(CancellationToken.None)
            ? new Pulse(
                ready.Pump.LagSeconds, rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2), rows.IsDBNull(3) ? null : rows.GetString(3),
                rows.IsDBNull(4) ? null : rows.GetFieldValue<DateTimeOffset>(4))
            : new Pulse(ready.Pump.LagSeconds, 0, 0, 0, null, null);
    }
}
