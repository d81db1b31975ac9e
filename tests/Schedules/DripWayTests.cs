using System.Diagnostics;
using System.Net;
using System.Text.Json;

namespace Eddy.Tests.Schedules;

/// <summary>From a drip to the rules that it wakes, with real workers.</summary>
public sealed class DripWayTests(TestDatabase database, ITestOutputHelper output)
{
    private const string Report = """
        class report(Rule):
            listens_to = ["report"]

            def action(self):
                self.made = [event.actor, event.source, self.report, self.limit, self.drip_missed]
                shared.reports = (shared.reports or 0) + 1
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_drip_makes_a_process_with_its_KVPs_each_time_and_wakes_rules()
    {
        await using var drips = await TestDrips.MakeAsync(database);
        await using var web = await TestWeb.StartAsync(drips.Database);
        await using var worker = await TestWorker.StartAsync(drips.Database);
        var tenant = await TestTenant.MakeAsync(drips.Database, "Europe/Berlin");
        var caller = new TestCaller(tenant, tenant.Client(web));
        await caller.SaveAsync("scripts/report.py", Report);
        await drips.SaveAsync(tenant, "nightly", "30 2 * * *", "report := daily\nlimit := 90");

        drips.Clock.Pass(TimeSpan.FromDays(1));
        await drips.Ticker().TickAsync(Cancel);
        drips.Clock.Pass(TimeSpan.FromDays(2.5));
        await drips.Ticker().TickAsync(Cancel);
        await ReportsAsync(caller, 2);

        (await caller.ProcessAsync(1)).ToString().ShouldBe("""{"drip_due":{"$datetime":"2040-05-02T02:30:00+02:00"},"drip_missed":0,"limit":90,"made":["drip:nightly","drip","daily",90,0],"report":"daily"}""");
        (await caller.ProcessAsync(2)).GetProperty("made").ToString().ShouldBe("""["drip:nightly","drip","daily",90,1]""");
        var last = (await caller.GetAsync("/api/drips/nightly")).GetProperty("last");
        (last.GetProperty("outcome").GetString(), last.GetProperty("pid").GetInt64()).ShouldBe(("ran", 2));
        await new TestLog(drips.Database).ShouldBeSoundAsync(tenant.Id);
    }

    [Fact]
    public async Task Running_it_by_hand_runs_it_once_whether_it_is_on_or_off()
    {
        await using var drips = await TestDrips.MakeAsync(database);
        await using var web = await TestWeb.StartAsync(drips.Database);
        await using var worker = await TestWorker.StartAsync(drips.Database);
        var tenant = await TestTenant.MakeAsync(drips.Database);
        var caller = new TestCaller(tenant, tenant.Client(web));
        await caller.SaveAsync("scripts/report.py", Report);
        await caller.PutAsync("/api/drips/nightly", """{"cron": "0 0 1 1 *", "kvps": "report := now\nlimit := 1", "on": false}""").JsonAsync(HttpStatusCode.Created);

        var run = await caller.Http.PostAsync("/api/drips/nightly/run", null, Cancel).JsonAsync(HttpStatusCode.Accepted);
        await ReportsAsync(caller, 1);

        (await caller.ProcessAsync(run.GetProperty("pid").GetInt64())).GetProperty("made").ToString().ShouldBe("""["key:test","drip","now",1,null]""");
        (await caller.GetAsync("/api/drips/nightly")).GetProperty("last").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact, Trait("Category", "Long")]
    public async Task A_worker_sees_to_what_is_due_by_itself_and_two_of_them_share_it()
    {
        await using var own = await database.OfItsOwnAsync();
        await using var first = await TestWorker.StartAsync(own, "Schedules:Chunk=20", "Schedules:Poll=00:00:00.1");
        await using var second = await TestWorker.StartAsync(own, "Schedules:Chunk=20", "Schedules:Poll=00:00:00.1");
        var tenants = new List<TestTenant>();
        for (var i = 0; i < 5; i++)
        {
            tenants.Add(await TestTenant.MakeAsync(own));
        }

        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(tenants.Select(tenant => TestDrips.FillAsync(tenant, 200, "now() - interval '1 second'")));
        var log = new TestLog(own);
        foreach (var tenant in tenants)
        {
            await Patience.UntilAsync("all of them are processes", Patience.Long, async () => await log.CountAsync(tenant.Id, "processes") == 200 && await log.CountAsync(tenant.Id, "arrivals") == 0);
        }

        output.WriteLine($"1,000 due drips of 5 tenants, by two workers, from the insert until all are processes: {Stopwatch.GetElapsedTime(started).TotalMilliseconds:F0} ms");
        foreach (var tenant in tenants)
        {
            (await log.TextsAsync(tenant.Id, "select value::text from kvps where tenant_id = $1 and key = 'dripped' order by value::int")).ShouldBe(Enumerable.Range(1, 200).Select(n => $"{n}"));
            await log.ShouldBeSoundAsync(tenant.Id);
        }
    }

    [Fact, Trait("Category", "Long")]
    public async Task Workers_that_are_killed_lose_no_drip_and_run_none_twice()
    {
        await using var product = await TestProduct.StartAsync("Schedules__Chunk=5", "Schedules__Poll=00:00:00.1");
        await product.StartWorkerAsync("worker2");
        var tenants = new List<TestTenant>();
        for (var i = 0; i < 10; i++)
        {
            tenants.Add(await TestTenant.MakeAsync(product.Database));
        }

        foreach (var victim in new[] { "worker", "worker2", "postgres", "worker" })
        {
            // Due as a whole at this moment, and killed while they are being taken.
            await using (var due = product.Database.Superuser.CreateCommand("delete from schedules"))
            {
                await due.ExecuteNonQueryAsync(Cancel);
            }

            await Task.WhenAll(tenants.Select(tenant => TestDrips.FillAsync(tenant, 100, "now()")));
            await Patience.UntilAsync("some of them are taken", Patience.Long, async () => await CountAsync("select count(*) from schedules where last_at is not null") > 0);
            product.Kill(victim).ShouldBeTrue();
            await Patience.UntilAsync("all of them are taken", Patience.Long + Patience.Long, async () => await CountAsync("select count(*) from schedules where last_at is null") == 0);
        }

        await Patience.UntilAsync("all of them are processes", Patience.Long + Patience.Long, async () => await CountAsync("select count(*) from arrivals") == 0);
        var log = new TestLog(product.Database);
        foreach (var tenant in tenants)
        {
            (await log.TextsAsync(tenant.Id, "select value::text || ' ' || count(*) from kvps where tenant_id = $1 and key = 'dripped' group by value having count(*) <> 4")).ShouldBeEmpty();
            (await log.CountAsync(tenant.Id, "processes")).ShouldBe(400);
            (await log.CountAsync(tenant.Id, "refused")).ShouldBe(0);
            await log.ShouldBeSoundAsync(tenant.Id);
        }

        async Task<long> CountAsync(string sql)
        {
            try
            {
                await using var count = product.Database.Superuser.CreateCommand(sql);
                return (long)(await count.ExecuteScalarAsync(Cancel))!;
            }
            catch (Npgsql.NpgsqlException)
            {
                // It is being started again.
                return -1;
            }
        }
    }

    private static Task ReportsAsync(TestCaller caller, int count) =>
        Patience.UntilAsync($"{count} reports", Patience.Long, async () => (await caller.SharedAsync()).TryGetProperty("reports", out var reports) && reports.GetInt32() == count);
}
