namespace Eddy.Tests.Quarantine;

/// <summary>A rule that uses up its CPU time is switched off until its text changes.</summary>
public sealed class SwitchedOffTests(TestDatabase database)
{
    [Fact]
    public async Task A_rule_that_spins_is_switched_off_and_what_wakes_it_meanwhile_runs_once_it_is_mended()
    {
        await using var own = await database.OfItsOwnAsync();
        await using var worker = await TestWorker.StartAsync(own, "Sandbox:CpuTime=00:00:00.3", "Sandbox:WallTime=00:10:00");
        await using var web = await TestWeb.StartAsync(own);
        var tenant = await TestTenant.MakeAsync(own);
        var caller = new TestCaller(tenant, tenant.Client(web));
        const string rule = """
            class spin(Rule):
                listens_to = ["n"]
                def action(self):
                    LOOP
                    self.seen = event.value
            """;
        await caller.SaveAsync("scripts/a.py", rule.Replace("LOOP", "while True: pass", StringComparison.Ordinal));

        var first = await caller.SendAsync("""{"n": 1}""");
        await Patience.UntilAsync("it is switched off", Patience.Long, async () => (await caller.GetAsync("/api/rules/off")).GetProperty("rules").GetArrayLength() == 1);
        var second = await caller.SettleAsync("""{"n": 2}""");

        (await caller.GetAsync("/api/quarantine")).GetProperty("groups").EnumerateArray().Select(group => group.GetProperty("kind").GetString()).ShouldBe(["off", "failed"]);
        second.GetProperty("runs").GetArrayLength().ShouldBe(0);
        (await caller.GetAsync("/api/rules/off")).GetProperty("rules").EnumerateArray().ShouldHaveSingleItem().GetProperty("rule").GetString().ShouldBe("scripts/a.py:spin");
        (await caller.GetAsync("/api/quarantine/runs")).GetProperty("runs").GetArrayLength().ShouldBe(2);

        await caller.SaveAsync("scripts/a.py", rule.Replace("LOOP", "pass", StringComparison.Ordinal));

        await Patience.UntilAsync("what waited has run", Patience.Long, async () => (await caller.GetAsync("/api/quarantine/runs")).GetProperty("runs").GetArrayLength() == 0);
        (await caller.GetAsync("/api/rules/off")).GetProperty("rules").GetArrayLength().ShouldBe(0);
        (await caller.ProcessAsync(first.GetProperty("pid").GetInt64())).GetProperty("seen").GetInt32().ShouldBe(1);
        (await caller.ProcessAsync(second.GetProperty("pid").GetInt64())).GetProperty("seen").GetInt32().ShouldBe(2);
        await new TestLog(own).ShouldBeSoundAsync(tenant.Id);
    }
}
