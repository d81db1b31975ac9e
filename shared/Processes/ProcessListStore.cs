using System.Globalization;
using System.Text;
using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Processes;

/// <summary>Reads long lists of processes: first how they run, then the part that is looked at. By PID, never by counting rows.</summary>
public sealed class ProcessListStore(EddyDbs dbs)
{
    /// <summary>A list ends after this many.</summary>
    public const int Most = 1_000_000;

    /// <summary>Where each has to be looked at, no more than this many are.</summary>
    public const int MostSearched = 100_000;

    /// <summary>A longer value is not shown in a list.</summary>
    public const int MostCharacters = 1000;

    /// <summary>Of one process a list shows no more keys.</summary>
    public const int MostKeys = 100;

    private static readonly string ReadSql = $"""
        select p.pid, p.kind, p.created_at, k.key, case when length(k.value) <= {MostCharacters} then k.value end, p.keys
        from unnest($2) with ordinality u(pid, n)
        cross join lateral (
          select p.pid, p.kind, p.created_at, (select count(*) from kvps c where c.tenant_id = $1 and c.pid = u.pid) as keys
          from processes p where p.tenant_id = $1 and p.pid = u.pid offset 0) p
        left join lateral (select k.key, k.value::text as value from kvps k where k.tenant_id = $1 and k.pid = u.pid order by k.key limit {MostKeys}) k on true
        order by u.n, k.key collate "C"
        """;

    /// <summary>How the list runs.</summary>
    public async Task<ProcessOutline> OutlineAsync(TenantId tenant, ProcessFilter filter, CancellationToken cancel)
    {
        var looked = filter.Key is null ? Most : MostSearched;
        var command = new NpgsqlBatchCommand { Parameters = { new() { Value = tenant.Value }, new() { Value = looked }, new() { Value = ProcessOutline.Stride } } };
        var (indexed, searched) = (new StringBuilder("p.tenant_id = $1"), new StringBuilder("true"));
        filter.AppendIndexed(indexed, command.Parameters);
        filter.AppendSearched(searched, command.Parameters);
        // Made times are read only where they are asked for: else the index says all.
        var columns = filter.Since is null && filter.Until is null ? "p.pid" : "p.pid, p.created_at";
        command.CommandText = $"""
            with looked as materialized (select {columns} from processes p where {indexed} order by p.pid desc limit $2),
              found as (select p.pid, row_number() over (order by p.pid desc) as n from looked p where {searched})
            select (select count(*) from looked) = $2, count(*)::int, coalesce(array_agg(pid order by n) filter (where n % $3 = 1), array[]::bigint[]), coalesce(min(pid), 0) from found
            """;
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(command);
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        await rows.ReadAsync(cancel);
        return new ProcessOutline(rows.GetInt32(1), rows.GetFieldValue<long[]>(2), rows.GetInt64(3), rows.GetBoolean(0));
    }

    /// <summary>The PIDs of a part of the list: from this one, itself included, downwards.</summary>
    /// <param name="last">None below this one is looked at.</param>
    public async Task<IReadOnlyList<long>> PidsAsync(TenantId tenant, ProcessFilter filter, long from, long last, int limit, CancellationToken cancel)
    {
        var command = PidsCommand(tenant, filter, from, last, limit);
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(command);
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var pids = new List<long>();
        while (await rows.ReadAsync(cancel))
        {
            pids.Add(rows.GetInt64(0));
        }

        return pids;
    }

    /// <summary>Those of these processes that are there, in the order in which they are asked for.</summary>
    public async Task<IReadOnlyList<ListedProcess>> ReadAsync(TenantId tenant, IReadOnlyList<long> pids, CancellationToken cancel)
    {
        if (pids.Count == 0)
        {
            return [];
        }

        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(ReadSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = pids.ToArray() } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var found = new List<ListedProcess>();
        List<ListedKvp> kvps = [];
        while (await rows.ReadAsync(cancel))
        {
            var pid = rows.GetInt64(0);
            if (found.Count == 0 || found[^1].Pid != pid)
            {
                kvps = [];
                found.Add(new ListedProcess(pid, await rows.IsDBNullAsync(1, cancel) ? null : rows.GetString(1), rows.GetFieldValue<DateTimeOffset>(2), (int)rows.GetInt64(5), kvps));
            }

            if (!await rows.IsDBNullAsync(3, cancel))
            {
                kvps.Add(new ListedKvp(rows.GetString(3), await rows.IsDBNullAsync(4, cancel) ? null : rows.GetString(4)));
            }
        }

        return found;
    }

    internal static NpgsqlBatchCommand PidsCommand(TenantId tenant, ProcessFilter filter, long from, long last, int limit)
    {
        var command = new NpgsqlBatchCommand
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = from }, new() { Value = last }, new() { Value = limit } },
        };
        var where = new StringBuilder("p.tenant_id = $1 and p.pid <= $2 and p.pid >= $3");
        filter.AppendIndexed(where, command.Parameters);
        filter.AppendSearched(where, command.Parameters);
        command.CommandText = string.Create(CultureInfo.InvariantCulture, $"select p.pid from processes p where {where} order by p.pid desc limit $4");
        return command;
    }
}
