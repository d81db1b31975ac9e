using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Quarantine;

/// <summary>A tenant's runs that failed or were put aside, and its rules that are switched off. The pump puts runs in and takes them out; people try them again, or drop them.</summary>
public sealed class QuarantineStore(EddyDbs dbs, TimeProvider time)
{
    /// <summary>Of a group no more runs are tried again at once.</summary>
    public const int MostRetried = 500;

    internal const string Columns = "id, rule, pid, kind, (waking->>'set')::bigint, (waking->>'root')::uuid, waking->>'actor', tries, first_at, at, run, error::text, retrying";

    private const string IsOfGroup =
        "tenant_id = $1 and rule = $2 and kind = $3 and error->>'kind' is not distinct from $4 and error->>'file' is not distinct from $5 and error->>'line' is not distinct from $6";

    /// <summary>The rules that are switched off, and how many runs wait of each rule that keeps their order, by process.</summary>
    public async Task<(HashSet<string> Off, Dictionary<(string Rule, long Pid), int> Held)> StandingAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select rule from rule_switches where tenant_id = $1") { Parameters = { new() { Value = tenant.Value } } });
        batch.BatchCommands.Add(new("select rule, pid, count(*)::int from quarantine where tenant_id = $1 and holds group by rule, pid") { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var off = new HashSet<string>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancel))
        {
            off.Add(rows.GetString(0));
        }

        await rows.NextResultAsync(cancel);
        var held = new Dictionary<(string, long), int>();
        while (await rows.ReadAsync(cancel))
        {
            held[(rows.GetString(0), rows.GetInt64(1))] = rows.GetInt32(2);
        }

        return (off, held);
    }

    /// <summary>What is in quarantine, by rule and error, the last first.</summary>
    public async Task<IReadOnlyList<QuarantineGroup>> GroupsAsync(TenantId tenant, int limit, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(
            """
            select g.rule, g.kind, g.count, g.tries, g.first_at, g.at, g.last, q.error::text
            from (
              select rule, kind, count(*) as count, sum(tries) as tries, min(first_at) as first_at, max(at) as at, max(id) as last
              from quarantine where tenant_id = $1 group by rule, kind, error->>'kind', error->>'file', error->>'line') g
            join quarantine q on q.tenant_id = $1 and q.id = g.last
            order by g.at desc, g.last desc limit $2
            """)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = limit } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var groups = new List<QuarantineGroup>();
        while (await rows.ReadAsync(cancel))
        {
            groups.Add(new QuarantineGroup(
                rows.GetString(0), rows.GetString(1), rows.GetInt64(2), rows.GetInt64(3), rows.GetFieldValue<DateTimeOffset>(4), rows.GetFieldValue<DateTimeOffset>(5), rows.GetInt64(6), Text(rows, 7)));
        }

        return groups;
    }

    /// <summary>A page of runs, the last first.</summary>
    /// <param name="beyond">Only those before this one.</param>
    public async Task<IReadOnlyList<QuarantinedRun>> ListAsync(TenantId tenant, string? rule, long? pid, long? beyond, int limit, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(
            $"""
            select {Columns}
            from quarantine where tenant_id = $1 and ($2::text is null or rule = $2) and ($3::bigint is null or pid = $3) and ($4::bigint is null or id < $4)
            order by id desc limit $5
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
        return await RunsAsync(batch, cancel);
    }

    /// <summary>Puts runs into the line again: one, those of a rule, or all; how many. Of a rule that keeps their order the first of each process goes, and the others follow it.</summary>
    public async Task<int> RetryAsync(TenantId tenant, string? rule, long? id, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select retry_quarantined($1, $2, null, null, $3)")
        {
            Parameters =
            {
                new() { Value = tenant.Value },
                new() { Value = (object?)rule ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
                new() { Value = (object?)id ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint },
            },
        });
        return await NumberAsync(batch, cancel);
    }

    /// <summary>Drops runs: one, or those of a rule; how many. Their records stay.</summary>
    public async Task<int> DiscardAsync(TenantId tenant, string? rule, long? id, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(
            """
            with gone as (delete from quarantine where tenant_id = $1 and ($2::text is null or rule = $2) and ($3::bigint is null or id = $3) returning holds)
            select count(*)::int from gone
            """)
        {
            Parameters =
            {
                new() { Value = tenant.Value },
                new() { Value = (object?)rule ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
                new() { Value = (object?)id ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint },
            },
        });
        batch.BatchCommands.Add(Anew(tenant));
        return await NumberAsync(batch, cancel);
    }

    /// <summary>How many runs of each group came in on each day of a zone since then.</summary>
    public async Task<IReadOnlyDictionary<QuarantineGroupKey, IReadOnlyDictionary<DateOnly, int>>> DaysAsync(TenantId tenant, TimeZoneInfo zone, DateTimeOffset since, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(
            """
            select rule, kind, error->>'kind', error->>'file', error->>'line', (at at time zone $2)::date, count(*)::int
            from quarantine where tenant_id = $1 and at >= $3 group by 1, 2, 3, 4, 5, 6
            """)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = zone.Id }, new() { Value = since.ToUniversalTime() } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var days = new Dictionary<QuarantineGroupKey, IReadOnlyDictionary<DateOnly, int>>();
        while (await rows.ReadAsync(cancel))
        {
            var key = new QuarantineGroupKey(rows.GetString(0), rows.GetString(1), Text(rows, 2), Text(rows, 3), Text(rows, 4));
            if (!days.TryGetValue(key, out var counts))
            {
                days[key] = counts = new Dictionary<DateOnly, int>();
            }

            ((Dictionary<DateOnly, int>)counts)[rows.GetFieldValue<DateOnly>(5)] = rows.GetInt32(6);
        }

        return days;
    }

    /// <summary>The last runs of a group.</summary>
    public async Task<IReadOnlyList<QuarantinedRun>> RunsOfAsync(TenantId tenant, QuarantineGroupKey group, int limit, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(OfGroup(tenant, group, $"select {Columns} from quarantine where {IsOfGroup} order by id desc limit {limit}"));
        return await RunsAsync(batch, cancel);
    }

    /// <summary>Puts the runs of a group into the line again; how many.</summary>
    public async Task<int> RetryAsync(TenantId tenant, QuarantineGroupKey group, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(OfGroup(tenant, group,
            $"select coalesce(sum(retry_quarantined(tenant_id, rule, null, null, id)), 0)::int from (select tenant_id, rule, id from quarantine where {IsOfGroup} order by id limit {MostRetried}) q"));
        return await NumberAsync(batch, cancel);
    }

    /// <summary>Drops the runs of a group; how many. Their records stay.</summary>
    public async Task<int> DiscardAsync(TenantId tenant, QuarantineGroupKey group, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(OfGroup(tenant, group, $"with gone as (delete from quarantine where {IsOfGroup} returning 1) select count(*)::int from gone"));
        batch.BatchCommands.Add(Anew(tenant));
        return await NumberAsync(batch, cancel);
    }

    private static NpgsqlBatchCommand OfGroup(TenantId tenant, QuarantineGroupKey group, string sql) => new(sql)
    {
        Parameters =
        {
            new() { Value = tenant.Value }, new() { Value = group.Rule }, new() { Value = group.Kind }, Nullable(group.ErrorKind), Nullable(group.File), Nullable(group.Line),
        },
    };

    private static NpgsqlParameter Nullable(string? text) => new() { Value = (object?)text ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    private static async Task<List<QuarantinedRun>> RunsAsync(NpgsqlBatch batch, CancellationToken cancel)
    {
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var runs = new List<QuarantinedRun>();
        while (await rows.ReadAsync(cancel))
        {
            runs.Add(ReadRow(rows));
        }

        return runs;
    }

    /// <summary>The rules that are switched off, by name.</summary>
    public async Task<IReadOnlyList<RuleSwitch>> OffAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select rule, off_at, off_by, reason from rule_switches where tenant_id = $1 order by rule collate \"C\"") { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var off = new List<RuleSwitch>();
        while (await rows.ReadAsync(cancel))
        {
            off.Add(new RuleSwitch(rows.GetString(0), rows.GetFieldValue<DateTimeOffset>(1), rows.GetString(2), rows.GetString(3)));
        }

        return off;
    }

    /// <summary>Switches a rule off: from the next event on, its runs are put aside. False where it was off.</summary>
    public async Task<bool> SwitchOffAsync(TenantId tenant, string rule, string by, string reason, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(
            """
            with off as (insert into rule_switches (tenant_id, rule, off_at, off_by, reason) values ($1, $2, $3, $4, $5) on conflict do nothing returning 1)
            select count(*)::int from off
            """)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = rule }, new() { Value = time.GetUtcNow() }, new() { Value = by }, new() { Value = reason } },
        });
        batch.BatchCommands.Add(Anew(tenant));
        return await NumberAsync(batch, cancel) > 0;
    }

    /// <summary>Switches a rule on, and puts into the line what was put aside meanwhile; how many runs that are, or null where it was on.</summary>
    public async Task<int?> SwitchOnAsync(TenantId tenant, string rule, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(
            """
            with own as (delete from rule_switches where tenant_id = $1 and rule = $2 returning 1)
            select case when exists (select from own) then retry_quarantined($1, $2, null, 'off', null) end
            """)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = rule } },
        });
        batch.BatchCommands.Add(Anew(tenant));
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        await rows.ReadAsync(cancel);
        return await rows.IsDBNullAsync(0, cancel) ? null : rows.GetInt32(0);
    }

    /// <summary>The pump reads what is switched off, and what waits, with the files; so these count as changed.</summary>
    private static NpgsqlBatchCommand Anew(TenantId tenant) =>
        new("update tenants set tree_version = tree_version + 1 where id = $1") { Parameters = { new() { Value = tenant.Value } } };

    private static async Task<int> NumberAsync(NpgsqlBatch batch, CancellationToken cancel)
    {
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        await rows.ReadAsync(cancel);
        return rows.GetInt32(0);
    }

    internal static QuarantinedRun ReadRow(NpgsqlDataReader rows) => new(
        rows.GetInt64(0), rows.GetString(1), rows.GetInt64(2), rows.GetString(3), rows.GetInt64(4), rows.GetGuid(5), rows.GetString(6), rows.GetInt32(7),
        rows.GetFieldValue<DateTimeOffset>(8), rows.GetFieldValue<DateTimeOffset>(9), rows.IsDBNull(10) ? null : rows.GetInt64(10), Text(rows, 11), rows.GetBoolean(12));

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
