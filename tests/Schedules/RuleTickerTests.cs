using Eddy.Postgres;
using Eddy.Processes;
using Eddy.Schedules;
using Eddy.Tests.Egress;
using Microsoft.Extensions.Logging.Abstractions;

namespace Eddy.Tests.Schedules;

/// <summary>Ticks, lot by lot, without a worker: on a database of its own, by a clock that the test turns.</summary>
public sealed class RuleTickerTests(TestDatabase database)
{
    private static readonly DateTimeOffset Begin = new(2040, 5, 1, 10, 0, 0, TimeSpan.Zero);

    private readonly HandClock _clock = new() { Began = Begin };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_wakes_lot_after_lot_and_waits_until_the_line_has_taken_the_one_before()
    {
        await using var own = await database.OfItsOwnAsync();
        var tenant = await ScheduledAsync(own, 25);
        var ticker = Ticker(own, 10);

        foreach (var lot in (int[])[10, 10, 5])
        {
            (await ticker.TickAsync(Cancel)).ShouldBe(1);
            (await LineAsync(own, tenant)).Count.ShouldBe(lot);
            _clock.Pass(TimeSpan.FromMinutes(1));

            // The line has not taken them.
            await ticker.TickAsync(Cancel);
            (await LineAsync(own, tenant)).Count.ShouldBe(lot);
            await tenant.PrepareAsync("delete from arrivals where tenant_id = $1");
            // What comes now is for the next tick.
            await ProcessesAsync(tenant, 1000, 3);
            _clock.Pass(TimeSpan.FromMinutes(1));
        }

        (await ticker.TickAsync(Cancel)).ShouldBe(0);
        (await new TestLog(own).TextsAsync(tenant.Id, "select last_outcome || ' ' || last_count || ' ' || (tick_due is null) from rule_schedules where tenant_id = $1")).ShouldBe(["ran 25 true"]);
        (await ticker.NextAsync(Cancel)).ShouldBe(new DateTimeOffset(2041, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }

    [Fact]
    public async Task Several_workers_wake_each_process_once()
    {
        await using var own = await database.OfItsOwnAsync();
        var tenant = await ScheduledAsync(own, 300);
        var woken = new List<string>();
        var tickers = Enumerable.Range(0, 3).Select(_ => Ticker(own, 7)).ToList();

        while ((await new TestLog(own).TextsAsync(tenant.Id, "select 1 from rule_schedules where tenant_id = $1 and last_at is null")).Count > 0)
        {
            await Task.WhenAll(tickers.Select(ticker => ticker.TickAsync(Cancel)));
            woken.AddRange(await LineAsync(own, tenant));
            await tenant.PrepareAsync("delete from arrivals where tenant_id = $1");
            _clock.Pass(TimeSpan.FromSeconds(1));
        }

        woken.ShouldBe(Enumerable.Range(1, 300).Select(pid => $"{pid} scripts/a.py:yearly"));
    }

    [Fact]
    public async Task One_tenants_tick_finds_no_process_of_another()
    {
        await using var own = await database.OfItsOwnAsync();
        await ProcessesAsync(await TestTenant.MakeAsync(own), 1, 20);
        var tenant = await ScheduledAsync(own, 2);

        await Ticker(own, 10).TickAsync(Cancel);

        (await LineAsync(own, tenant)).Count.ShouldBe(2);
        (await new TestLog(own).TextsAsync(tenant.Id, "select 1 from arrivals where tenant_id <> $1")).ShouldBeEmpty();
    }

    private RuleTicker Ticker(TestDatabase own, int wakings) =>
        new(own.App, new ProcessFinder(new EddyDbs(own.App)), new SchedulesOptions { Wakings = wakings }, _clock, NullLogger<RuleTicker>.Instance);

    private static async Task<TestTenant> ScheduledAsync(TestDatabase own, int processes)
    {
        var tenant = await TestTenant.MakeAsync(own);
        await ProcessesAsync(tenant, 1, processes);
        await tenant.PrepareAsync("""
            insert into rule_schedules (tenant_id, rule, cron, time_zone, look_at, next_at) values ($1, 'scripts/a.py:yearly', '0 0 1 1 *', 'Etc/UTC', '2040-05-01T09:59:00Z', '2040-05-01T09:59:00Z')
            """);
        return tenant;
    }

    private static Task ProcessesAsync(TestTenant tenant, int first, int count) => tenant.PrepareAsync(
        $"insert into processes (tenant_id, pid, created_at) select $1, n, now() from generate_series({first}, {first + count - 1}) n on conflict do nothing");

    private static Task<List<string>> LineAsync(TestDatabase own, TestTenant tenant) => new TestLog(own).TextsAsync(
        tenant.Id, "select pid || ' ' || (waking::jsonb->>'rule') from arrivals where tenant_id = $1 order by id");
}
