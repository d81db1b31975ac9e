using System.Text.Json;
using Eddy.Schedules;
using Eddy.Tests.Egress;

namespace Eddy.Tests.Flow;

/// <summary>Rules that say when they run: debounce, throttle, per, retry. The waits are an hour; a test makes them due.</summary>
public sealed class FlowTests(FlowWay way) : IClassFixture<FlowWay>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Debounce_runs_once_when_its_key_has_been_quiet_that_long()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Noting("debounce = '1h'")));
        var pid = (await caller.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();
        await caller.SettleAsync("""{"n": 2}""", $"?pid={pid}");
        await caller.SettleAsync("""{"n": 3, "m": 1}""", $"?pid={pid}");
        var other = (await caller.SettleAsync("""{"n": 9}""")).GetProperty("pid").GetInt64();

        var waits = await DeferredAsync(caller);
        waits.Select(run => (run.GetProperty("pid").GetInt64(), run.GetProperty("wakings").GetInt32())).ShouldBe([(pid, 3), (other, 1)]);
        waits.ShouldAllBe(run => run.GetProperty("kind").GetString() == "debounce");
        var since = waits[0].GetProperty("since").GetDateTimeOffset();
        waits[0].GetProperty("due").GetDateTimeOffset().ShouldBeGreaterThan(since.AddHours(1));

        await DueAsync(caller);

        (await caller.ProcessAsync(pid)).GetProperty("noted").ToString().ShouldBe("""[[3,2,"post","key:test"]]""");
        (await caller.ProcessAsync(other)).GetProperty("noted").ToString().ShouldBe("""[[9,null,"post","key:test"]]""");
        await SoundAsync(caller);
    }

    [Fact]
    public async Task A_debounced_rule_runs_by_itself_when_it_is_due()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Noting("debounce = '100ms'")));

        var pid = (await caller.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();

        await Patience.UntilAsync("it has run", Patience.Long, async () => (await caller.ProcessAsync(pid)).TryGetProperty("noted", out _));
        await SoundAsync(caller);
    }

    [Fact]
    public async Task Throttle_runs_so_often_at_once_and_then_in_the_order_of_what_came()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Noting("throttle = '2/h'")));
        var pid = (await caller.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();
        for (var n = 2; n <= 5; n++)
        {
            await caller.SettleAsync($$"""{"n": {{n}}}""", $"?pid={pid}");
        }

        await QuietAsync(caller);
        Noted(await caller.ProcessAsync(pid)).ShouldBe([1, 2]);
        var waits = await DeferredAsync(caller);
        var due = waits.ConvertAll(run => run.GetProperty("due").GetDateTimeOffset());
        waits.Count.ShouldBe(3);
        due.ShouldBeInOrder();
        // The third an hour after the first, the fourth after the second, and the fifth after the third.
        (due[2] - due[0]).ShouldBe(TimeSpan.FromHours(1));
        (due[1] - due[0]).ShouldBeLessThan(TimeSpan.FromMinutes(5));
        (due[0] - waits[0].GetProperty("since").GetDateTimeOffset()).ShouldBeInRange(TimeSpan.FromMinutes(55), TimeSpan.FromHours(1));

        await DueAsync(caller);

        Noted(await caller.ProcessAsync(pid)).ShouldBe([1, 2, 3, 4, 5]);
        await SoundAsync(caller);
    }

    [Fact]
    public async Task Per_tells_streams_apart_by_a_KVP()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Noting("throttle = '1/h'\n    per = 'room'")));
        var pids = new List<long>();
        foreach (var room in (string[])["a", "b", "a", "b", "c"])
        {
            pids.Add((await caller.SettleAsync($$"""{"n": 1, "room": "{{room}}"}""")).GetProperty("pid").GetInt64());
        }

        pids.Add((await caller.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64());
        await QuietAsync(caller);

        var waits = await DeferredAsync(caller);
        waits.Select(run => run.GetProperty("pid").GetInt64()).ShouldBe([pids[2], pids[3]]);
        waits.Select(run => run.GetProperty("stream").GetString()).ShouldBe(["\"a\"", "\"b\""]);
        foreach (var pid in (long[])[pids[0], pids[1], pids[4], pids[5]])
        {
            Noted(await caller.ProcessAsync(pid)).ShouldBe([1]);
        }
    }

    [Fact]
    public async Task Retry_tries_again_after_growing_pauses_and_only_then_goes_into_quarantine()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class stubborn(Rule):
                listens_to = ["n"]
                retry = 2

                def action(self):
                    self.gone = 1
                    raise Retry(f"not yet, {self.word}")
            """));
        var pid = (await caller.SettleAsync("""{"n": 1, "word": "one"}""")).GetProperty("pid").GetInt64();

        foreach (var (attempt, seconds) in ((int, int)[])[(1, 10), (2, 40)])
        {
            var waits = (await DeferredAsync(caller)).ShouldHaveSingleItem();
            waits.GetProperty("kind").GetString().ShouldBe("retry");
            waits.GetProperty("attempt").GetInt32().ShouldBe(attempt);
            (waits.GetProperty("due").GetDateTimeOffset() - waits.GetProperty("since").GetDateTimeOffset()).ShouldBe(TimeSpan.FromSeconds(seconds));
            (await caller.ProcessAsync(pid)).ToString().ShouldBe("""{"n":1,"word":"one"}""");
            await DueAsync(caller);
        }

        (await DeferredAsync(caller)).ShouldBeEmpty();
        (await caller.ProcessAsync(pid)).GetProperty("quarantine_error").GetString().ShouldBe("Retry: not yet, one");
        (await caller.GetAsync($"/api/runs?pid={pid}&outcome=failed")).GetProperty("runs").GetArrayLength().ShouldBe(3);
        (await caller.GetAsync("/api/quarantine/runs")).GetProperty("runs").GetArrayLength().ShouldBe(1);
        await SoundAsync(caller);
    }

    [Fact]
    public async Task A_retry_that_ends_well_leaves_nothing_behind()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class stubborn(Rule):
                listens_to = ["n"]
                retry = 5

                def action(self):
                    if not self.ready:
                        raise Retry("not yet")
                    self.done = [event.value, event.previous]
            """));
        var pid = (await caller.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();
        await caller.SettleAsync("""{"ready": true}""", $"?pid={pid}");

        await DueAsync(caller);

        (await caller.ProcessAsync(pid)).GetProperty("done").ToString().ShouldBe("[1,null]");
        (await DeferredAsync(caller)).ShouldBeEmpty();
        (await caller.GetAsync("/api/quarantine/runs")).GetProperty("runs").GetArrayLength().ShouldBe(0);
        await SoundAsync(caller);
    }

    [Fact]
    public async Task An_error_that_nobody_asked_to_try_again_goes_into_quarantine_at_once()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class stubborn(Rule):
                listens_to = ["n"]
                retry = 5

                def action(self):
                    1 / 0

            class plain(Rule):
                listens_to = ["n"]

                def action(self):
                    raise Retry("without a number of times")
            """));

        await caller.SettleAsync("""{"n": 1}""");

        (await DeferredAsync(caller)).ShouldBeEmpty();
        (await caller.GetAsync("/api/quarantine/runs")).GetProperty("runs").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task A_call_that_failed_in_transit_is_tried_again()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class calls(Rule):
                listens_to = ["n"]
                retry = 1

                def action(self):
                    http.get("http://nowhere.invalid/")
            """));

        await caller.SettleAsync("""{"n": 1}""");

        (await DeferredAsync(caller)).ShouldHaveSingleItem().GetProperty("kind").GetString().ShouldBe("retry");
        await DueAsync(caller);
        await Patience.UntilAsync("it is given up", Patience.Long, async () => (await caller.GetAsync("/api/quarantine/runs")).GetProperty("runs").GetArrayLength() == 1);
        (await DeferredAsync(caller)).ShouldBeEmpty();
        await SoundAsync(caller);
    }

    [Fact]
    public async Task A_rule_that_is_gone_or_off_when_its_run_is_due_does_not_run()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Noting("debounce = '1h'")), ("scripts/b.py", Noting("debounce = '1h'").Replace("note(", "off(", StringComparison.Ordinal)));
        var pid = (await caller.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();
        using var deleted = await caller.Http.DeleteAsync("/api/files/scripts/a.py", Cancel);
        using var off = await caller.PutAsync("/api/rules/off?rule=scripts/b.py:off", "");
        off.IsSuccessStatusCode.ShouldBeTrue();

        await DueAsync(caller);

        (await caller.ProcessAsync(pid)).ToString().ShouldBe("""{"n":1}""");
        (await caller.GetAsync("/api/quarantine/runs")).GetProperty("runs").EnumerateArray().ShouldHaveSingleItem().GetProperty("kind").GetString().ShouldBe("off");
        await SoundAsync(caller);
    }

    [Fact]
    public async Task Two_clocks_wake_each_run_once()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Noting("debounce = '1h'")));
        await caller.SendAsync(JsonSerializer.Serialize(Enumerable.Range(0, 300).Select(n => new { n })));
        await QuietAsync(caller);
        (await DeferredAsync(caller)).Count.ShouldBe(300);
        await caller.Tenant.PrepareAsync("update deferred set due = '2040-01-01' where tenant_id = $1");
        var clock = new HandClock { Began = new DateTimeOffset(2040, 1, 2, 0, 0, 0, TimeSpan.Zero) };
        var tickers = Enumerable.Range(0, 2).Select(_ => new DeferredTicker(way.Database.App, new SchedulesOptions { Chunk = 7 }, clock)).ToList();

        await Task.WhenAll(tickers.Select(async ticker =>
        {
            while (await ticker.TickAsync(Cancel) > 0)
            {
            }
        }));

        (await DeferredAsync(caller)).ShouldBeEmpty();
        await QuietAsync(caller);
        var runs = await new TestLog(way.Database).TextsAsync(caller.Tenant.Id, "select pid from runs where tenant_id = $1");
        runs.Count.ShouldBe(300);
        runs.Distinct().Count().ShouldBe(300);
        await SoundAsync(caller);
    }

    [Fact]
    public async Task Whom_a_cascade_acts_for_is_kept_over_the_pause()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class choose(Rule):
                listens_to = ["n"]

                def action(self):
                    self.last_actor = "ann@acme.test"
                    self.chosen = True

            class late(Rule):
                listens_to = ["chosen"]
                debounce = "1h"

                def action(self):
                    self.seen = self.last_actor
            """));
        var pid = (await caller.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();

        await DueAsync(caller);

        (await caller.ProcessAsync(pid)).GetProperty("seen").GetString().ShouldBe("ann@acme.test");
    }

    [Fact]
    public async Task Another_tenant_sees_none_of_it()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Noting("debounce = '1h'")));
        await caller.SettleAsync("""{"n": 1}""");

        (await DeferredAsync(await way.CallerAsync())).ShouldBeEmpty();
    }

    private static string Noting(string setting) => $"""
        class note(Rule):
            listens_to = ["n"]
            {setting}

            def action(self):
                self.noted = (self.noted or []) + [[event.value, event.previous, event.source, self.last_actor]]
        """;

    private static IEnumerable<int> Noted(JsonElement kvps) => kvps.GetProperty("noted").EnumerateArray().Select(one => one[0].GetInt32());

    private static async Task<List<JsonElement>> DeferredAsync(TestCaller caller) => [.. (await caller.GetAsync("/api/runs/deferred?limit=500")).GetProperty("runs").EnumerateArray()];

    /// <summary>Makes what is put off due, and waits until all that is done.</summary>
    private async Task DueAsync(TestCaller caller)
    {
        await caller.Tenant.PrepareAsync("update deferred set due = due - interval '1 day' where tenant_id = $1");
        await Patience.UntilAsync("the clock has seen it", Patience.Long, async () =>
            (await new TestLog(way.Database).TextsAsync(caller.Tenant.Id, "select id from deferred where tenant_id = $1 and due < now()")).Count == 0);
        await QuietAsync(caller);
    }

    private Task QuietAsync(TestCaller caller) => Patience.UntilAsync("nothing waits", Patience.Long, async () =>
        (await new TestLog(way.Database).TextsAsync(caller.Tenant.Id, "select id from arrivals where tenant_id = $1 union all select id from wakings where tenant_id = $1")).Count == 0);

    private Task SoundAsync(TestCaller caller) => new TestLog(way.Database).ShouldBeSoundAsync(caller.Tenant.Id);
}

/// <summary>A way with no other tenants: a test's clock is years ahead, for all of them.</summary>
public sealed class FlowWay(TestDatabase database) : TestWay(database)
{
    protected override bool IsShared => false;
}
