using System.Globalization;
using System.Text;
using System.Text.Json;
using Eddy.Egress;
using Eddy.Events;
using Eddy.Postgres;
using Eddy.Processes;
using Eddy.Sandbox;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Runs;

/// <summary>Reads the record of runs. Only the pump writes it.</summary>
public sealed class RunStore(EddyDbs dbs)
{
    /// <summary>How many records of a range are read at most: a cascade may have ten thousand.</summary>
    public const int MostOfRange = 1000;

    internal const string Columns =
        "r.id, r.at, r.rule, r.said_no, r.tree_version, r.pid, r.set_position, r.root, r.generation, r.outcome, r.first_position, r.changes, r.elapsed_us, r.cpu_us, r.error::text, r.trace";

    /// <summary>The calls of a run as they are told: without what was answered, which is kept for dry runs alone.</summary>
    internal const string ToldCalls = "(select jsonb_agg(c - 'answer' order by n) from jsonb_array_elements(r.calls) with ordinality x(c, n))::text";

    private static readonly string RangeSql =
        $"select {Columns} from runs r where r.tenant_id = $1 and r.id between $2 and $3 and r.root = $4 order by r.id limit {MostOfRange}";

    /// <summary>What an arrival came to whose process and runs have these numbers. One round trip.</summary>
    public async Task<Settlement> ReadSettlementAsync(TenantId tenant, long pid, Guid root, long first, long last, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(ProcessStore.ReadCommand(tenant, pid));
        batch.BatchCommands.Add(RangeCommand(tenant, root, first, last));
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var process = await ProcessStore.ReadOneAsync(rows, pid, cancel);
        await rows.NextResultAsync(cancel);
        var runs = new List<StoredRun>();
        while (await rows.ReadAsync(cancel))
        {
            runs.Add(ReadRow(rows));
        }

        return new Settlement(process?.Kind, process?.Kvps ?? [], runs);
    }

    /// <summary>The numbers of the runs that an arrival caused in its process: for who missed the news of them. Empty where there are none.</summary>
    public async Task<(long First, long Last)> FindRangeAsync(TenantId tenant, long pid, Guid root, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select coalesce(min(id), 1), coalesce(max(id), 0) from runs where tenant_id = $1 and pid = $2 and root = $3")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = pid }, new() { Value = root } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        await rows.ReadAsync(cancel);
        return (rows.GetInt64(0), rows.GetInt64(1));
    }

    /// <summary>How many events and runs the tenant's log has had, and the CPU time of all its runs.</summary>
    public async Task<(long Events, long Runs, TimeSpan Cpu)> ReadUsageAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select position, run, cpu_us from heads where tenant_id = $1") { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? (rows.GetInt64(0), rows.GetInt64(1), TimeSpan.FromMicroseconds(rows.GetInt64(2))) : default;
    }

    /// <summary>The records after this number, in their order, without their logs, and whether there are more.</summary>
    public async Task<(IReadOnlyList<StoredRun> Runs, bool More)> ReadAfterAsync(TenantId tenant, long after, int limit, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new($"select {Columns} from runs r where r.tenant_id = $1 and r.id > $2 order by r.id limit $3")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = after }, new() { Value = limit + 1 } },
        });
        var runs = await ReadRowsAsync(batch, cancel);
        return runs.Count > limit ? (runs[..limit], true) : (runs, false);
    }

    /// <summary>A page of runs without their logs, newest first.</summary>
    public async Task<Page<StoredRun>> ListAsync(TenantId tenant, RunQuery query, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(ListCommand(tenant, query));
        var runs = await ReadRowsAsync(batch, cancel);
        return runs.Count > query.Limit
            ? new Page<StoredRun>([.. runs.Take(query.Limit)], runs[query.Limit - 1].Id)
            : new Page<StoredRun>(runs, null);
    }

    /// <summary>A run with its log and its changes, or null where the tenant has none of this number.</summary>
    public async Task<(StoredRun Run, IReadOnlyList<StoredEvent> Changes)?> ReadAsync(TenantId tenant, long id, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new($"select {Columns}, r.log, {ToldCalls} from runs r where r.tenant_id = $1 and r.id = $2")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = id } },
        });
        batch.BatchCommands.Add(new($"""
            select {EventStore.Columns} from events
            where tenant_id = $1
              and position >= (select first_position from runs where tenant_id = $1 and id = $2)
              and position < (select first_position + changes from runs where tenant_id = $1 and id = $2)
            order by position
            """)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = id } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        if (!await rows.ReadAsync(cancel))
        {
            return null;
        }

        var run = ReadRow(rows) with { Log = rows.IsDBNull(16) ? null : rows.GetString(16), Calls = rows.IsDBNull(17) ? null : rows.GetString(17) };
        await rows.NextResultAsync(cancel);
        var changes = new List<StoredEvent>();
        while (await rows.ReadAsync(cancel))
        {
            changes.Add(EventStore.ReadRow(rows));
        }

        return (run, changes);
    }

    /// <summary>The calls of a run, as far as they are kept with what was answered; none where it made none.</summary>
    public async Task<IReadOnlyList<CallRecord>> KeptCallsAsync(TenantId tenant, long id, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select calls::text from runs where tenant_id = $1 and id = $2 and calls is not null") { Parameters = { new() { Value = tenant.Value }, new() { Value = id } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? JsonSerializer.Deserialize<List<CallRecord>>(rows.GetString(0), JsonSerializerOptions.Web)! : [];
    }

    private static NpgsqlBatchCommand RangeCommand(TenantId tenant, Guid root, long first, long last) =>
        new(RangeSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = first }, new() { Value = last }, new() { Value = root } } };

    internal static StoredRun ReadRow(NpgsqlDataReader rows) => new(
        rows.GetInt64(0),
        rows.GetFieldValue<DateTimeOffset>(1),
        rows.IsDBNull(2) ? null : rows.GetString(2),
        rows.IsDBNull(3) ? null : rows.GetFieldValue<string[]>(3),
        rows.GetInt64(4),
        rows.GetInt64(5),
        rows.GetInt64(6),
        rows.GetGuid(7),
        rows.GetInt32(8),
        (RunOutcome)rows.GetInt16(9),
        rows.IsDBNull(10) ? null : rows.GetInt64(10),
        rows.GetInt32(11),
        TimeSpan.FromMicroseconds(rows.GetInt64(12)),
        TimeSpan.FromMicroseconds(rows.GetInt64(13)),
        null,
        rows.IsDBNull(14) ? null : rows.GetString(14),
        rows.IsDBNull(15) ? null : rows.GetString(15));

    private static NpgsqlBatchCommand ListCommand(TenantId tenant, RunQuery query)
    {
        var command = new NpgsqlBatchCommand { Parameters = { new() { Value = tenant.Value }, new() { Value = query.Limit + 1 } } };
        var where = new StringBuilder("r.tenant_id = $1");
        var from = "runs r";
        if (query.Event is { } position)
        {
            // Its moment leaves the partitions before it alone. What woke in a process has its number; who a shared KVP woke is found by its change set alone.
            from = $"(select e.set_position, e.at, e.pid from events e where e.tenant_id = $1 and e.position = ${Add(position)}) e cross join runs r";
            where.Append(" and r.set_position = e.set_position and r.at >= e.at and (e.pid = 0 or r.pid = e.pid)");
        }

        if (query.Pid is { } pid)
        {
            where.Append(CultureInfo.InvariantCulture, $" and r.pid = ${Add(pid)}");
        }

        if (query.Rule is { } rule)
        {
            var n = Add(rule);
            where.Append(rule.Contains(':')
                ? string.Create(CultureInfo.InvariantCulture, $" and (r.rule = ${n} or ${n} = any(r.said_no))")
                : string.Create(CultureInfo.InvariantCulture, $" and exists (select from unnest(r.said_no || r.rule) u(rule) where split_part(u.rule, ':', 2) = ${n})"));
        }

        if (query.Outcome is { } outcome)
        {
            where.Append(CultureInfo.InvariantCulture, $" and r.outcome = ${Add((short)outcome)}");
        }

        // By their moments, partitions are left alone.
        if (query.Since is { } since)
        {
            where.Append(CultureInfo.InvariantCulture, $" and r.at >= ${Add(since)}");
        }

        if (query.Before is { } before)
        {
            where.Append(CultureInfo.InvariantCulture, $" and r.at < ${Add(before)}");
        }

        if (query.Beyond is { } beyond)
        {
            where.Append(CultureInfo.InvariantCulture, $" and r.id < ${Add(beyond)}");
        }

        command.CommandText = $"select {Columns} from {from} where {where} order by r.id desc limit $2";
        return command;

        int Add(object value)
        {
            command.Parameters.Add(new() { Value = value });
            return command.Parameters.Count;
        }
    }

    private static async Task<List<StoredRun>> ReadRowsAsync(NpgsqlBatch batch, CancellationToken cancel)
    {
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var runs = new List<StoredRun>();
        while (await rows.ReadAsync(cancel))
        {
            runs.Add(ReadRow(rows));
        }

        return runs;
    }
}
