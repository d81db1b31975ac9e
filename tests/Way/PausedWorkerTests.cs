namespace Eddy.Tests.Way;

/// <summary>A worker that was stopped in its tracks for longer than its lease is good, and goes on as if nothing had been.</summary>
public sealed class PausedWorkerTests
{
    [Fact]
    public async Task A_worker_paused_past_its_lease_can_not_commit_what_it_had_begun()
    {
        await using var product = await TestProduct.StartAsync();
        var tenant = await TestTenant.MakeAsync(product.Database);
        var caller = new TestCaller(tenant, tenant.Client(product.Address));
        await caller.SaveAsync("scripts/count.py", """
            import time as clock

            class count(Rule):
                listens_to = ["n"]

                def action(self):
                    if self.slow:
                        clock.sleep(1)
                    self.counted = (self.counted or 0) + 1
                    shared.total = (shared.total or 0) + 1
            """);
        await caller.SettleAsync("""{"n": 1}""");

        // Its cell works on this one when it is paused, and has ended by the time that it goes on.
        var begun = await caller.SendAsync("""{"slow": true, "n": 2}""");
        product.Freeze("worker");
        await product.StartWorkerAsync("worker2");
        var settled = await caller.SettleAsync("""{"n": 3}""", $"?pid={begun.GetProperty("pid")}");
        settled.GetProperty("kvps").GetProperty("counted").GetInt32().ShouldBe(2);
        for (var n = 4; n < 20; n++)
        {
            await caller.SettleAsync($$"""{"n": {{n}}}""");
        }

        product.Thaw("worker");
        await Patience.UntilAsync("the log of the first says so", () => product.Log("worker").Contains("is lost", StringComparison.Ordinal));
        await Patience.UntilAsync("the first takes its share again", Patience.Long, async () =>
            (await new TestLog(product.Database).TextsAsync(tenant.Id, "select count(distinct owner) from leases where owner is not null and $1::uuid is not null"))[0] == "2");

        (await caller.SettleAsync("""{"n": 20}""")).GetProperty("kvps").GetProperty("counted").GetInt32().ShouldBe(1);
        (await caller.SharedAsync()).GetProperty("total").GetInt32().ShouldBe(20);
        await new TestLog(product.Database).ShouldBeSoundAsync(tenant.Id);
    }
}
