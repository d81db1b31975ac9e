using System.Diagnostics;
using Eddy.Kvps;
using Eddy.Postgres;
using Eddy.Schedules;
using Npgsql;

namespace Eddy.Tests.Schedules;

/// <summary>What is due runs, once, whoever sees to it; the clock is turned by hand.</summary>
public sealed class ClockTests(TestDatabase database, ITestOutputHelper output)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_drip_runs_at_its_time_and_not_before_and_not_twice()
    {
        await using var drips = await TestDrips.MakeAsync(database, "2040-05-01T10:59:00Z");
        var tenant = await TestTenant.MakeAsync(drips.Database, "Europe/Berlin");
        var saved = await drips.SaveAsync(tenant, "hourly", "0 * * * *", "report := hourly\nn := 1");
        var ticker = drips.Ticker();
        saved.NextAt.ShouldBe(DateTimeOffset.Parse("2040-05-01T11:00Z"));

        drips.Clock.Pass(TimeSpan.FromSeconds(59));
        (await ticker.TickAsync(Cancel)).ShouldBe(0);
        drips.Clock.Pass(TimeSpan.FromSeconds(1));
        (await ticker.TickAsync(Cancel)).ShouldBe(1);
        (await ticker.TickAsync(Cancel)).ShouldBe(0);

        (await drips.LineAsync()).ShouldBe([("drip:hourly", "drip", """[["report","hourly"],["n",1]]""")]);
        var after = await drips.FindAsync(tenant, "hourly");
        after.NextAt.ShouldBe(DateTimeOffset.Parse("2040-05-01T12:00Z"));
        after.Version.ShouldBe(saved.Version);
        after.Last.ShouldBe(new LastDue(saved.NextAt!.Value, saved.NextAt!.Value, "ran", null, 1, after.Last!.Arrival));
        (await ticker.NextAsync(Cancel)).ShouldBe(after.NextAt);
    }

    [Fact]
    public async Task The_clock_wakes_when_a_drip_is_due_and_finds_one_that_was_saved_meanwhile()
    {
        await using var drips = await TestDrips.MakeAsync(database, "2040-05-01T10:00:30Z");
        var tenant = await TestTenant.MakeAsync(drips.Database);
        using var stop = new CancellationTokenSource();
        var running = drips.Ticking().RunAsync(stop.Token);
        await drips.SaveAsync(tenant, "a", "1 10 * * *", "a := 1");

        drips.Clock.Pass(TimeSpan.FromSeconds(30));
        await ShownAsync(1);
        await drips.SaveAsync(tenant, "b", "2 10 * * *", "b := 1");
        drips.Clock.Pass(TimeSpan.FromSeconds(59));
        (await drips.FindAsync(tenant, "b")).Last.ShouldBeNull();
        drips.Clock.Pass(TimeSpan.FromSeconds(1));
        await ShownAsync(2);
        await stop.CancelAsync();
        await running;

        (await drips.LineAsync()).Select(arrival => arrival.Kvps).ShouldBe(["""[["a",1]]""", """[["b",1]]"""]);

        // It may have been about to look when the time passed: then its next look is a moment later.
        Task ShownAsync(int count) => Patience.UntilAsync($"{count} have run", Patience.Long, async () =>
        {
            drips.Clock.Pass(TimeSpan.FromMilliseconds(1));
            return (await drips.LineAsync()).Count == count;
        });
    }

    [Fact]
    public async Task A_drip_at_half_past_two_runs_once_on_the_days_when_the_clocks_change()
    {
        await using var drips = await TestDrips.MakeAsync(database, "2040-03-24T00:00:00Z");
        var tenant = await TestTenant.MakeAsync(drips.Database, "Europe/Berlin");
        await drips.SaveAsync(tenant, "nightly", "30 2 * * *", "night := 1");
        var ticker = drips.Ticker();

        // Spring is on 25 March 2040, autumn on 28 October; each ten minutes of these nights are looked at.
        (await NightAsync()).ShouldBe(["2040-03-24 01:30"]);
        (await NightAsync()).ShouldBe(["2040-03-25 01:00"]);
        (await NightAsync()).ShouldBe(["2040-03-26 00:30"]);
        drips.Clock.Pass(DateTimeOffset.Parse("2040-10-27T00:00Z") - drips.Clock.GetUtcNow());
        await TestDrips.TickAllAsync(ticker);
        (await NightAsync()).ShouldBe(["2040-10-27 00:30"]);
        (await NightAsync()).ShouldBe(["2040-10-28 00:30"]);
        (await NightAsync()).ShouldBe(["2040-10-29 01:30"]);

        async Task<List<string>> NightAsync()
        {
            var runs = new List<string>();
            for (var i = 0; i < 24 * 6; i++)
            {
                drips.Clock.Pass(TimeSpan.FromMinutes(10));
                if (await ticker.TickAsync(Cancel) > 0)
                {
                    runs.Add($"{drips.Clock.GetUtcNow():yyyy-MM-dd HH:mm}");
                }
            }

            return runs;
        }
    }

    [Fact]
    public async Task What_was_missed_during_a_stop_runs_once_and_says_so()
    {
        await using var drips = await TestDrips.MakeAsync(database);
        var tenant = await TestTenant.MakeAsync(drips.Database, "Europe/Berlin");
        await drips.SaveAsync(tenant, "hourly", "0 * * * *", "n := 1");
        await drips.SaveAsync(tenant, "daily", "30 12 * * *", "m := 1");
        await drips.SaveAsync(tenant, "always", "* * * * *", "o := 1");
        var ticker = drips.Ticker();

        drips.Clock.Pass(TimeSpan.FromHours(3.2));
        (await TestDrips.TickAllAsync(ticker)).ShouldBe(3);
        drips.Clock.Pass(TimeSpan.FromHours(0.8));
        await TestDrips.TickAllAsync(ticker);
        drips.Clock.Pass(TimeSpan.FromDays(30));
        await TestDrips.TickAllAsync(ticker);

        var line = (await drips.LineAsync()).ToLookup(arrival => arrival.Actor, arrival => arrival.Kvps);
        line["drip:hourly"].ShouldBe(
        [
            """[["n",1],["drip_due",{"$datetime":"2040-05-01T13:00:00+02:00"}],["drip_missed",2]]""",
            """[["n",1]]""",
            """[["n",1],["drip_due",{"$datetime":"2040-05-01T17:00:00+02:00"}],["drip_missed",719]]""",
        ]);
        line["drip:daily"].First().ShouldBe("""[["m",1],["drip_due",{"$datetime":"2040-05-01T12:30:00+02:00"}],["drip_missed",0]]""");
        // Thirty days of minutes are more than are counted.
        line["drip:always"].Last().ShouldEndWith("""["drip_missed",1000]]""");
        (await drips.FindAsync(tenant, "always")).NextAt.ShouldBe(drips.Clock.GetUtcNow().AddMinutes(1));
    }

    [Fact]
    public async Task What_is_off_or_deleted_does_not_run()
    {
        await using var drips = await TestDrips.MakeAsync(database);
        var tenant = await TestTenant.MakeAsync(drips.Database);
        await drips.SaveAsync(tenant, "off", "* * * * *", "n := 1", isOn: false);
        await drips.SaveAsync(tenant, "turned_off", "* * * * *", "n := 2");
        await drips.SaveAsync(tenant, "deleted", "* * * * *", "n := 3");
        await drips.SaveAsync(tenant, "stays", "* * * * *", "n := 4");
        var ticker = drips.Ticker();
        drips.Clock.Pass(TimeSpan.FromHours(1));

        (await drips.SaveAsync(tenant, "turned_off", "* * * * *", "n := 2", isOn: false)).NextAt.ShouldBeNull();
        await drips.Store.DeleteAsync(tenant.Id, "deleted", WriteCondition.None, Cancel);
        (await TestDrips.TickAllAsync(ticker)).ShouldBe(1);
        (await drips.LineAsync()).Select(arrival => arrival.Actor).ShouldBe(["drip:stays"]);

        // What was due while it was off is not made up for.
        (await drips.SaveAsync(tenant, "off", "* * * * *", "n := 1")).NextAt.ShouldBe(drips.Clock.GetUtcNow().AddMinutes(1));
    }

    [Fact]
    public async Task A_saving_that_leaves_the_times_leaves_what_is_due()
    {
        await using var drips = await TestDrips.MakeAsync(database);
        var tenant = await TestTenant.MakeAsync(drips.Database);
        var saved = await drips.SaveAsync(tenant, "a", "0 * * * *", "n := 1");
        drips.Clock.Pass(TimeSpan.FromHours(2));

        var text = await drips.SaveAsync(tenant, "a", "0 * * * *", "n := 2");
        var same = await drips.SaveAsync(tenant, "a", "0 * * * *", "n := 2", zone: "UTC");
        var zone = await drips.SaveAsync(tenant, "a", "0 12 * * *", "n := 2", zone: "Asia/Kolkata");

        text.NextAt.ShouldBe(saved.NextAt);
        same.NextAt.ShouldBe(saved.NextAt);
        zone.NextAt.ShouldBe(DateTimeOffset.Parse("2040-05-02T12:00+05:30"));
        new[] { saved, text, same, zone }.Select(drip => drip.Version).ShouldBeInOrder(SortDirection.Ascending);
    }

    [Fact]
    public async Task One_that_ran_by_a_clock_that_is_ahead_is_not_due_again_for_the_same_time()
    {
        await using var drips = await TestDrips.MakeAsync(database, "2040-05-01T10:59:59Z");
        var tenant = await TestTenant.MakeAsync(drips.Database);
        await drips.SaveAsync(tenant, "a", "0 * * * *", "n := 1");
        var behind = new DripStore(new EddyDbs(drips.Database.App), new Egress.HandClock { Began = drips.Clock.GetUtcNow() });
        drips.Clock.Pass(TimeSpan.FromSeconds(1));
        await drips.Ticker().TickAsync(Cancel);

        Cadence.TryParse("0 */1 * * *", out var other, out _).ShouldBeTrue();
        var saved = await behind.SaveAsync(tenant.Id, "a", new NewDrip(other!, null, "n := 1", [new Change("n", "1")], true), "key:test", WriteCondition.None, Cancel);

        saved.ShouldBeOfType<DripOutcome.Saved>().Drip.NextAt.ShouldBe(DateTimeOffset.Parse("2040-05-01T12:00Z"));
    }

    [Fact]
    public async Task A_tenant_with_too_much_waiting_is_refused_and_stops_nobody_else()
    {
        await using var drips = await TestDrips.MakeAsync(database);
        var (full, other) = (await TestTenant.MakeAsync(drips.Database), await TestTenant.MakeAsync(drips.Database));
        await drips.SaveAsync(full, "a", "* * * * *", "n := 1");
        await drips.SaveAsync(other, "a", "* * * * *", "n := 1");
        await full.PrepareAsync("""
            insert into arrivals (shard, tenant_id, arrival, pid, wake_pid, fresh, kvps, actor, source, received_at)
            select get_byte(uuid_send($1), 15) & 63, $1, gen_random_uuid(), 1, 1, false, '[["x",1]]', 'key:test', 'post', now() from generate_series(1, 10)
            """);
        var ticker = drips.Ticker(new SchedulesOptions { TenantBacklog = 10 });

        drips.Clock.Pass(TimeSpan.FromMinutes(1));
        (await TestDrips.TickAllAsync(ticker)).ShouldBe(2);
        drips.Clock.Pass(TimeSpan.FromMinutes(1));
        await TestDrips.TickAllAsync(ticker);

        var refused = await drips.FindAsync(full, "a");
        refused.Last!.Outcome.ShouldBe("refused");
        refused.Last.Reason.ShouldBe("More of this tenant's events are waiting than may, so this one was not added.");
        refused.Last.Pid.ShouldBeNull();
        refused.Missed.ShouldBe(2);
        refused.NextAt.ShouldBe(drips.Clock.GetUtcNow().AddMinutes(1));
        (await drips.FindAsync(other, "a")).Last!.Outcome.ShouldBe("ran");

        await full.PrepareAsync("delete from arrivals where tenant_id = $1");
        drips.Clock.Pass(TimeSpan.FromMinutes(1));
        await TestDrips.TickAllAsync(ticker);
        (await drips.LineAsync(full.Id)).Single().Kvps.ShouldBe("""[["n",1],["drip_due",{"$datetime":"2040-05-01T10:03:00+00:00"}],["drip_missed",2]]""");
        (await drips.FindAsync(full, "a")).Missed.ShouldBe(0);
    }

    [Fact]
    public async Task One_that_can_not_be_stored_or_read_any_more_stops_no_other()
    {
        await using var drips = await TestDrips.MakeAsync(database);
        var tenant = await TestTenant.MakeAsync(drips.Database);
        for (var i = 0; i < 40; i++)
        {
            await drips.SaveAsync(tenant, $"d{i}", "* * * * *", i == 23 ? "poison := 1" : $"n := {i}");
        }

        await drips.SaveAsync(tenant, "moved", "* * * * *", "n := 1", zone: "Europe/Berlin");
        await tenant.PrepareAsync("update schedules set time_zone = 'Europe/Atlantis' where tenant_id = $1 and name = 'moved'");
        await tenant.PrepareAsync("update schedules set cron = 'whenever' where tenant_id = $1 and name = 'd0'");
        await using (var poison = drips.Database.Superuser.CreateCommand("alter table arrivals add constraint poison check (kvps not like '%poison%')"))
        {
            await poison.ExecuteNonQueryAsync(Cancel);
        }

        drips.Clock.Pass(TimeSpan.FromMinutes(1));
        (await TestDrips.TickAllAsync(drips.Ticker())).ShouldBe(41);

        (await drips.LineAsync()).Count.ShouldBe(38);
        var failed = await drips.FindAsync(tenant, "d23");
        failed.Last!.Outcome.ShouldBe("failed");
        failed.Last.Reason.ShouldBe("It could not be stored. It is tried again when it is due next.");
        failed.NextAt.ShouldBe(drips.Clock.GetUtcNow().AddMinutes(1));
        (await drips.FindAsync(tenant, "moved")).Last!.Reason.ShouldNotBeNull().ShouldContain("Europe/Atlantis");
        (await drips.FindAsync(tenant, "d0")).NextAt.ShouldBeNull();
    }

    [Fact]
    public async Task Clocks_side_by_side_never_take_one_drip_twice()
    {
        await using var drips = await TestDrips.MakeAsync(database);
        for (var i = 0; i < 5; i++)
        {
            await TestDrips.FillAsync(await TestTenant.MakeAsync(drips.Database), 200, "now()");
        }

        var counts = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () => await TestDrips.TickAllAsync(drips.Ticker(new SchedulesOptions { Chunk = 7 })), Cancel)));

        counts.Sum().ShouldBe(1000);
        (await drips.LineAsync()).Count.ShouldBe(1000);
        await using var pids = drips.Database.Superuser.CreateCommand("select count(distinct (tenant_id, pid)) from arrivals");
        (await pids.ExecuteScalarAsync(Cancel)).ShouldBe(1000L);
    }

    [Fact]
    public async Task A_saving_waits_for_whoever_has_taken_the_drip_and_others_pass_it_by()
    {
        await using var drips = await TestDrips.MakeAsync(database);
        var tenant = await TestTenant.MakeAsync(drips.Database);
        await drips.SaveAsync(tenant, "a", "* * * * *", "n := 1");
        drips.Clock.Pass(TimeSpan.FromMinutes(1));
        await using var connection = await drips.Database.App.OpenConnectionAsync(Cancel);
        await using var transaction = await connection.BeginTransactionAsync(Cancel);
        await using (var take = new NpgsqlCommand("select count(*) from take_due($1, 10)", connection) { Parameters = { new() { Value = drips.Clock.GetUtcNow() } } })
        {
            (await take.ExecuteScalarAsync(Cancel)).ShouldBe(1L);
        }

        (await drips.Ticker().TickAsync(Cancel)).ShouldBe(0);
        var saving = drips.SaveAsync(tenant, "a", "0 0 * * *", "n := 2");
        await Patience.UntilAsync("the saving waits", Patience.Long, async () =>
        {
            await using var waits = drips.Database.Superuser.CreateCommand("select count(*) from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database()");
            return (long)(await waits.ExecuteScalarAsync(Cancel))! > 0;
        });
        saving.IsCompleted.ShouldBeFalse();
        // Its worker is killed: the server takes back what it had begun.
        await transaction.RollbackAsync(Cancel);

        (await saving).NextAt.ShouldBe(DateTimeOffset.Parse("2040-05-02T00:00Z"));
        (await drips.LineAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Ten_thousand_due_drips_of_many_tenants_are_taken_in_chunks()
    {
        await using var drips = await TestDrips.MakeAsync(database);
        for (var i = 0; i < 40; i++)
        {
            await TestDrips.FillAsync(await TestTenant.MakeAsync(drips.Database), 250, "'2040-05-01T10:00Z'");
        }

        var ticker = drips.Ticker();
        var chunks = new List<int>();
        var started = Stopwatch.GetTimestamp();
        for (int count; (count = await ticker.TickAsync(Cancel)) > 0;)
        {
            chunks.Add(count);
        }

        var took = Stopwatch.GetElapsedTime(started);
        output.WriteLine($"10,000 due drips of 40 tenants: {took.TotalMilliseconds:F0} ms, {took.TotalMilliseconds / 10:F0} ms for 1,000");
        chunks.ShouldBe(Enumerable.Repeat(500, 20));
        (await drips.LineAsync()).Count.ShouldBe(10_000);
        (await ticker.NextAsync(Cancel)).ShouldBe(DateTimeOffset.Parse("2041-01-01T00:00Z"));
    }

    [Fact]
    public async Task What_is_due_is_found_by_the_index_however_many_are_not()
    {
        await using var drips = await TestDrips.MakeAsync(database);
        for (var i = 0; i < 20; i++)
        {
            await TestDrips.FillAsync(await TestTenant.MakeAsync(drips.Database), 500, "'2041-01-01T00:00Z'");
        }

        var tenant = await TestTenant.MakeAsync(drips.Database);
        await TestDrips.FillAsync(tenant, 3, "'2040-05-01T10:00Z'");
        await using (var analyze = drips.Database.Superuser.CreateCommand("analyze schedules"))
        {
            await analyze.ExecuteNonQueryAsync(Cancel);
        }

        // The counts of this transaction alone.
        await using var connection = await drips.Database.App.OpenConnectionAsync(Cancel);
        await using var transaction = await connection.BeginTransactionAsync(Cancel);
        (await AskAsync("select count(*) from take_due('2040-05-01T10:00Z', 500)")).ShouldBe(3);
        (await AskAsync("select extract(year from next_drip())::bigint")).ShouldBe(2040);
        await AskAsync($"""
            select count(note_due(array['{tenant.Id}'::uuid], '{"{d1}"}', array[now()], array[now()], now(), '{"{ran}"}', '{"{null}"}', '{"{1}"}', array[gen_random_uuid()], '{"{0}"}'))
            """);

        (await AskAsync("select seq_scan from pg_stat_xact_user_tables where relname = 'schedules'")).ShouldBe(0);
        (await AskAsync("select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'schedules'")).ShouldBeInRange(5, 20);

        async Task<long> AskAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            return (long)(await command.ExecuteScalarAsync(Cancel))!;
        }
    }
}
