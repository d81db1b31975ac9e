using Eddy.Postgres;
using Eddy.Tenants;
using NpgsqlTypes;

namespace Eddy.Events;

/// <summary>Reads a tenant's arrivals that were accepted and could not be applied when their turn came. Only the pump writes them.</summary>
public sealed class RefusedStore(EddyDbs dbs)
{
    /// <summary>The last first; arrivals are numbered by time.</summary>
    /// <param name="beyond">Only those before this one.</param>
    public async Task<IReadOnlyList<RefusedArrival>> ListAsync(TenantId tenant, Guid? beyond, int limit, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(
            """
            select arrival, pid, kvps, actor, source, received_at, refused_at, reason
            from refused where tenant_id = $1 and ($2::uuid is null or arrival < $2) order by arrival desc limit $3
            """)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = (object?)beyond ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid }, new() { Value = limit } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var refused = new List<RefusedArrival>();
        while (await rows.ReadAsync(cancel))
        {
            refused.Add(new RefusedArrival(
                rows.GetGuid(0), rows.GetInt64(1), rows.GetString(2), rows.GetString(3), rows.GetString(4), rows.GetFieldValue<DateTimeOffset>(5), rows.GetFieldValue<DateTimeOffset>(6), rows.GetString(7)));
        }

        return refused;
    }
}

/// <summary>An arrival that came to nothing.</summary>
/// <param name="Kvps">What it would have set, as arrivals carry it (<see cref="Kvps.ChangeList"/>).</param>
/// <param name="Reason">Why, in a sentence.</param>
public sealed record RefusedArrival(Guid Arrival, long Pid, string Kvps, string Actor, string Source, DateTimeOffset ReceivedAt, DateTimeOffset RefusedAt, string Reason);
