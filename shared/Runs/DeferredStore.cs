using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Runs;

/// <summary>A tenant's runs that are put off.</summary>
public sealed class DeferredStore(EddyDbs dbs)
{
    internal const string Columns = "id, rule, pid, kind, stream, wakings, since, due, (waking->>'attempt')::int, (waking->>'set')::bigint, (waking->>'root')::uuid";

    /// <summary>A page of them, in the order in which they were put off.</summary>
    /// <param name="beyond">Only those after this one.</param>
    public async Task<IReadOnlyList<DeferredRun>> ListAsync(TenantId tenant, string? rule, long? pid, long? beyond, int limit, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            $"""
            select {Columns}
            from deferred where tenant_id = $1 and ($2::text is null or rule = $2) and ($3::bigint is null or pid = $3) and ($4::bigint is null or id > $4)
            order by id limit $5
            """)
        {
            Parameters =
            {
                new() { Value = tenant.Value },
                new() { Value = (object?)rule ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
                new() { Value = (object?)pid ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint },
                new() { Value = (object?)beyond ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint },
                new() { Value = limit },
            },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var runs = new List<DeferredRun>();
        while (await rows.ReadAsync(cancel))
        {
            runs.Add(ReadRow(rows));
        }

        return runs;
    }

    internal static DeferredRun ReadRow(NpgsqlDataReader rows) => new(
        rows.GetInt64(0), rows.GetString(1), rows.GetInt64(2), rows.GetString(3), rows.GetString(4), rows.GetInt32(5), rows.GetFieldValue<DateTimeOffset>(6),
        rows.GetFieldValue<DateTimeOffset>(7), rows.GetInt32(8), rows.GetInt64(9), rows.GetGuid(10));
}
