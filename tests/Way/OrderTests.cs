using System.Text.Json;

namespace Eddy.Tests.Way;

/// <summary>What comes before what, whatever slice it falls into.</summary>
public sealed class OrderTests(TestDatabase database, TestWay way) : IClassFixture<TestWay>
{
    [Fact]
    public async Task A_change_set_wakes_a_rule_once_however_many_of_its_keys_it_listens_to()
    {
        var caller = await way.CallerAsync(("scripts/both.py", """
            class both(Rule):
                listens_to = ["a", "b"]

                def action(self):
                    self.woken = (self.woken or 0) + 1
                    self.by = ",".join(e.key for e in events)
            """));

        var answer = await caller.SettleAsync("""{"a": 1, "b": 2, "c": 3}""");
        answer.GetProperty("kvps").ToString().ShouldBe("""{"a":1,"b":2,"by":"a,b","c":3,"woken":1}""");
        answer.GetProperty("runs").GetArrayLength().ShouldBe(1);

        var again = await caller.SettleAsync("""{"a": 1}""", $"?pid={answer.GetProperty("pid")}");
        again.GetProperty("kvps").GetProperty("woken").GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task A_cascade_runs_breadth_first_in_the_order_of_files_and_classes_and_ends_before_the_next_arrival()
    {
        var caller = await way.CallerAsync(Steps);

        var answers = (await caller.SettleAsync("""[{"start": 1}, {"start": 2}]""")).EnumerateArray().ToList();

        answers.ShouldAllBe(answer => Rules(answer) == "first second after_first after_second");
        answers[0].GetProperty("runs")[3].GetProperty("id").GetInt64().ShouldBeLessThan(answers[1].GetProperty("runs")[0].GetProperty("id").GetInt64());
        (await caller.SharedAsync()).GetProperty("order").GetString().ShouldBe("1:first 1:second 1:after_first 1:after_second 2:first 2:second 2:after_first 2:after_second ");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_cascade_that_spans_slices_keeps_its_order_and_its_waiter(int runs)
    {
        await using var own = await database.OfItsOwnAsync();
        await using var web = await TestWeb.StartAsync(own);
        await using var worker = await TestWorker.StartAsync(own, $"Pump:Runs={runs}");
        var tenant = await TestTenant.MakeAsync(own);
        var caller = new TestCaller(tenant, tenant.Client(web));
        foreach (var (path, text) in Steps.Append(Chain(10)))
        {
            await caller.SaveAsync(path, text);
        }

        var answers = (await caller.SettleAsync("""[{"start": 1}, {"k0": 0}, {"start": 2}, {"k0": 100}]""")).EnumerateArray().ToList();

        Rules(answers[0]).ShouldBe("first second after_first after_second");
        Rules(answers[1]).ShouldBe("step1 step2 step3 step4 step5 step6 step7 step8 step9 step10");
        answers[1].GetProperty("kvps").GetProperty("k10").GetInt32().ShouldBe(10);
        answers[3].GetProperty("kvps").GetProperty("k10").GetInt32().ShouldBe(110);
        answers[3].GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("generation").GetInt32()).ShouldBe(Enumerable.Range(1, 10));
        (await caller.SharedAsync()).GetProperty("order").GetString().ShouldBe("1:first 1:second 1:after_first 1:after_second 2:first 2:second 2:after_first 2:after_second ");
        await new TestLog(own).ShouldBeSoundAsync(tenant.Id);
    }

    [Fact]
    public async Task A_cascade_that_never_ends_is_stopped_and_the_next_event_has_its_turn()
    {
        var caller = await way.CallerAsync(("scripts/loop.py", """
            class loop(Rule):
                listens_to = ["n"]

                def action(self):
                    self.n = self.n + 1
            """));

        var answer = await caller.SettleAsync("""{"n": 0}""");

        answer.GetProperty("kvps").GetProperty("n").GetInt32().ShouldBe(64);
        var runs = answer.GetProperty("runs").EnumerateArray().ToList();
        runs.Count.ShouldBe(65);
        runs[..64].ShouldAllBe(run => run.GetProperty("outcome").GetString() == "ran");
        runs[64].GetProperty("outcome").GetString().ShouldNotBe("ran");
        runs[64].GetProperty("error").GetProperty("kind").GetString().ShouldBe("Cascade");
        (await caller.SettleAsync("""{"other": 1}""")).GetProperty("kvps").ToString().ShouldBe("""{"other":1}""");
    }

    [Fact]
    public async Task Events_of_one_process_are_applied_in_the_order_in_which_they_were_accepted()
    {
        var caller = await way.CallerAsync(("scripts/log.py", """
            class append(Rule):
                listens_to = ["n"]

                def action(self):
                    self.all = (self.all or []) + [self.n]
            """));
        var pid = (await caller.SendAsync("""{"n": 0}""")).GetProperty("pid").GetInt64();
        for (var i = 1; i < 100; i++)
        {
            await caller.SendAsync($$"""{"n": {{i}}}""", $"?pid={pid}");
        }

        var answer = await caller.SettleAsync("""{"n": 100}""", $"?pid={pid}");

        answer.GetProperty("kvps").GetProperty("all").EnumerateArray().Select(n => n.GetInt32()).ShouldBe(Enumerable.Range(0, 101));
        await new TestLog(way.Database).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    private static readonly (string, string)[] Steps =
    [
        ("scripts/b.py", """
            class after_second(Rule):
                listens_to = ["second_done"]
                def action(self):
                    shared.order = (shared.order or "") + f"{self.start}:after_second "
            """),
        ("scripts/a.py", """
            class first(Rule):
                listens_to = ["start"]
                def action(self):
                    shared.order = (shared.order or "") + f"{self.start}:first "
                    self.first_done = True

            class second(Rule):
                listens_to = ["start"]
                def action(self):
                    shared.order = (shared.order or "") + f"{self.start}:second "
                    self.second_done = True

            class after_first(Rule):
                listens_to = ["first_done"]
                def action(self):
                    shared.order = (shared.order or "") + f"{self.start}:after_first "
            """),
    ];

    /// <summary>Rules that each count one up from the one before.</summary>
    internal static (string Path, string Text) Chain(int steps) => ("scripts/chain.py", string.Join("\n", Enumerable.Range(1, steps).Select(step => $"""
        class step{step}(Rule):
            listens_to = ["k{step - 1}"]
            def action(self):
                self.k{step} = self.k{step - 1} + 1

        """)));

    private static string Rules(JsonElement answer) =>
        string.Join(' ', answer.GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("rule").GetString()!.Split(':')[1]));
}
