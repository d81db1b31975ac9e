using System.Text.Json;

namespace Eddy.Tests.Schedules;

/// <summary>Rules that wake by the clock. They are due once a year; a test makes them due.</summary>
public sealed class RuleScheduleTests(TestWay way) : IClassFixture<TestWay>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_wakes_for_every_process_of_the_tenant()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Yearly()));
        await way.CallerAsync(("scripts/a.py", Yearly()));
        var pids = await FillAsync(caller, 450, n => $$"""{"n": {{n}}}""");

        await TickAsync(caller, "2026-01-01T00:00:00Z");

        var counts = await new TestLog(way.Database).TextsAsync(caller.Tenant.Id, "select pid || ' ' || value::text from kvps where tenant_id = $1 and key = 'times' order by pid");
        counts.ShouldBe(pids.Select(pid => $"{pid} 1"));
        (await caller.ProcessAsync(pids[7])).GetProperty("seen").ToString().ShouldBe(
            """[null,null,null,"schedule","schedule:scripts/a.py:yearly","schedule:scripts/a.py:yearly",{"$datetime":"2026-01-01T00:00:00+00:00[UTC]"},null]""");
        var last = (await ScheduleAsync(caller)).GetProperty("last");
        (last.GetProperty("outcome").GetString(), last.GetProperty("count").GetInt64()).ShouldBe(("ran", 450));
        await SoundAsync(caller);
    }

    [Fact]
    public async Task Schedule_where_narrows_it()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Yearly("schedule_where = {'kind': 'invoice', 'total__gt': 10}")));
        var pids = await FillAsync(caller, 30, n => $$"""{"kind": "{{(n % 2 == 0 ? "invoice" : "order")}}", "total": {{n}}}""");

        await TickAsync(caller);

        foreach (var (pid, n) in pids.Select((pid, n) => (pid, n)))
        {
            (await caller.ProcessAsync(pid)).TryGetProperty("times", out _).ShouldBe(n % 2 == 0 && n > 10);
        }

        (await ScheduleAsync(caller)).GetProperty("where").ToString().ShouldBe("""{"kind":"invoice","total__gt":10}""");
    }

    [Fact]
    public async Task With_listens_to_both_apply_and_its_check_decides()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class both(Rule):
                listens_to = ["n"]
                schedule = "0 0 1 1 *"

                def check(self):
                    return self.n > 1

                def action(self):
                    self.by = (self.by or []) + [event.source]
            """));
        var pids = await FillAsync(caller, 3, n => $$"""{"n": {{n}}}""");

        await TickAsync(caller);

        (await caller.ProcessAsync(pids[2])).GetProperty("by").ToString().ShouldBe("""["post","schedule"]""");
        (await caller.ProcessAsync(pids[1])).ToString().ShouldBe("""{"n":1}""");
        var no = (await caller.GetAsync($"/api/runs?pid={pids[1]}")).GetProperty("runs").EnumerateArray().ToList();
        no.Select(run => run.GetProperty("outcome").GetString()).ShouldBe(["no", "no"]);
        await SoundAsync(caller);
    }

    [Fact]
    public async Task Each_process_is_a_cascade_of_its_own()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Yearly() + """


            class after(Rule):
                listens_to = ["times"]

                def action(self):
                    self.after = [event.actor, event.source]
            """));
        var pids = await FillAsync(caller, 3, n => $$"""{"n": {{n}}}""");

        await TickAsync(caller);

        var runs = (await caller.GetAsync("/api/runs?limit=500")).GetProperty("runs").EnumerateArray().ToList();
        runs.Count.ShouldBe(6);
        foreach (var pid in pids)
        {
            runs.Where(run => run.GetProperty("pid").GetInt64() == pid).Select(run => run.GetProperty("arrival").GetGuid()).Distinct().Count().ShouldBe(1);
            (await caller.ProcessAsync(pid)).GetProperty("after").ToString().ShouldBe("""["schedule:scripts/a.py:yearly","rule"]""");
        }

        runs.Select(run => run.GetProperty("arrival").GetGuid()).Distinct().Count().ShouldBe(3);
    }

    [Fact]
    public async Task What_a_file_says_of_the_clock_is_known_without_an_event()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Yearly()));
        (await UntilAsync(caller, list => list.Count == 1)).Single().GetProperty("next").EnumerateArray().Select(next => next.GetProperty("local").GetString()![4..])
            .ShouldBe(Enumerable.Repeat("-01-01T00:00:00+00:00", 5));

        await caller.SaveAsync("scripts/b.py", "class hourly(Rule):\n    schedule = '15 * * * *'\n    def action(self): pass\n");
        (await UntilAsync(caller, list => list.Count == 2))[1].GetProperty("cron").GetString().ShouldBe("15 * * * *");

        await caller.SaveAsync("scripts/b.py", "class hourly(Rule):\n    listens_to = ['n']\n    def action(self): pass\n");
        await UntilAsync(caller, list => list.Count == 1);

        await caller.Http.DeleteAsync("/api/files/scripts/a.py", Cancel);
        await UntilAsync(caller, list => list.Count == 0);
        await SoundAsync(caller);
    }

    [Fact]
    public async Task A_new_text_with_the_same_times_leaves_what_is_due_as_it_is()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Yearly()));
        await UntilAsync(caller, list => list.Count == 1);
        await caller.Tenant.PrepareAsync("update rule_schedules set next_at = '2040-02-02T00:00:00Z', look_at = '2040-02-02T00:00:00Z' where tenant_id = $1");

        await caller.SaveAsync("scripts/a.py", Yearly("schedule_where = {'kind': 'x'}"));

        var schedule = (await UntilAsync(caller, list => list[0].GetProperty("where").ValueKind != JsonValueKind.Null)).Single();
        schedule.GetProperty("next")[0].GetProperty("utc").GetDateTimeOffset().ShouldBe(new DateTimeOffset(2041, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }

    [Fact]
    public async Task A_rule_that_is_switched_off_is_skipped_and_says_so()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Yearly()));
        var pids = await FillAsync(caller, 3, n => $$"""{"n": {{n}}}""");
        using var off = await caller.PutAsync("/api/rules/off?rule=scripts/a.py:yearly", "");

        await TickAsync(caller);

        var last = (await ScheduleAsync(caller)).GetProperty("last");
        (last.GetProperty("outcome").GetString(), last.GetProperty("reason").GetString()).ShouldBe(("skipped", "The rule was switched off."));
        (await caller.ProcessAsync(pids[0])).TryGetProperty("times", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Debounce_and_throttle_are_for_events()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Yearly("throttle = '1/h'")));
        var pids = await FillAsync(caller, 5, n => $$"""{"n": {{n}}}""");

        await TickAsync(caller);
        await TickAsync(caller);

        (await caller.ProcessAsync(pids[4])).GetProperty("times").GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task Another_tenant_sees_none_of_it()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Yearly()));
        await UntilAsync(caller, list => list.Count == 1);

        (await ListAsync(await way.CallerAsync())).ShouldBeEmpty();
    }

    private static string Yearly(string setting = "") => $"""
        class yearly(Rule):
            schedule = "0 0 1 1 *"
            {setting}

            def action(self):
                self.times = (self.times or 0) + 1
                self.seen = [event.key, event.value, event.previous, event.source, event.actor, self.last_actor, event.at, event.id]
        """;

    private async Task<List<long>> FillAsync(TestCaller caller, int count, Func<int, string> body)
    {
        var answer = await caller.SendAsync($"[{string.Join(',', Enumerable.Range(0, count).Select(body))}]");
        var pids = answer.EnumerateArray().Select(one => one.GetProperty("pid").GetInt64()).ToList();
        await Patience.UntilAsync("all are there", Patience.Long, async () => await new TestLog(way.Database).CountAsync(caller.Tenant.Id, "processes") == count);
        return pids;
    }

    /// <summary>Makes its schedules due, and waits for the end of the tick and of all that comes of it.</summary>
    private async Task TickAsync(TestCaller caller, string due = "2026-06-01T00:00:00Z")
    {
        var log = new TestLog(way.Database);
        await UntilAsync(caller, list => list.Count == 1);
        await caller.Tenant.PrepareAsync($"update rule_schedules set last_at = null, next_at = '{due}', look_at = '{due}' where tenant_id = $1");
        await Patience.UntilAsync("the tick has ended", Patience.Long, async () =>
            (await log.TextsAsync(caller.Tenant.Id, "select rule from rule_schedules where tenant_id = $1 and last_at is not null and tick_due is null")).Count == 1
            && (await log.TextsAsync(caller.Tenant.Id, "select id from arrivals where tenant_id = $1 union all select id from wakings where tenant_id = $1")).Count == 0);
    }

    private static async Task<List<JsonElement>> UntilAsync(TestCaller caller, Func<List<JsonElement>, bool> isSo)
    {
        List<JsonElement> list = [];
        await Patience.UntilAsync("the schedules are so", Patience.Long, async () => isSo(list = await ListAsync(caller)));
        return list;
    }

    private static async Task<List<JsonElement>> ListAsync(TestCaller caller) => [.. (await caller.GetAsync("/api/rules/schedules")).GetProperty("schedules").EnumerateArray()];

    private static async Task<JsonElement> ScheduleAsync(TestCaller caller) => (await ListAsync(caller)).ShouldHaveSingleItem();

    private Task SoundAsync(TestCaller caller) => new TestLog(way.Database).ShouldBeSoundAsync(caller.Tenant.Id);
}
