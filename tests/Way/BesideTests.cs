namespace Eddy.Tests.Way;

/// <summary>Runs that call out leave the line: they hold up nobody, and what they come to is as if they had not left.</summary>
public sealed class BesideTests(TestDatabase database) : IAsyncLifetime
{
    private TestDatabase _own = null!;
    private TestWeb _web = null!;
    private TestSite _site = null!;
    private TestWorker _worker = null!;

    public async ValueTask InitializeAsync()
    {
        _own = await database.OfItsOwnAsync();
        _web = await TestWeb.StartAsync(_own);
        _site = await TestSite.StartAsync();
        _worker = await TestWorker.StartAsync(_own, _site.Held);
    }

    [Fact]
    public async Task A_run_that_calls_out_settles_with_the_answer_and_its_record_has_the_call()
    {
        var caller = await CallerAsync("""
            class ask(Rule):
                listens_to = ["question"]
                def action(self):
                    self.answer = http.get("SITE/echo?q=" + self.question).json()["query"]

            class after(Rule):
                listens_to = ["answer"]
                def action(self):
                    self.done = self.answer
            """);

        var answer = await caller.SettleAsync("""{"question": "why"}""");

        answer.GetProperty("kvps").ToString().ShouldBe("""{"answer":"?q=why","done":"?q=why","question":"why"}""");
        answer.GetProperty("runs").GetArrayLength().ShouldBe(2);
        var run = await caller.GetAsync($"/api/runs/{answer.GetProperty("runs")[0].GetProperty("id")}");
        var call = run.GetProperty("calls").EnumerateArray().ShouldHaveSingleItem();
        call.GetProperty("method").GetString().ShouldBe("GET");
        call.GetProperty("host").GetString()!.ShouldStartWith("127.0.0.1");
        call.GetProperty("path").GetString().ShouldBe("/echo");
        call.GetProperty("status").GetInt32().ShouldBe(200);
        var usage = await caller.GetAsync("/api/usage");
        (usage.GetProperty("events").GetInt64(), usage.GetProperty("runs").GetInt64()).ShouldBe((3, 2));
        // By the zygote's word, which comes with a later event.
        await Patience.UntilAsync("the CPU time is counted", Patience.Long, async () =>
        {
            await caller.SettleAsync("""{"answer": "again"}""");
            return (await caller.GetAsync("/api/usage")).GetProperty("cpuMilliseconds").GetDouble() >= run.GetProperty("cpuMilliseconds").GetDouble();
        });
        await new TestLog(_own).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    [Fact]
    public async Task While_a_call_waits_other_events_settle_and_those_of_its_rule_and_process_keep_their_order()
    {
        var caller = await CallerAsync("""
            class slow(Rule):
                listens_to = ["n"]
                def action(self):
                    http.get(f"SITE/hold?n={self.n}")
                    self.done = (self.done or []) + [event.value]

            class quick(Rule):
                listens_to = ["n", "m"]
                def action(self):
                    self.seen = (self.seen or 0) + 1
            """);
        var first = await caller.SendAsync("""{"n": 1}""");
        var pid = first.GetProperty("pid").GetInt64();
        await Patience.UntilAsync("the call is out", () => _site.Waiting == 1);

        await caller.SendAsync("""{"n": 2}""", $"?pid={pid}");
        await caller.SendAsync("""{"n": 3}""", $"?pid={pid}");
        (await caller.SettleAsync("""{"m": 1}""")).GetProperty("kvps").ToString().ShouldBe("""{"m":1,"seen":1}""");
        (await caller.SettleAsync("""{"m": 1}""", $"?pid={pid}")).GetProperty("kvps").ToString().ShouldBe("""{"m":1,"n":3,"seen":4}""");

        _site.Waiting.ShouldBe(1);
        _site.LetGo(20);
        await Patience.UntilAsync("all have landed", Patience.Long, async () => (await caller.ProcessAsync(pid)).TryGetProperty("done", out var done) && done.GetArrayLength() == 3);
        (await caller.ProcessAsync(pid)).GetProperty("done").ToString().ShouldBe("[1,2,3]");
        await new TestLog(_own).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    [Fact]
    public async Task What_a_run_read_and_others_changed_while_it_waited_makes_it_run_again_with_the_answers_it_had()
    {
        var caller = await CallerAsync("""
            class slow(Rule):
                listens_to = ["go"]
                def action(self):
                    before = self.factor
                    answer = http.get("SITE/hold?go").json()
                    self.result = [before, answer["call"]]
            """);
        var pid = (await caller.SendAsync("""{"go": 1, "factor": 2, "other": 1}""")).GetProperty("pid").GetInt64();
        await Patience.UntilAsync("the call is out", () => _site.Waiting == 1);

        await caller.SettleAsync("""{"factor": 5}""", $"?pid={pid}");
        _site.LetGo();

        await Patience.UntilAsync("it has landed", Patience.Long, async () => (await caller.ProcessAsync(pid)).TryGetProperty("result", out _));
        (await caller.ProcessAsync(pid)).GetProperty("result").ToString().ShouldBe("[5,1]");
        _site.Calls.Count.ShouldBe(1);
        var run = (await caller.GetAsync("/api/runs?rule=slow")).GetProperty("runs").EnumerateArray().ShouldHaveSingleItem();
        (await caller.GetAsync($"/api/runs/{run.GetProperty("id")}")).GetProperty("calls").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task What_nobody_read_may_change_meanwhile_and_what_was_set_lands_beside_it()
    {
        var caller = await CallerAsync("""
            class slow(Rule):
                listens_to = ["go"]
                def action(self):
                    self.result = http.get("SITE/hold").status
                    self.other = "mine"
            """);
        var pid = (await caller.SendAsync("""{"go": 1, "other": "before"}""")).GetProperty("pid").GetInt64();
        await Patience.UntilAsync("the call is out", () => _site.Waiting == 1);
        await caller.SettleAsync("""{"other": "theirs", "third": 3}""", $"?pid={pid}");
        _site.LetGo();

        await Patience.UntilAsync("it has landed", Patience.Long, async () => (await caller.ProcessAsync(pid)).TryGetProperty("result", out _));

        (await caller.ProcessAsync(pid)).ToString().ShouldBe("""{"go":1,"other":"mine","result":200,"third":3}""");
        _site.Calls.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_file_that_many_runs_beside_the_line_share_has_a_line_of_each()
    {
        var caller = await CallerAsync("""
            class slow(Rule):
                listens_to = ["n"]
                def action(self):
                    http.get("SITE/echo?n=" + str(self.n))
                    with open("seen", "a") as seen:
                        seen.write(f"{self.n}\n")
                    workspace.save("seen")
            """);

        await Task.WhenAll(Enumerable.Range(0, 12).Select(n => caller.SettleAsync($$"""{"n": {{n}}}""")));

        var lines = (await caller.Http.GetStringAsync("/api/files/workspace/seen", TestContext.Current.CancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Select(line => int.Parse(line, null)).Order().ShouldBe(Enumerable.Range(0, 12));
        await new TestLog(_own).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    [Fact]
    public async Task A_counter_that_many_runs_beside_the_line_share_counts_each_once()
    {
        var caller = await CallerAsync("""
            class slow(Rule):
                listens_to = ["n"]
                def action(self):
                    http.post("SITE/echo?n=" + str(self.n), json={"seen": shared.total})
                    shared.total = (shared.total or 0) + 1
                    shared.names = sorted((shared.names or []) + [self.n])
            """);

        await Task.WhenAll(Enumerable.Range(0, 40).Select(n => caller.SettleAsync($$"""{"n": {{n}}}""")));

        var shared = await caller.SharedAsync();
        shared.GetProperty("total").GetInt32().ShouldBe(40);
        shared.GetProperty("names").GetArrayLength().ShouldBe(40);
        await new TestLog(_own).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    [Fact]
    public async Task A_tenant_has_its_share_of_cells_and_no_more()
    {
        var caller = await CallerAsync("""
            class slow(Rule):
                listens_to = ["n"]
                def action(self):
                    self.done = http.get("SITE/hold").status
            """);
        foreach (var n in Enumerable.Range(0, 30))
        {
            await caller.SendAsync($$"""{"n": {{n}}}""");
        }

        await Patience.UntilAsync("its share is out", () => _site.Waiting == 16);
        var others = await CallerAsync("""
            class slow(Rule):
                listens_to = ["n"]
                def action(self):
                    self.done = http.get("SITE/echo").status
            """);
        (await others.SettleAsync("""{"n": 1}""")).GetProperty("kvps").GetProperty("done").GetInt32().ShouldBe(200);
        _site.LetGo(100);

        await Patience.UntilAsync("all have landed", Patience.Long, async () => (await new TestLog(_own).TextsAsync(caller.Tenant.Id, "select pid from kvps where tenant_id = $1 and key = 'done'")).Count == 30);
        _site.MostWaiting.ShouldBe(16);
    }

    [Fact]
    public async Task A_run_that_fails_after_its_call_leaves_nothing_but_its_record()
    {
        var caller = await CallerAsync("""
            class bad(Rule):
                listens_to = ["n"]
                def action(self):
                    self.x = http.get("SITE/echo?x").status
                    raise ValueError("it is " + str(self.x))
            """);

        var answer = await caller.SettleAsync("""{"n": 1}""");

        answer.GetProperty("kvps").ToString().ShouldBe("""{"n":1,"quarantine_error":"ValueError: it is 200","quarantined_script":"scripts/rule.py:bad"}""");
        var run = answer.GetProperty("runs").EnumerateArray().ShouldHaveSingleItem();
        run.GetProperty("outcome").GetString().ShouldBe("failed");
        run.GetProperty("error").GetProperty("message").GetString().ShouldBe("it is 200");
        (await caller.GetAsync($"/api/runs/{run.GetProperty("id")}")).GetProperty("calls").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task A_rule_that_is_gone_when_its_run_lands_holds_up_nobody()
    {
        var caller = await CallerAsync("""
            class slow(Rule):
                listens_to = ["n"]
                def action(self):
                    self.done = http.get("SITE/hold").status
            """);
        var pid = (await caller.SendAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();
        await Patience.UntilAsync("the call is out", () => _site.Waiting == 1);
        await caller.SendAsync("""{"n": 2}""", $"?pid={pid}");
        await caller.SaveAsync("scripts/rule.py", "class other(Rule):\n    listens_to = ['n']\n    def action(self): self.other = self.n\n");
        _site.LetGo(10);

        (await caller.SettleAsync("""{"n": 3}""", $"?pid={pid}")).GetProperty("kvps").GetProperty("other").GetInt32().ShouldBe(3);
        await Patience.UntilAsync("nothing is owed", Patience.Long, async () => await new TestLog(_own).CountAsync(caller.Tenant.Id, "wakings") == 0);
        await new TestLog(_own).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    [Fact, Trait("Category", "Long")]
    public async Task A_worker_that_stops_while_calls_wait_leaves_them_to_the_next()
    {
        var caller = await CallerAsync("""
            class slow(Rule):
                listens_to = ["n"]
                def action(self):
                    http.get("SITE/hold")
                    shared.total = (shared.total or 0) + 1
            """);
        foreach (var n in Enumerable.Range(0, 5))
        {
            await caller.SendAsync($$"""{"n": {{n}}}""");
        }

        await Patience.UntilAsync("the calls are out", () => _site.Waiting == 5);
        await _worker.StopAsync();
        _site.LetGo(100);
        await using var next = await TestWorker.StartAsync(_own, _site.Held);

        await Patience.UntilAsync("all have landed", Patience.Long, async () => await new TestLog(_own).CountAsync(caller.Tenant.Id, "wakings") == 0);
        (await caller.SharedAsync()).GetProperty("total").GetInt32().ShouldBe(5);
        await new TestLog(_own).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    public async ValueTask DisposeAsync()
    {
        await _site.DisposeAsync();
        await _worker.DisposeAsync();
        await _web.DisposeAsync();
        await _own.DisposeAsync();
    }

    private async Task<TestCaller> CallerAsync(string rule)
    {
        var tenant = await TestTenant.MakeAsync(_own);
        var caller = new TestCaller(tenant, tenant.Client(_web));
        await caller.SaveAsync("scripts/rule.py", rule.Replace("SITE", _site.Address, StringComparison.Ordinal));
        return caller;
    }
}
