using Eddy.Cascades;
using Eddy.Postgres;
using Npgsql;

namespace Eddy.Tests.Cascades;

/// <summary>What an arrival has led to, read whole and read fast, among many others.</summary>
public sealed class CascadeStoreTests(TestDatabase database) : IAsyncLifetime
{
    private const int Long = 10_000;

    private static readonly Guid Root = new("01a20941-f9f0-7989-ad4f-5e4983f1f43b");
    private static readonly Guid LongRoot = new("01a20941-f9f0-7989-ad4f-5e4983f10000");

    private TestDatabase _own = null!;
    private TestTenant _tenant = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _own = await database.OfItsOwnAsync();
        _tenant = await TestTenant.MakeAsync(_own);
        // A short cascade: two KVPs came in, run 1 changed one more. A long one of ten thousand runs, each with a change; and as many runs of other arrivals.
        await _tenant.PrepareAsync(
            $"""
            insert into events (tenant_id, position, at, pid, key, value, actor, source, cause, set_position, root)
            values ($1, 1, now(), 15, 'temperature', '95', 'key:test', 'post', null, 1, '{Root}'), ($1, 2, now(), 15, 'room', '"attic"', 'key:test', 'post', null, 1, '{Root}'),
                   ($1, 3, now(), 15, 'alert', '"Too hot"', 'key:test', 'rule', 1, 3, '{Root}')
            """);
        await _tenant.PrepareAsync(
            $"""
            insert into runs (tenant_id, id, at, rule, said_no, tree_version, pid, set_position, root, generation, outcome, first_position, changes, elapsed_us, cpu_us, log)
            values ($1, 1, now(), 'scripts/heat.py:high_temperature', null, 1, 15, 1, '{Root}', 1, 1, 3, 1, 100, 100, 'It is 95'), ($1, 2, now(), null, array['scripts/heat.py:cooled_down'], 1, 15, 1, '{Root}', 1, 0, null, 0, 100, 100, null)
            """);
        await _tenant.PrepareAsync(
            $"""
            insert into events (tenant_id, position, at, pid, key, value, actor, source, cause, set_position, root)
            select $1, 1000 + g, now(), 16, 'n', to_jsonb(g), 'key:test', case when g = 0 then 'post' else 'rule' end, nullif(1000 + g, 1000), 1000 + g, '{LongRoot}' from generate_series(0, {Long}) g
            """);
        await _tenant.PrepareAsync(
            $"""
            insert into runs (tenant_id, id, at, rule, tree_version, pid, set_position, root, generation, outcome, first_position, changes, elapsed_us, cpu_us)
            select $1, 1000 + g, now(), 'scripts/n.py:count', 1, 16, 1000 + g - 1, '{LongRoot}', 1, 1, 1000 + g, 1, 100, 100 from generate_series(1, {Long}) g
            union all
            select $1, 50000 + g, now(), 'scripts/n.py:other', 1, 17, 900000 + g, gen_random_uuid(), 1, 1, null, 0, 100, 100 from generate_series(1, {Long}) g
            """);
        await using var analyze = _own.Superuser.CreateCommand("analyze runs, events");
        await analyze.ExecuteNonQueryAsync(Cancel);
    }

    public async ValueTask DisposeAsync() => await _own.DisposeAsync();

    [Fact]
    public async Task A_cascade_is_what_came_in_its_runs_and_what_these_changed_and_told()
    {
        using var dbs = new EddyDbs(_own.App);
        var store = new CascadeStore(dbs);

        (await store.ReadArrivedAsync(_tenant.Id, Root, Cancel)).Select(one => one.Key).ShouldBe(["temperature", "room"]);
        var (runs, changes, more) = await store.ReadRunsAsync(_tenant.Id, Root, 0, 500, Cancel);
        runs.Select(run => run.Rule ?? string.Join(' ', run.SaidNo!)).ShouldBe(["scripts/heat.py:high_temperature", "scripts/heat.py:cooled_down"]);
        changes.ShouldHaveSingleItem().Key.ShouldBe("alert");
        more.ShouldBeFalse();
        (await store.ReadToldAsync(_tenant.Id, [1, 2], Cancel)).ShouldHaveSingleItem().Log.ShouldBe("It is 95");
    }

    [Fact]
    public async Task A_cascade_of_ten_thousand_runs_is_read_page_by_page_and_whole()
    {
        using var dbs = new EddyDbs(_own.App);
        var store = new CascadeStore(dbs);
        var (ran, changed) = (new List<long>(), new List<long>());
        for (var (after, more) = (0L, true); more;)
        {
            (var runs, var changes, more) = await store.ReadRunsAsync(_tenant.Id, LongRoot, after, 500, Cancel);
            runs.Count.ShouldBe(500);
            after = runs[^1].Id;
            ran.AddRange(runs.Select(run => run.Id));
            changed.AddRange(changes.Select(one => one.Position));
        }

        ran.ShouldBe(Enumerable.Range(1001, Long).Select(i => (long)i));
        changed.ShouldBe(Enumerable.Range(1001, Long).Select(i => (long)i));
    }

    [Theory]
    [InlineData("runs")]
    [InlineData("events")]
    public async Task A_page_of_it_is_found_by_its_root_and_reads_nothing_else(string table)
    {
        await using var connection = await _own.App.OpenConnectionAsync(Cancel);
        await using (var name = new NpgsqlCommand("select set_config('app.tenant_id', $1, false)", connection) { Parameters = { new() { Value = _tenant.Id.ToString() } } })
        {
            await name.ExecuteNonQueryAsync(Cancel);
        }

        await using var explain = new NpgsqlCommand($"explain (analyze, timing off, summary off) {(table == "runs" ? CascadeStore.RunsSql : CascadeStore.ArrivedSql)}", connection);
        explain.Parameters.Add(new() { Value = _tenant.Id.Value });
        explain.Parameters.Add(new() { Value = LongRoot });
        if (table == "runs")
        {
            explain.Parameters.Add(new() { Value = 1200L });
        }

        explain.Parameters.Add(new() { Value = 51 });
        var plan = new List<string>();
        await using (var rows = await explain.ExecuteReaderAsync(Cancel))
        {
            while (await rows.ReadAsync(Cancel))
            {
                plan.Add(rows.GetString(0));
            }
        }

        var told = string.Join('\n', plan);
        told.ShouldContain(table == "runs" ? "root_tenant_id_id_idx" : "root_tenant_id_position_idx", customMessage: told);
        told.ShouldNotContain("Rows Removed by Filter", customMessage: told);
    }

    [Fact]
    public async Task Another_tenant_finds_nothing_of_it()
    {
        var other = await TestTenant.MakeAsync(_own);
        using var dbs = new EddyDbs(_own.App);
        var store = new CascadeStore(dbs);

        (await store.ReadArrivedAsync(other.Id, Root, Cancel)).ShouldBeEmpty();
        (await store.ReadRunsAsync(other.Id, Root, 0, 500, Cancel)).Runs.ShouldBeEmpty();
        (await store.ReadToldAsync(other.Id, [1, 2], Cancel)).ShouldBeEmpty();
        var (deferred, quarantined) = await store.ReadStandingAsync(other.Id, Cancel);
        deferred.ShouldBeEmpty();
        quarantined.ShouldBeEmpty();
    }
}
