using System.Globalization;
using System.Text;
using Eddy.Kvps;
using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Processes;

/// <summary>Reads processes and their KVPs. Only the pump writes them. Each read is one round trip and one snapshot.</summary>
public sealed class ProcessStore(EddyDbs dbs)
{
    /// <summary>A page ends early once its values are this many characters: processes may be large.</summary>
    public const int PageCharacters = 8 << 20;

    // The row is there for the shared bag too, and where a process has no KVPs.
    private const string ReadSql = """
        select p.created_at, p.kind, k.key, k.value::text
        from (select $2::bigint as pid) u
        left join processes p on p.tenant_id = $1 and p.pid = u.pid
        left join kvps k on k.tenant_id = $1 and k.pid = u.pid
        order by k.key collate "C"
        """;

    /// <summary>The process, or null where the tenant has none of this number. Its shared bag (0) is always there.</summary>
    public async Task<StoredProcess?> ReadAsync(TenantId tenant, long pid, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(ReadCommand(tenant, pid));
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await ReadOneAsync(rows, pid, cancel);
    }

    /// <summary>A KVP's JSON, or null where there is none.</summary>
    public async Task<string?> ReadKvpAsync(TenantId tenant, long pid, string key, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select value::text from kvps where tenant_id = $1 and pid = $2 and key = $3")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = pid }, new() { Value = key } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? rows.GetString(0) : null;
    }

    /// <summary>The kind that a process will have once all that waits for its turn now is applied, as far as arrivals say; null where it has none.</summary>
    public async Task<string?> KindInLineAsync(TenantId tenant, long pid, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select kind, is_waiting, waiting from kind_in_line($1, $2)") { Parameters = { new() { Value = tenant.Value }, new() { Value = pid } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        await rows.ReadAsync(cancel);
        return !rows.GetBoolean(1) ? Text(rows, 0) : Text(rows, 2) is { } waiting ? KvpLookup.Of(waiting).Txt : null;
    }

    /// <summary>The kinds of those of these processes that are there; null where one has none.</summary>
    public async Task<IReadOnlyDictionary<long, string?>> KindsAsync(TenantId tenant, IReadOnlyCollection<long> pids, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select p.pid, p.kind from unnest($2) u(pid) cross join lateral (select p.pid, p.kind from processes p where p.tenant_id = $1 and p.pid = u.pid offset 0) p")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = pids.ToArray() } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var kinds = new Dictionary<long, string?>();
        while (await rows.ReadAsync(cancel))
        {
            kinds[rows.GetInt64(0)] = Text(rows, 1);
        }

        return kinds;
    }

    public async Task<Page<StoredProcess>> ListAsync(TenantId tenant, ProcessQuery query, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(ListCommand(tenant, query));
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);

        var found = new List<StoredProcess>();
        List<StoredKvp> kvps = [];
        var characters = 0;
        while (await rows.ReadAsync(cancel))
        {
            var pid = rows.GetInt64(0);
            if (found.Count == 0 || found[^1].Pid != pid)
            {
                if (found.Count == query.Limit || characters > PageCharacters)
                {
                    return new Page<StoredProcess>(found, found[^1].Pid);
                }

                kvps = [];
                found.Add(new StoredProcess(pid, Text(rows, 1), rows.GetFieldValue<DateTimeOffset>(2), kvps));
            }

            if (!rows.IsDBNull(3))
            {
                kvps.Add(new StoredKvp(rows.GetString(3), rows.GetString(4)));
                characters += kvps[^1].Value.Length;
            }
        }

        return new Page<StoredProcess>(found, null);
    }

    internal static NpgsqlBatchCommand ReadCommand(TenantId tenant, long pid) =>
        new(ReadSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = pid } } };

    // One more process than the page has tells whether there is a next one. The offsets keep the look-ups look-ups, whatever the planner believes.
    private static NpgsqlBatchCommand ListCommand(TenantId tenant, ProcessQuery query)
    {
        var command = new NpgsqlBatchCommand { Parameters = { new() { Value = tenant.Value }, new() { Value = query.Limit + 1 } } };
        var (order, beyond) = query.NewestFirst ? ("desc", "<") : ("asc", ">");
        var where = new StringBuilder("p.tenant_id = $1");
        if (query.Kind is { } kind)
        {
            where.Append(CultureInfo.InvariantCulture, $" and p.kind = ${Add(kind)}");
        }

        if (query.Parent is { } parent)
        {
            where.Append(CultureInfo.InvariantCulture, $" and p.parent = ${Add(parent)}");
        }

        if (query.Beyond is { } last)
        {
            where.Append(CultureInfo.InvariantCulture, $" and p.pid {beyond} ${Add(last)}");
        }

        foreach (var (key, value) in query.Keys)
        {
            where.Append(CultureInfo.InvariantCulture, $" and exists (select from kvps k where k.tenant_id = $1 and k.pid = p.pid and k.key = ${Add(key)} and k.txt = ${Add(value)})");
        }

        command.CommandText = $"""
            select p.pid, p.kind, p.created_at, k.key, k.value
            from (select p.pid, p.kind, p.created_at from processes p where {where} order by p.pid {order} limit $2) p
            left join lateral (select k.key, k.value::text from kvps k where k.tenant_id = $1 and k.pid = p.pid offset 0) k on true
            order by p.pid {order}, k.key collate "C"
            """;
        return command;

        int Add(object value)
        {
            command.Parameters.Add(new() { Value = value });
            return command.Parameters.Count;
        }
    }

    internal static async Task<StoredProcess?> ReadOneAsync(NpgsqlDataReader rows, long pid, CancellationToken cancel)
    {
        DateTimeOffset? createdAt = null;
        string? kind = null;
        var kvps = new List<StoredKvp>();
        while (await rows.ReadAsync(cancel))
        {
            createdAt = rows.IsDBNull(0) ? null : rows.GetFieldValue<DateTimeOffset>(0);
            kind = Text(rows, 1);
            if (!rows.IsDBNull(2))
            {
                kvps.Add(new StoredKvp(rows.GetString(2), rows.GetString(3)));
            }
        }

        return createdAt is null && pid != 0 ? null : new StoredProcess(pid, kind, createdAt, kvps);
    }

    private static string? Text(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);
}
