using Eddy.Postgres;
using Eddy.Tenants;
using NpgsqlTypes;

namespace Eddy.Endpoints;

/// <summary>The record of requests that API scripts have answered. Webs write it, nobody changes it, and it is kept for a while.</summary>
public sealed class EndpointStore(EddyDbs dbs)
{
    /// <summary>Newest first.</summary>
    /// <param name="endpoint">As <see cref="EndpointInfo.Id"/>; null for all.</param>
    /// <param name="isFailed">Those alone that failed.</param>
    /// <param name="before">Of those before this one.</param>
    public async Task<IReadOnlyList<RecordedRequest>> ListAsync(TenantId tenant, string? endpoint, bool isFailed, Guid? before, int limit, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("""
            select id, at, endpoint, method, path, status, actor, landed, conflicts, tree_version, elapsed_us, cpu_us, bytes_in, bytes_out, log, error::text, calls::text
            from endpoint_calls
            where tenant_id = $1 and ($2::text is null or endpoint = $2) and (not $3 or error is not null) and ($4::uuid is null or id < $4)
            order by id desc limit $5
            """)
        {
            Parameters =
            {
                new() { Value = tenant.Value }, new() { Value = (object?)endpoint ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text }, new() { Value = isFailed },
                new() { Value = (object?)before ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid }, new() { Value = limit },
            },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var requests = new List<RecordedRequest>();
        while (await rows.ReadAsync(cancel))
        {
            requests.Add(new RecordedRequest(
                rows.GetGuid(0), rows.GetFieldValue<DateTimeOffset>(1), rows.GetString(2), rows.GetString(3), rows.GetString(4), rows.GetInt16(5), rows.GetString(6), rows.GetBoolean(7), rows.GetInt16(8),
                rows.GetInt64(9), TimeSpan.FromMicroseconds(rows.GetInt64(10)), TimeSpan.FromMicroseconds(rows.GetInt64(11)), rows.GetInt32(12), rows.GetInt32(13),
                rows.IsDBNull(14) ? null : rows.GetString(14), rows.IsDBNull(15) ? null : rows.GetString(15), rows.IsDBNull(16) ? null : rows.GetString(16)));
        }

        return requests;
    }

    /// <summary>All requests since each endpoint was there, recorded one by one or not; by <see cref="EndpointInfo.Id"/>.</summary>
    public async Task<IReadOnlyDictionary<string, RequestTotal>> TotalsAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select endpoint, calls, failed, elapsed_us, cpu_us, last_at from endpoint_totals where tenant_id = $1") { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var totals = new Dictionary<string, RequestTotal>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancel))
        {
            totals[rows.GetString(0)] = new RequestTotal(
                rows.GetInt64(1), rows.GetInt64(2), TimeSpan.FromMicroseconds(rows.GetInt64(3)), TimeSpan.FromMicroseconds(rows.GetInt64(4)), rows.GetFieldValue<DateTimeOffset>(5));
        }

        return totals;
    }

    /// <summary>All requests since the tenant was made, and the CPU time of their cells.</summary>
    public async Task<(long Calls, TimeSpan Cpu)> UsageAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select coalesce(sum(calls), 0)::bigint, coalesce(sum(cpu_us), 0)::bigint from endpoint_totals where tenant_id = $1") { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        await rows.ReadAsync(cancel);
        return (rows.GetInt64(0), TimeSpan.FromMicroseconds(rows.GetInt64(1)));
    }
}

/// <summary>A request that was answered.</summary>
/// <param name="Id">As its caller was told.</param>
/// <param name="Actor">Who called.</param>
/// <param name="Landed">It changed something or told somebody something: its run is that of the arrival of the same id.</param>
/// <param name="Conflicts">How often it was answered anew, because what it depends on had changed.</param>
/// <param name="Error">As JSON; null where it went well.</param>
/// <param name="Calls">Its outgoing calls, as JSON; null for none.</param>
public sealed record RecordedRequest(
    Guid Id, DateTimeOffset At, string Endpoint, string Method, string Path, int Status, string Actor, bool Landed, int Conflicts, long Tree, TimeSpan Elapsed, TimeSpan Cpu, int BytesIn, int BytesOut,
    string? Log, string? Error, string? Calls);

/// <summary>The requests of an endpoint since it was there.</summary>
public sealed record RequestTotal(long Calls, long Failed, TimeSpan Elapsed, TimeSpan Cpu, DateTimeOffset LastAt);
