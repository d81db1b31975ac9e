using Eddy.Kvps;
using Eddy.Postgres;
using Eddy.Runs;
using Eddy.Tenants;

namespace Eddy.Hindsight;

/// <summary>Reads in bulk what a backtest needs beside the events.</summary>
public sealed class BacktestStore(EddyDbs dbs)
{
    private const string StatesSql = """
        select pid, key, value::text from kvps where tenant_id = $1 and pid = any($2) and position <= $3
        union all
        select pid, key, previous::text
        from (select distinct on (pid, key) pid, key, previous from events where tenant_id = $1 and pid = any($2) and position > $3 order by pid, key, position) e
        where previous is not null
        """;

    // The first run of the range's first cascade is not later than any other of the range.
    private static readonly string RecordsSql = $"""
        select {RunStore.Columns} from runs r
        where r.tenant_id = $1 and r.id >= coalesce((select min(id) from runs where tenant_id = $1 and root = $4), 0) and r.set_position between $2 and $3 and (r.rule = $5 or $5 = any(r.said_no))
        order by r.id
        """;

    /// <summary>How these processes were right after an event: what has not changed since is as it is now, and the next change of what has tells what was before it.</summary>
    public async Task<Dictionary<long, IReadOnlyDictionary<string, string>>> StatesAsync(TenantId tenant, IReadOnlyCollection<long> pids, long position, CancellationToken cancel)
    {
        var states = pids.ToDictionary(pid => pid, _ => (IReadOnlyDictionary<string, string>)new Dictionary<string, string>(StringComparer.Ordinal));
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(StatesSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = pids.ToArray() }, new() { Value = position } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            ((Dictionary<string, string>)states[rows.GetInt64(0)])[rows.GetString(1)] = KvpValue.Stored(rows.GetString(2));
        }

        return states;
    }

    /// <summary>The records of a rule for the change sets of a range.</summary>
    /// <param name="root">The arrival of its first event.</param>
    public async Task<IReadOnlyList<StoredRun>> RecordsAsync(TenantId tenant, string rule, long first, long last, Guid root, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(RecordsSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = first }, new() { Value = last }, new() { Value = root }, new() { Value = rule } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var records = new List<StoredRun>();
        while (await rows.ReadAsync(cancel))
        {
            records.Add(RunStore.ReadRow(rows));
        }

        return records;
    }

    /// <summary>How many mails and cards these runs told of.</summary>
    public async Task<(int Mails, int Cards)> ToldAsync(TenantId tenant, IReadOnlyCollection<long> runs, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        foreach (var table in (string[])["outbox", "cards"])
        {
            batch.BatchCommands.Add(new($"select count(*) from unnest($2) u(run) cross join lateral (select from {table} t where t.tenant_id = $1 and t.id between u.run * 1000 and u.run * 1000 + 999 and t.run = u.run) t")
            {
                Parameters = { new() { Value = tenant.Value }, new() { Value = runs.ToArray() } },
            });
        }

        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        await rows.ReadAsync(cancel);
        var mails = rows.GetInt64(0);
        await rows.NextResultAsync(cancel);
        await rows.ReadAsync(cancel);
        return ((int)mails, (int)rows.GetInt64(0));
    }
}
