namespace Eddy.Tests.Bugs;

/// <summary>A worker that won a shard back went on with the cell of the time before, which knew nothing of what another worker had done meanwhile.</summary>
public sealed class CellOutlivedItsLeaseTests(TestDatabase database)
{
    [Fact]
    public async Task What_another_worker_did_meanwhile_is_known_to_the_rules_of_the_one_that_comes_back()
    {
        await using var own = await database.OfItsOwnAsync();
        await using var web = await TestWeb.StartAsync(own);
        await using var first = await TestWorker.StartAsync(own);
        var tenant = await TestTenant.MakeAsync(own);
        while (tenant.Id.Shard < 32)
        {
            // The upper half is what the first gives away.
            tenant = await TestTenant.MakeAsync(own);
        }

        var caller = new TestCaller(tenant, tenant.Client(web));
        await caller.SaveAsync("scripts/count.py", """
            class count(Rule):
                listens_to = ["n"]

                def action(self):
                    self.counted = (self.counted or 0) + 1
                    shared.total = (shared.total or 0) + 1
            """);
        var pid = (await caller.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();

        await using (var second = await TestWorker.StartAsync(own))
        {
            await Patience.UntilAsync("each has its half", () => (first.Shards, second.Shards) == (32, 32));
            await caller.SettleAsync("""{"n": 2}""", $"?pid={pid}");
        }

        await Patience.UntilAsync("the first has it all again", () => first.Shards == 64);
        var answer = await caller.SettleAsync("""{"n": 3}""", $"?pid={pid}");

        answer.GetProperty("kvps").GetProperty("counted").GetInt32().ShouldBe(3);
        (await caller.SharedAsync()).GetProperty("total").GetInt32().ShouldBe(3);
        await new TestLog(own).ShouldBeSoundAsync(tenant.Id);
    }
}
