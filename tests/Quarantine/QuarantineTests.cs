using System.Net;
using System.Text.Json;

namespace Eddy.Tests.Quarantine;

/// <summary>Runs that fail wait in quarantine, with their error, until they are mended.</summary>
public sealed class QuarantineTests(TestWay way, TestDatabase database) : IClassFixture<TestWay>
{
    private const string Divide = """
        class divide(Rule):
            listens_to = ["n"]

            def action(self):
                self.half = BY
        """;

    private static string Dividing(string by) => Divide.Replace("BY", by, StringComparison.Ordinal);

    [Fact]
    public async Task A_failed_run_says_so_in_its_process_and_waits_in_quarantine_with_its_error()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Dividing("self.n / 0")));

        var answer = await caller.SettleAsync("""{"n": 4}""");

        answer.GetProperty("kvps").ToString().ShouldBe("""{"n":4,"quarantine_error":"ZeroDivisionError: division by zero","quarantined_script":"scripts/a.py:divide"}""");
        var run = answer.GetProperty("runs").EnumerateArray().ShouldHaveSingleItem();
        var group = (await caller.GetAsync("/api/quarantine")).GetProperty("groups").EnumerateArray().ShouldHaveSingleItem();
        group.GetProperty("rule").GetString().ShouldBe("scripts/a.py:divide");
        group.GetProperty("kind").GetString().ShouldBe("failed");
        group.GetProperty("error").GetProperty("line").GetInt32().ShouldBe(5);
        var waits = (await RunsAsync(caller)).ShouldHaveSingleItem();
        waits.GetProperty("run").GetInt64().ShouldBe(run.GetProperty("id").GetInt64());
        waits.GetProperty("pid").GetInt64().ShouldBe(answer.GetProperty("pid").GetInt64());
        waits.GetProperty("arrival").ToString().ShouldBe(answer.GetProperty("arrival").ToString());
        var events = (await caller.GetAsync("/api/events")).GetProperty("events").EnumerateArray().Single(one => one.GetProperty("key").GetString() == "quarantine_error");
        events.GetProperty("source").GetString().ShouldBe("quarantine");
        await SoundAsync(caller);
    }

    [Fact]
    public async Task Other_rules_react_to_it()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Dividing("self.n / 0") + "\n\n" + """
            class watch(Rule):
                listens_to = ["quarantine_error"]

                def action(self):
                    self.told = [self.quarantined_script, event.value, event.source, self.last_actor]
            """));

        var answer = await caller.SettleAsync("""{"n": 4}""");

        answer.GetProperty("kvps").GetProperty("told").ToString().ShouldBe("""["scripts/a.py:divide","ZeroDivisionError: division by zero","quarantine","key:test"]""");
    }

    [Fact]
    public async Task A_failure_that_comes_of_the_quarantines_own_KVPs_sets_none()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class watch(Rule):
                listens_to = ["n", "quarantine_error", "step"]

                def action(self):
                    if event.key == "quarantine_error":
                        self.step = 1
                    else:
                        self.n / 0
            """));

        var answer = await caller.SettleAsync("""{"n": 4}""");

        answer.GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("outcome").GetString()).ShouldBe(["failed", "ran", "failed"]);
        (await caller.GetAsync("/api/events")).GetProperty("events").EnumerateArray().Count(one => one.GetProperty("key").GetString() == "quarantine_error").ShouldBe(1);
        (await RunsAsync(caller)).Count.ShouldBe(2);
        await SoundAsync(caller);
    }

    [Fact]
    public async Task When_its_text_changes_a_run_is_tried_again_with_the_event_that_had_woken_it()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Dividing("self.n / 0")));
        var first = await caller.SettleAsync("""{"n": 4}""");
        var pid = first.GetProperty("pid").GetInt64();
        await caller.SettleAsync("""{"n": 6}""", $"?pid={pid}");

        await caller.SaveAsync("scripts/a.py", Dividing("(self['half'] or []) + [[event.value, event.source, self.n]]"));

        await QuietAsync(caller);
        (await caller.ProcessAsync(pid)).GetProperty("half").ToString().ShouldBe("""[[4,"post",6],[6,"post",6]]""");
        var again = (await caller.GetAsync($"/api/runs?pid={pid}&outcome=ran")).GetProperty("runs").EnumerateArray().Last();
        again.GetProperty("arrival").ToString().ShouldBe(first.GetProperty("arrival").ToString());
        await SoundAsync(caller);
    }

    [Fact]
    public async Task A_run_that_fails_again_stays_with_its_new_error()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Dividing("self.n / 0")));
        await caller.SettleAsync("""{"n": 4}""");

        await caller.SaveAsync("scripts/a.py", Dividing("self.n + 'x'"));

        await Patience.UntilAsync("it has failed again", Patience.Long, async () => (await RunsAsync(caller)).Single().GetProperty("tries").GetInt32() == 2);
        var run = (await RunsAsync(caller)).Single();
        run.GetProperty("error").GetProperty("kind").GetString().ShouldBe("TypeError");
        run.GetProperty("isRetrying").GetBoolean().ShouldBeFalse();
        (await caller.ProcessAsync(run.GetProperty("pid").GetInt64())).GetProperty("quarantine_error").GetString()!.ShouldStartWith("TypeError");
        await SoundAsync(caller);
    }

    [Fact]
    public async Task A_text_that_does_not_compile_tries_nothing_again()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Dividing("self.n / 0")));
        await caller.SettleAsync("""{"n": 4}""");

        await caller.SaveAsync("scripts/a.py", Dividing("(self.n"));

        (await caller.SettleAsync("""{"other": 1}""")).GetProperty("runs").GetArrayLength().ShouldBe(0);
        (await RunsAsync(caller)).Single().GetProperty("tries").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Repeated_errors_are_one_group_with_a_count()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Dividing("self.n / 0 if self.n else self.n.x")));
        await caller.SettleAsync("""[{"n": 1}, {"n": 2}, {"n": 3}, {"n": 0}]""");

        var groups = (await caller.GetAsync("/api/quarantine")).GetProperty("groups").EnumerateArray()
            .Select(group => (group.GetProperty("error").GetProperty("kind").GetString(), group.GetProperty("count").GetInt64())).ToList();

        groups.ShouldBe([("AttributeError", 1), ("ZeroDivisionError", 3)]);
    }

    [Fact]
    public async Task Runs_are_tried_again_and_dropped_by_hand()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Dividing("self.n / shared.by")));
        await caller.SettleAsync("""[{"n": 4}, {"n": 6}, {"n": 8}]""");
        var runs = await RunsAsync(caller);
        using (var set = await caller.PutAsync("/api/shared/by?wait=1", "2"))
        {
            set.IsSuccessStatusCode.ShouldBeTrue();
        }

        var gone = await caller.Http.DeleteAsync($"/api/quarantine?id={runs[0].GetProperty("id")}", TestContext.Current.CancellationToken).JsonAsync();
        var tried = await caller.Http.PostAsync($"/api/quarantine/retry?id={runs[1].GetProperty("id")}", null, TestContext.Current.CancellationToken).JsonAsync();

        (gone.GetProperty("count").GetInt32(), tried.GetProperty("count").GetInt32()).ShouldBe((1, 1));
        await Patience.UntilAsync("it has ended well", Patience.Long, async () => (await RunsAsync(caller)).Count == 1);
        (await caller.ProcessAsync(runs[1].GetProperty("pid").GetInt64())).GetProperty("half").GetDouble().ShouldBe(3);
        (await caller.Http.PostAsync("/api/quarantine/retry?rule=scripts/a.py:divide", null, TestContext.Current.CancellationToken).JsonAsync()).GetProperty("count").GetInt32().ShouldBe(1);
        await QuietAsync(caller);
        (await caller.ProcessAsync(runs[2].GetProperty("pid").GetInt64())).GetProperty("half").GetDouble().ShouldBe(2);
        (await caller.ProcessAsync(runs[0].GetProperty("pid").GetInt64())).TryGetProperty("half", out _).ShouldBeFalse();
        await SoundAsync(caller);
    }

    [Fact]
    public async Task Skip_goes_on_with_later_events_of_the_process_and_hold_keeps_them_in_order_behind_the_run_that_failed()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Ordered("skip") + Ordered("hold")));
        var pid = (await caller.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();
        await caller.SettleAsync("""{"n": 2}""", $"?pid={pid}");
        await caller.SettleAsync("""{"n": 3}""", $"?pid={pid}");
        (await caller.SettleAsync("""{"n": 2}""")).GetProperty("kvps").GetProperty("hold").ToString().ShouldBe("[2]", "another process is not held up");
        var before = await caller.ProcessAsync(pid);

        await caller.SaveAsync("scripts/a.py", (Ordered("skip") + Ordered("hold")).Replace("== 1", "== 100", StringComparison.Ordinal));

        before.GetProperty("skip").ToString().ShouldBe("[2,3]");
        before.TryGetProperty("hold", out _).ShouldBeFalse();
        await QuietAsync(caller);
        var after = await caller.ProcessAsync(pid);
        after.GetProperty("skip").ToString().ShouldBe("[2,3,1]");
        after.GetProperty("hold").ToString().ShouldBe("[1,2,3]");
        (await caller.SettleAsync("""{"n": 4}""", $"?pid={pid}")).GetProperty("kvps").GetProperty("hold").ToString().ShouldBe("[1,2,3,4]", "nothing is held any more");
        await SoundAsync(caller);
    }

    [Fact]
    public async Task What_is_held_stays_behind_a_run_that_fails_again_over_a_new_pump()
    {
        await using var own = await database.OfItsOwnAsync();
        await using var web = await TestWeb.StartAsync(own);
        var tenant = await TestTenant.MakeAsync(own);
        var caller = new TestCaller(tenant, tenant.Client(web));
        await caller.SaveAsync("scripts/a.py", Ordered("hold"));
        long pid;
        await using (await TestWorker.StartAsync(own))
        {
            pid = (await caller.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();
        }

        await using var worker = await TestWorker.StartAsync(own);
        await caller.SettleAsync("""{"n": 2}""", $"?pid={pid}");
        await caller.SaveAsync("scripts/a.py", Ordered("hold") + "# still");
        await Patience.UntilAsync("it has failed again", Patience.Long, async () => (await RunsAsync(caller)).Any(run => run.GetProperty("tries").GetInt32() == 2));
        (await caller.SettleAsync("""{"n": 3}""", $"?pid={pid}")).GetProperty("kvps").TryGetProperty("hold", out _).ShouldBeFalse();
        (await RunsAsync(caller)).Select(run => run.GetProperty("kind").GetString()).ShouldBe(["held", "held", "failed"]);

        await caller.SaveAsync("scripts/a.py", Ordered("hold").Replace("== 1", "== 100", StringComparison.Ordinal));

        await QuietAsync(caller);
        (await caller.ProcessAsync(pid)).GetProperty("hold").ToString().ShouldBe("[1,2,3]");
        await new TestLog(own).ShouldBeSoundAsync(tenant.Id);
    }

    [Fact]
    public async Task A_rule_that_is_gone_leaves_its_runs_where_they_are()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Dividing("self.n / 0")));
        await caller.SettleAsync("""{"n": 4}""");

        await caller.SaveAsync("scripts/a.py", "x = 1\n");

        await Patience.UntilAsync("it was looked for", Patience.Long, async () => !(await RunsAsync(caller)).Single().GetProperty("isRetrying").GetBoolean());
        await caller.SettleAsync("""{"n": 5}""");
        (await RunsAsync(caller)).Single().GetProperty("tries").GetInt32().ShouldBe(1);
        await SoundAsync(caller);
    }

    [Fact]
    public async Task What_a_stopped_cascade_owed_is_kept()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class around(Rule):
                listens_to = ["n"]

                def action(self):
                    self.n += 1

            class beside(Rule):
                listens_to = ["n"]

                def action(self):
                    shared.seen = (shared.seen or 0) + 1
            """));

        var answer = await caller.SettleAsync("""{"n": 1}""");

        answer.GetProperty("kvps").GetProperty("quarantine_error").GetString().ShouldBe("Cascade: Rules led to one another through more than 64 generations.");
        var runs = await RunsAsync(caller);
        runs.Select(run => (run.GetProperty("rule").GetString(), run.GetProperty("kind").GetString())).ShouldBe([("scripts/a.py:beside", "stopped"), ("scripts/a.py:around", "failed")]);
        (await caller.SharedAsync()).GetProperty("seen").GetInt32().ShouldBe(64);
        await SoundAsync(caller);
    }

    [Fact]
    public async Task A_rule_is_switched_off_and_on_by_hand_and_what_wakes_it_meanwhile_waits()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Dividing("event.value / 2")));
        using (var off = await caller.PutAsync("/api/rules/off?rule=scripts/a.py:divide", ""))
        {
            off.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        }

        var answer = await caller.SettleAsync("""{"n": 4}""");
        answer.GetProperty("runs").GetArrayLength().ShouldBe(0);
        (await RunsAsync(caller)).Single().GetProperty("kind").GetString().ShouldBe("off");
        (await caller.GetAsync("/api/rules/off")).GetProperty("rules").EnumerateArray().Single().GetProperty("by").GetString().ShouldBe("key:test");

        (await caller.Http.DeleteAsync("/api/rules/off?rule=scripts/a.py:divide", TestContext.Current.CancellationToken).JsonAsync()).GetProperty("count").GetInt32().ShouldBe(1);

        await QuietAsync(caller);
        (await caller.ProcessAsync(answer.GetProperty("pid").GetInt64())).GetProperty("half").GetDouble().ShouldBe(2);
        (await caller.SettleAsync("""{"n": 6}""")).GetProperty("kvps").GetProperty("half").GetDouble().ShouldBe(3);
        await SoundAsync(caller);
    }

    [Fact]
    public async Task Another_tenant_sees_tries_and_drops_nothing_of_it()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Dividing("self.n / 0")));
        await caller.SettleAsync("""{"n": 4}""");
        var id = (await RunsAsync(caller)).Single().GetProperty("id");
        var other = await way.CallerAsync();

        (await other.GetAsync("/api/quarantine")).GetProperty("groups").GetArrayLength().ShouldBe(0);
        (await RunsAsync(other)).ShouldBeEmpty();
        using var tried = await other.Http.PostAsync($"/api/quarantine/retry?id={id}", null, TestContext.Current.CancellationToken);
        using var dropped = await other.Http.DeleteAsync($"/api/quarantine?id={id}", TestContext.Current.CancellationToken);
        (tried.StatusCode, dropped.StatusCode).ShouldBe((HttpStatusCode.NotFound, HttpStatusCode.NotFound));
        (await RunsAsync(caller)).Count.ShouldBe(1);
    }

    private static string Ordered(string how) => $"""
        class {how}(Rule):
            listens_to = ["n"]
            on_error = "{how}"

            def action(self):
                if event.value == 1:
                    raise ValueError("not yet")
                self["{how}"] = (self["{how}"] or []) + [event.value]


        """;

    private static async Task<List<JsonElement>> RunsAsync(TestCaller caller) => [.. (await caller.GetAsync("/api/quarantine/runs")).GetProperty("runs").EnumerateArray()];

    private static Task QuietAsync(TestCaller caller) =>
        Patience.UntilAsync("nothing is in quarantine", Patience.Long, async () => (await RunsAsync(caller)).Count == 0);

    private Task SoundAsync(TestCaller caller) => new TestLog(way.Database).ShouldBeSoundAsync(caller.Tenant.Id);
}
