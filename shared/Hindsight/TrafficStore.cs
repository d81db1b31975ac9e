using Eddy.Postgres;
using Eddy.Rules;
using Eddy.Tenants;

namespace Eddy.Hindsight;

/// <summary>Counts what flowed through a tenant lately.</summary>
public sealed class TrafficStore(EddyDbs dbs, TimeProvider time)
{
    /// <summary>As many events, and as many runs, are counted at the most: the last ones.</summary>
    public const int Most = 100_000;

    private static readonly TimeSpan Lately = TimeSpan.FromHours(1);

    // Runs are looked at by their numbers, for no index has their moments.
    private const string RecentRuns = "select id, rule, said_no, outcome from runs where tenant_id = $1 and id > (select coalesce(max(run), 0) from heads where tenant_id = $1) - $3 and at > $2";

    private const string KeysSql = $"""
        with recent as materialized (
            select pid, key, source, cause from events where tenant_id = $1 and position > (select position_at($1, $2)) order by position desc limit $3),
          ran as materialized (select id, rule from ({RecentRuns}) r where rule is not null)
        select case when e.pid = 0 then 'shared.' else '' end || e.key, case when e.cause is null then e.source end, r.rule, count(*)
        from recent e left join ran r on r.id = e.cause
        group by 1, 2, 3
        """;

    private const string RulesSql = $"""
        select u.rule, count(*) filter (where r.outcome = 0), count(*) filter (where r.outcome = 1), count(*) filter (where r.outcome > 1)
        from ({RecentRuns}) r cross join lateral unnest(coalesce(r.said_no, array[r.rule])) u(rule)
        group by 1
        """;

    // The number of a mail or card begins with that of its run.
    private const string ToldSql = """
        with told as (
          select run, null as card from outbox where tenant_id = $1 and id > ((select coalesce(max(run), 0) from heads where tenant_id = $1) - $3) * 1000 and at > $2
          union all
          select run, name from cards where tenant_id = $1 and id > ((select coalesce(max(run), 0) from heads where tenant_id = $1) - $3) * 1000 and at > $2)
        select r.rule, t.card, count(*) from told t join runs r on r.tenant_id = $1 and r.id = t.run and r.at > $2 where r.rule is not null group by 1, 2
        """;

    /// <summary>What flowed in the last hour.</summary>
    public async Task<Traffic> ReadAsync(TenantId tenant, CancellationToken cancel)
    {
        var since = time.GetUtcNow() - Lately;
        await using var batch = dbs.BatchFor(tenant);
        foreach (var sql in new[] { KeysSql, RulesSql, ToldSql })
        {
            batch.BatchCommands.Add(new(sql) { Parameters = { new() { Value = tenant.Value }, new() { Value = since }, new() { Value = Most } } });
        }

        await using var rows = await batch.ExecuteReaderAsync(cancel);
        var (keys, rules, told) = (new List<KeyTraffic>(), new List<RuleTraffic>(), new List<ToldTraffic>());
        await rows.NextResultAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            keys.Add(new KeyTraffic(rows.GetString(0), Text(1), Text(2), rows.GetInt64(3)));
        }

        await rows.NextResultAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            rules.Add(new RuleTraffic(rows.GetString(0), rows.GetInt64(1), rows.GetInt64(2), rows.GetInt64(3)));
        }

        await rows.NextResultAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            told.Add(new ToldTraffic(rows.GetString(0), Text(1), rows.GetInt64(2)));
        }

        return new Traffic(keys, rules, told, keys.Sum(key => key.Count) == Most || rules.Sum(rule => rule.Woken) >= Most);

        string? Text(int column) => rows.IsDBNull(column) ? null : rows.GetString(column);
    }
}
