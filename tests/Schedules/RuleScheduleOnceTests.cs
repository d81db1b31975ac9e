namespace Eddy.Tests.Schedules;

/// <summary>A tick survives the end of those who see to it.</summary>
[Trait("Category", "Long")]
public sealed class RuleScheduleOnceTests
{
    [Fact]
    public async Task A_tick_that_is_interrupted_by_kill_9_goes_on_and_wakes_each_process_once_and_events_pass_it()
    {
        await using var product = await TestProduct.StartAsync("Schedules__Wakings=50");
        var tenant = await TestTenant.MakeAsync(product.Database);
        var caller = new TestCaller(tenant, tenant.Client(product.Address));
        await caller.SaveAsync("scripts/a.py", """
            class yearly(Rule):
                schedule = "0 0 1 1 *"

                def action(self):
                    self.times = (self.times or 0) + 1

            class other(Rule):
                listens_to = ["go"]

                def action(self):
                    self.went = True
            """);
        for (var i = 0; i < 4; i++)
        {
            await caller.SendAsync($"[{string.Join(',', Enumerable.Range(0, 500).Select(n => $"{{\"n\": {n}}}"))}]");
        }

        await caller.SettleAsync("""{"go": 1}""");
        var log = new TestLog(product.Database);
        (await log.TextsAsync(tenant.Id, "select cron from rule_schedules where tenant_id = $1")).ShouldBe(["0 0 1 1 *"]);

        await tenant.PrepareAsync("update rule_schedules set next_at = now(), look_at = now() where tenant_id = $1");
        for (var kill = 1; kill <= 3; kill++)
        {
            await Patience.UntilAsync("it has come further", Patience.Long, async () =>
                (await log.TextsAsync(tenant.Id, $"select 1 from rule_schedules where tenant_id = $1 and (tick_count > {kill * 300} or last_at is not null)")).Count == 1);
            product.Kill("worker").ShouldBeTrue();
            (await caller.SettleAsync("""{"go": 1}""")).GetProperty("kvps").GetProperty("went").GetBoolean().ShouldBeTrue();
        }

        await Patience.UntilAsync("all is done", Patience.Long, async () =>
            (await log.TextsAsync(tenant.Id, "select 1 from rule_schedules where tenant_id = $1 and last_at is null union all select 1 from arrivals where tenant_id = $1 union all select 1 from wakings where tenant_id = $1")).Count == 0);
        (await log.TextsAsync(tenant.Id, "select last_outcome || ' ' || last_count from rule_schedules where tenant_id = $1")).ShouldBe(["ran 2001"]);
        (await log.TextsAsync(tenant.Id, "select value::text || ' ' || count(*) from kvps where tenant_id = $1 and key = 'times' group by value")).ShouldBe(["1 2001"]);
        await log.ShouldBeSoundAsync(tenant.Id);
    }
}
