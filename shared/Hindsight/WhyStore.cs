using Eddy.Events;
using Eddy.Postgres;
using Eddy.Quarantine;
using Eddy.Runs;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Hindsight;

/// <summary>Reads what is on record of why rules ran or did not. Each question goes by the keys of its tables: it costs what the cascade has, however long the log is.</summary>
public sealed class WhyStore(EddyDbs dbs)
{
    /// <summary>Of so many records of a process, or of the tenant, the newest are looked through for a rule.</summary>
    public const int MostSearched = 20_000;

    /// <summary>A change set has at most so many events that are looked at.</summary>
    private const int MostOfSet = 5000;

    internal const string EventSql = $"select {EventStore.Columns} from events where tenant_id = $1 and position = $2";

    internal static readonly string SetSql = $"select {EventStore.Columns} from events where tenant_id = $1 and position between $2 and $2 + {MostOfSet} and set_position = $2 order by position";

    internal static readonly string RunsSql = $"select {RunStore.Columns} from runs r where r.tenant_id = $1 and r.root = $2 and r.set_position = $3 order by r.id";

    internal const string ChangedSql =
        "select id, rule, set_position, first_position + changes - 1 from runs where tenant_id = $1 and root = $2 and set_position <= $3 and first_position is not null order by id";

    internal static readonly string LastSql = $"""
        select * from (select {RunStore.Columns} from runs r where r.tenant_id = $1 and r.pid = $2 order by r.id desc limit {MostSearched}) r
        where r.rule = $3 or $3 = any(r.said_no) order by r.id desc limit $4
        """;

    private static readonly string LastAnywhereSql = $"""
        select * from (select {RunStore.Columns} from runs r where r.tenant_id = $1 order by r.id desc limit {MostSearched}) r
        where r.rule = $2 or $2 = any(r.said_no) order by r.id desc limit $3
        """;

    /// <summary>The event of this position; null where the log has none.</summary>
    public async Task<StoredEvent?> EventAsync(TenantId tenant, long position, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(EventSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = position } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? EventStore.ReadRow(rows) : null;
    }

    /// <summary>The newest event of a process (0: the shared KVPs), or, without one, of the tenant.</summary>
    public async Task<StoredEvent?> LastEventAsync(TenantId tenant, long? pid, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(pid is { } of
            ? new($"select {EventStore.Columns} from events where tenant_id = $1 and pid = $2 order by position desc limit 1") { Parameters = { new() { Value = tenant.Value }, new() { Value = of } } }
            : new($"select {EventStore.Columns} from events where tenant_id = $1 order by position desc limit 1") { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? EventStore.ReadRow(rows) : null;
    }

    /// <summary>All that is on record of an event's change set, and of this rule there. One round trip.</summary>
    public async Task<WakingFacts> FactsAsync(TenantId tenant, StoredEvent one, string rule, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(SetSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = one.ChangeSet } } });
        batch.BatchCommands.Add(new(RunsSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = one.Arrival }, new() { Value = one.ChangeSet } } });
        batch.BatchCommands.Add(new(ChangedSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = one.Arrival }, new() { Value = one.ChangeSet } } });
        batch.BatchCommands.Add(Waiting($"select {DeferredStore.Columns} from deferred where tenant_id = $1 and rule = $2 and (waking->>'root')::uuid = $3 and (waking->>'set')::bigint = $4 order by id"));
        batch.BatchCommands.Add(Waiting($"select {QuarantineStore.Columns} from quarantine where tenant_id = $1 and rule = $2 and (waking->>'root')::uuid = $3 and (waking->>'set')::bigint = $4 order by id"));
        batch.BatchCommands.Add(Waiting("select rule, pid, generation, beside from wakings where tenant_id = $1 and rule = $2 and root = $3 and set_position = $4 order by id"));
        batch.BatchCommands.Add(new("select rule, off_at, off_by, reason from rule_switches where tenant_id = $1 and rule = $2") { Parameters = { new() { Value = tenant.Value }, new() { Value = rule } } });
        batch.BatchCommands.Add(new(
            """
            select coalesce(
              (select tree_version from runs where tenant_id = $1 and root = $2 order by set_position <> $3, id limit 1),
              (select max(version) from file_versions where tenant_id = $1 and saved_at <= $4), 0)
            """)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = one.Arrival }, new() { Value = one.ChangeSet }, new() { Value = one.At } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var set = await ReadAsync(rows, EventStore.ReadRow, cancel);
        var runs = await ReadAsync(rows, RunStore.ReadRow, cancel);
        var changed = await ReadAsync(rows, row => new ChangingRun(row.GetInt64(0), row.IsDBNull(1) ? "" : row.GetString(1), row.GetInt64(2), row.GetInt64(3)), cancel);
        var deferred = await ReadAsync(rows, DeferredStore.ReadRow, cancel);
        var quarantined = await ReadAsync(rows, QuarantineStore.ReadRow, cancel);
        var owed = await ReadAsync(rows, row => new OwedWaking(row.GetString(0), row.GetInt64(1), row.GetInt32(2), row.GetBoolean(3)), cancel);
        var off = await ReadAsync(rows, row => new RuleSwitch(row.GetString(0), row.GetFieldValue<DateTimeOffset>(1), row.GetString(2), row.GetString(3)), cancel);
        var version = await ReadAsync(rows, row => row.GetInt64(0), cancel);
        return new WakingFacts(set, runs, changed, deferred, quarantined, owed, off.FirstOrDefault(), version[0]);

        NpgsqlBatchCommand Waiting(string sql) => new(sql) { Parameters = { new() { Value = tenant.Value }, new() { Value = rule }, new() { Value = one.Arrival }, new() { Value = one.ChangeSet } } };
    }

    /// <summary>The records of a cascade in which one of these rules ran or said no, the first of each.</summary>
    public async Task<IReadOnlyList<StoredRun>> OfCascadeAsync(TenantId tenant, Guid root, IReadOnlyCollection<string> rules, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new($"select {RunStore.Columns} from runs r where r.tenant_id = $1 and r.root = $2 and (r.rule = any($3) or r.said_no && $3) order by r.id limit 100")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = root }, new() { Value = rules.ToArray() } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await ReadAsync(rows, RunStore.ReadRow, cancel);
    }

    /// <summary>The newest records of a rule, in a process or in all: where it ran, failed or said no. The last <see cref="MostSearched"/> records are looked through.</summary>
    public async Task<IReadOnlyList<StoredRun>> LastAsync(TenantId tenant, string rule, long? pid, int most, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(pid is { } of
            ? new(LastSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = of }, new() { Value = rule }, new() { Value = most } } }
            : new(LastAnywhereSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = rule }, new() { Value = most } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await ReadAsync(rows, RunStore.ReadRow, cancel);
    }

    /// <summary>The last change that a run before this one made; 0 where none did.</summary>
    public async Task<long> LastChangeBeforeAsync(TenantId tenant, long run, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select first_position + changes - 1 from runs where tenant_id = $1 and id < $2 and first_position is not null order by id desc limit 1")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = run } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? rows.GetInt64(0) : 0;
    }

    /// <summary>When a file was saved first after this version of the tree, and as which; null where it was not.</summary>
    public async Task<(long Version, DateTimeOffset At)?> NextSaveAsync(TenantId tenant, string path, long version, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select version, saved_at from file_versions where tenant_id = $1 and path = $2 and version > $3 order by version limit 1")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = path }, new() { Value = version } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? (rows.GetInt64(0), rows.GetFieldValue<DateTimeOffset>(1)) : null;
    }

    /// <summary>The processes that have changed since this position; null where they are more than so many.</summary>
    public async Task<IReadOnlyList<long>?> ChangedSinceAsync(TenantId tenant, long position, int most, int mostEvents, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("with near as materialized (select pid from events where tenant_id = $1 and position > $2 order by position limit $3) select pid, (select count(*) from near) from near group by pid limit $4")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = position }, new() { Value = mostEvents + 1 }, new() { Value = most + 1 } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var pids = new List<long>();
        while (await rows.ReadAsync(cancel))
        {
            if (pids.Count == most || rows.GetInt64(1) > mostEvents)
            {
                return null;
            }

            pids.Add(rows.GetInt64(0));
        }

        return pids;
    }

    private static async Task<List<T>> ReadAsync<T>(NpgsqlDataReader rows, Func<NpgsqlDataReader, T> read, CancellationToken cancel)
    {
        var all = new List<T>();
        while (await rows.ReadAsync(cancel))
        {
            all.Add(read(rows));
        }

        await rows.NextResultAsync(cancel);
        return all;
    }
}
