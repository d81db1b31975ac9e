using Eddy.Tenants;

namespace Eddy.Tests;

/// <summary>The laws of the log, tried on what is stored of a tenant.</summary>
internal sealed class TestLog(TestDatabase database)
{
    private static readonly (string Law, string Violations)[] Laws =
    [
        ("positions are dense", """
            select 'position ' || position || ' is the ' || n || 'th' from (
              select position, row_number() over (order by position) as n from events where tenant_id = $1) e where position <> n
            """),
        ("the head is the last position and the last run", """
            select 'head ' || h.position || '/' || h.run || ', log ' || e.n || '/' || r.n
            from heads h, (select count(*) as n from events where tenant_id = $1) e, (select count(*) as n from runs where tenant_id = $1) r
            where h.tenant_id = $1 and (h.position <> e.n or h.run <> r.n)
            """),
        ("runs are numbered densely", """
            select 'run ' || id || ' is the ' || n || 'th' from (
              select id, row_number() over (order by id) as n from runs where tenant_id = $1) r where id <> n
            """),
        ("time never falls", """
            select 'at ' || position from (
              select position, at, lag(at) over (order by position) as before from events where tenant_id = $1) e where at < before
            """),
        ("each event says what was there before it", """
            select 'position ' || position || ': ' || coalesce(previous::text, 'nothing') || ', but there was ' || coalesce(before::text, 'nothing') from (
              select position, previous, lag(value) over (partition by pid, key order by position) as before from events where tenant_id = $1) e
            where previous is distinct from before
            """),
        ("KVPs are the fold of the log", """
            select coalesce(k.pid, e.pid) || '.' || coalesce(k.key, e.key) || ': ' || coalesce(k.value::text, 'nothing') || ', but the log says ' || coalesce(e.value::text, 'nothing')
            from (select * from kvps where tenant_id = $1) k
            full join (
              select distinct on (pid, key) pid, key, value, position from events where tenant_id = $1 order by pid, key, position desc) e on e.pid = k.pid and e.key = k.key
            where k.value is distinct from e.value or (k.key is not null and k.position is distinct from e.position)
            """),
        ("whoever has a KVP is a process", """
            select 'process ' || pid from (select distinct pid from kvps where tenant_id = $1 and pid <> 0) k
            where not exists (select from processes p where p.tenant_id = $1 and p.pid = k.pid)
            """),
        ("what a rule changed is what its run says that it changed", """
            select 'position ' || e.position || ' by run ' || e.cause from events e left join runs r on r.tenant_id = e.tenant_id and r.id = e.cause
            where e.tenant_id = $1 and e.cause is not null
              and (r.id is null or e.source <> case when r.outcome <> 1 then 'quarantine' when r.rule like 'api/%' then 'api' else 'rule' end or e.position < r.first_position or e.position >= r.first_position + r.changes or e.root <> r.root)
            union all
            select 'run ' || r.id from runs r
            left join (select cause, count(*) as n from events where tenant_id = $1 group by 1) e on e.cause = r.id
            where r.tenant_id = $1 and r.changes <> coalesce(e.n, 0)
            """),
        ("no run is owed and no arrival waits", """
            select 'owed: ' || rule from wakings where tenant_id = $1
            union all
            select 'waits: ' || kvps from arrivals where tenant_id = $1
            """),
    ];

    public async Task ShouldBeSoundAsync(TenantId tenant)
    {
        var violations = new List<string>();
        foreach (var (law, sql) in Laws)
        {
            violations.AddRange((await TextsAsync(tenant, sql)).Take(5).Select(violation => $"{law}: {violation}"));
        }

        violations.ShouldBeEmpty();
    }

    /// <summary>The first column of what a statement finds. $1 is the tenant.</summary>
    public async Task<List<string>> TextsAsync(TenantId tenant, string sql)
    {
        await using var read = database.Superuser.CreateCommand(sql);
        read.CommandTimeout = 120;
        read.Parameters.Add(new() { Value = tenant.Value });
        await using var rows = await read.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var texts = new List<string>();
        while (await rows.ReadAsync(TestContext.Current.CancellationToken))
        {
            texts.Add(rows.GetValue(0).ToString()!);
        }

        return texts;
    }

    public async Task<long> CountAsync(TenantId tenant, string table) => long.Parse((await TextsAsync(tenant, $"select count(*) from {table} where tenant_id = $1"))[0], null);
}
