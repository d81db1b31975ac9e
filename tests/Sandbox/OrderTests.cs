using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

public sealed class OrderTests(CellFixture cells)
{
    private static IEnumerable<string> Ran(Transcript transcript) =>
        transcript.Steps.OfType<RunEnded>().Select(run => $"{run.Rule.Split(':')[1]} in {run.Pid} at {run.SetPosition}");

    [Fact]
    public async Task A_cascade_is_breadth_first_in_the_order_of_files_and_classes()
    {
        var tenant = new TestTenant(await cells.Sandbox,
            ("scripts/b.py", """
                class b1(Rule):
                    listens_to = ["go"]
                    def action(self): self.from_b1 = 1
                class a0(Rule):
                    listens_to = ["from_b1", "from_a1"]
                    def action(self): self.last = event.key
                """),
            ("scripts/a.py", """
                class a1(Rule):
                    listens_to = ["go"]
                    def action(self):
                        self.from_a1 = 1
                        self.go2 = 2
                class a2(Rule):
                    listens_to = ["go2", "go"]
                    def action(self): self.seen = [e.key for e in events]
                """));

        var transcript = await tenant.RunAsync(TestTenant.Arrival(7, ("go", "1"), ("go2", "1")), TestTenant.Arrival(8, ("other", "1")));

        Ran(transcript).ShouldBe(["a1 in 7 at 1", "a2 in 7 at 1", "b1 in 7 at 1", "a2 in 7 at 3", "a0 in 7 at 3", "a0 in 7 at 6"]);
        transcript.ArrivalsTaken.ShouldBe(2);
        tenant.Kvp(7, "seen").ShouldBe("""["go2"]""");
        tenant.Kvp(7, "last").ShouldBe("\"from_b1\"");
    }

    [Fact]
    public async Task A_change_set_wakes_a_rule_once_and_tells_it_all_that_it_listens_to()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            class both(Rule):
                listens_to = ["a", "b"]
                def action(self): self.out = [event.key, [[e.key, e.value, e.previous, e.id] for e in events]]
            """);
        tenant.Have(15, "b", "0");

        await tenant.OneRunAsync(15, ("c", "3"), ("b", "1"), ("a", "2"));

        tenant.Kvp(15, "out").ShouldBe("""["b",[["b",1,0,2],["a",2,null,3]]]""");
    }

    [Fact]
    public async Task Star_hears_every_process_and_not_the_shared_bag()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            class star(Rule):
                listens_to = ["*"]
                def check(self): return event.source != "rule"
                def action(self): shared.last = event.key
            """);

        Ran(await tenant.PostAsync(15, ("a", "1"))).ShouldBe(["star in 15 at 1"]);
        Ran(await tenant.PostAsync(0, ("b", "1"))).ShouldBeEmpty();
        tenant.Kvp(0, "last").ShouldBe("\"a\"");
    }

    [Fact]
    public async Task A_shared_KVP_wakes_in_the_process_that_set_it_and_from_outside_in_the_given_one()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            class set(Rule):
                listens_to = ["a"]
                def action(self): shared.rate = self.a
            class hear(Rule):
                listens_to = ["shared.rate"]
                def action(self): self.out = [self.rate, shared.rate, event.value, event.key]
            """);

        Ran(await tenant.PostAsync(15, ("a", "5"))).ShouldBe(["set in 15 at 1", "hear in 15 at 2"]);
        tenant.Kvp(15, "out").ShouldBe("""[5,5,5,"rate"]""");
        Ran(await tenant.PostAsync(0, ("rate", "6"))).ShouldBe(["hear in 99 at 4"]);
        tenant.Kvp(99, "out").ShouldBe("""[6,6,6,"rate"]""");
    }

    [Fact]
    public async Task A_removal_is_a_change_too()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            class gone(Rule):
                listens_to = ["a"]
                def check(self): return "a" not in self
                def action(self): self.out = [event.value, event.previous]
            class drop(Rule):
                listens_to = ["drop"]
                def action(self): del self.a
            """);
        tenant.Have(15, "a", "1");

        await tenant.PostAsync(15, ("drop", "1"));

        tenant.Kvp(15, "a").ShouldBeNull();
        tenant.Kvp(15, "out").ShouldBe("[null,1]");
    }

    [Fact]
    public async Task A_slice_may_end_after_any_run_and_the_next_goes_on_as_if_it_had_not()
    {
        const string rules = """
            class count(Rule):
                listens_to = ["n", "start"]
                def check(self): return (self.n or 0) < 6
                def action(self): self.n = (self.n or 0) + 1
            class note(Rule):
                listens_to = ["n"]
                def action(self):
                    self.notes = (self.notes or []) + [[event.value, event.previous, event.id, event.actor]]
            """;
        var whole = TestTenant.WithRule(await cells.Sandbox, rules);
        await whole.PostAsync(15, ("start", "1"));
        var cut = TestTenant.WithRule(await cells.Sandbox, rules);
        await cut.RunAsync([TestTenant.Arrival(15, ("start", "1"))], 1, TimeSpan.FromMinutes(1));

        while (cut.Owed.Count > 0)
        {
            cut.Sandbox.Drop(cut.Tree.Tenant);
            (await cut.RunAsync([], 1, TimeSpan.FromMinutes(1))).Steps.ShouldHaveSingleItem();
        }

        cut.Kvp(15, "notes").ShouldBe(whole.Kvp(15, "notes"));
        cut.Kvp(15, "n").ShouldBe("6");
        cut.Head.ShouldBe(whole.Head);
    }

    [Fact]
    public async Task A_slice_ends_when_its_time_is_over_and_leaves_the_other_arrivals()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            import time
            class nap(Rule):
                listens_to = ["a"]
                def action(self): time.sleep(0.05)
            """);

        var transcript = await tenant.RunAsync([TestTenant.Arrival(1, ("a", "1")), TestTenant.Arrival(2, ("a", "1"))], 100, TimeSpan.FromMilliseconds(1));

        transcript.ArrivalsTaken.ShouldBe(1);
        Ran(transcript).ShouldBe(["nap in 1 at 1"]);
    }

    [Fact]
    public async Task A_cascade_that_is_too_deep_is_stopped_and_the_next_arrival_goes_on()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            class loop(Rule):
                listens_to = ["n"]
                def action(self): self.n = self.n + 1
            class see(Rule):
                listens_to = ["n", "m"]
                def action(self): self.seen = event.value
            """);

        var transcript = await tenant.RunAsync(TestTenant.Arrival(15, ("n", "1")), TestTenant.Arrival(16, ("m", "7")));

        var stopped = transcript.Steps.OfType<RunEnded>().Single(run => run.Outcome == RunOutcome.Killed);
        stopped.Error!.Kind.ShouldBe("Cascade");
        stopped.Error.Message.ShouldContain("generation 65 of the cascade, and 64 is the limit");
        stopped.Error.Message.ShouldContain("loop → scripts/rule.py:loop");
        stopped.Error.Message.ShouldEndWith("1 more run was owed.");
        tenant.Kvp(15, "n").ShouldBe("65");
        tenant.Kvp(16, "seen").ShouldBe("7");
        transcript.Owed.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_cascade_of_too_many_runs_is_stopped()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, string.Concat(Enumerable.Range(0, 6).Select(i => $"""
            class r{i}(Rule):
                listens_to = ["n"]
                def action(self): self.n = self.n + 1

            """)));

        var runs = (await tenant.PostAsync(15, ("n", "1"))).Steps.OfType<RunEnded>().ToList();

        runs.Count.ShouldBe(201);
        runs[^1].Error!.Message.ShouldContain("has had 200 runs, and 200 is the limit");
        tenant.Kvp(15, "n").ShouldBe("201");
    }

    [Fact]
    public async Task An_owed_run_whose_rule_is_gone_is_dropped()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            class a(Rule):
                listens_to = ["k"]
            class b(Rule):
                listens_to = ["k"]
                def action(self): pass
            """.Replace("listens_to = [\"k\"]\nclass b", "listens_to = [\"k\"]\n    def action(self): pass\nclass b", StringComparison.Ordinal));
        await tenant.RunAsync([TestTenant.Arrival(15, ("k", "1"))], 1, TimeSpan.FromMinutes(1));
        tenant.Owed.ShouldHaveSingleItem().Rule.ShouldBe("scripts/rule.py:b");

        tenant.Tree = tenant.Tree with { Version = 2, Files = [new CellFile("scripts/rule.py", "class a(Rule):\n    listens_to = ['k']\n    def action(self): pass\n")] };
        var transcript = await tenant.RunAsync(TestTenant.Arrival(15, ("k", "2")));

        transcript.Steps[0].ShouldBe(new OwedDropped(0));
        Ran(transcript).ShouldBe(["a in 15 at 2"]);
    }

    [Fact]
    public async Task Thousands_of_processes_and_large_state_pass_through_one_cell()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            class sum(Rule):
                listens_to = ["n"]
                def action(self): shared.total = (shared.total or 0) + self.n; self.size = len(self.text or "")
            """);
        for (var i = 1; i <= 2500; i++)
        {
            tenant.Have(i, "text", $"\"{new string('"', i % 50 == 0 ? 30_000 : 1).Replace("\"", "\\\"", StringComparison.Ordinal)}\"");
        }

        for (var left = Enumerable.Range(1, 2500).ToList(); left.Count > 0;)
        {
            var transcript = await tenant.RunAsync([.. left.Take(700).Select(i => TestTenant.Arrival(i, ("n", "1")))]);
            transcript.ArrivalsTaken.ShouldBeGreaterThan(0);
            left.RemoveRange(0, transcript.ArrivalsTaken);
        }

        tenant.Kvp(0, "total").ShouldBe("2500");
        tenant.Kvp(50, "size").ShouldBe("30000");
    }

    [Fact]
    public async Task A_process_can_not_become_larger_than_its_limit_whoever_made_it_large()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            class fill(Rule):
                listens_to = ["n"]
                def action(self):
                    self[f"k{self.n}"] = "x" * 50_000
                    shared.last = self.n
            """);

        var runs = new List<RunEnded>();
        for (var i = 1; i <= 4; i++)
        {
            runs.Add(await tenant.OneRunAsync(15, ("n", $"{i}"), ("big", $"\"{new string('y', 20_000 * i)}\"")));
        }

        await tenant.PostAsync(15, ("big", null));
        runs.Add(await tenant.OneRunAsync(15, ("n", "5")));

        runs.Select(run => run.Outcome).ShouldBe([RunOutcome.Ran, RunOutcome.Ran, RunOutcome.Ran, RunOutcome.Failed, RunOutcome.Ran]);
        runs[3].Error!.Message.ShouldContain("262144 is the limit");
        tenant.Kvp(0, "last").ShouldBe("5");
    }

    [Fact]
    public async Task A_tenant_without_scripts_needs_no_cell()
    {
        await using var stopped = new RuleSandbox(CellFixture.Limits(), TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<RuleSandbox>.Instance);
        var tenant = new TestTenant(stopped, ("libraries/tools.py", "x = 1\n"));

        (await tenant.PostAsync(15, ("n", "1"))).Steps.ShouldBe([new ArrivalApplied(0)]);
    }
}
