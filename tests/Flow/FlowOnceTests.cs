namespace Eddy.Tests.Flow;

/// <summary>What is put off survives the end of those who put it off.</summary>
[Trait("Category", "Long")]
public sealed class FlowOnceTests
{
    [Fact]
    public async Task Runs_that_are_put_off_survive_kill_9_and_each_runs_once()
    {
        await using var product = await TestProduct.StartAsync();
        var tenant = await TestTenant.MakeAsync(product.Database);
        var caller = new TestCaller(tenant, tenant.Client(product.Address));
        await caller.SaveAsync("scripts/flow.py", """
            class settle(Rule):
                listens_to = ["n"]
                debounce = "2s"

                def action(self):
                    self.settled = (self.settled or 0) + 1

            class few(Rule):
                listens_to = ["n"]
                throttle = "1/2s"
                per = "room"

                def action(self):
                    self.seen = (self.seen or 0) + 1

            class again(Rule):
                listens_to = ["n"]
                retry = 1

                def action(self):
                    if not self.ready:
                        raise Retry("not ready")
                    self.tried = (self.tried or 0) + 1
            """);
        var pids = new List<long>();
        for (var n = 0; n < 20; n++)
        {
            pids.Add((await caller.SettleAsync($$"""{"n": {{n}}, "room": {{n % 2}}}""")).GetProperty("pid").GetInt64());
            await caller.SettleAsync("""{"ready": true}""", $"?pid={pids[^1]}");
            if (n % 7 == 6)
            {
                product.Kill("worker").ShouldBeTrue();
            }
        }

        await tenant.PrepareAsync("update deferred set due = now() - interval '1 minute' where tenant_id = $1");
        product.Kill("worker").ShouldBeTrue();

        var log = new TestLog(product.Database);
        await Patience.UntilAsync("all is done", Patience.Long, async () =>
            (await log.TextsAsync(tenant.Id, "select 1 from deferred where tenant_id = $1 union all select 1 from arrivals where tenant_id = $1 union all select 1 from wakings where tenant_id = $1")).Count == 0);
        foreach (var pid in pids)
        {
            (await caller.ProcessAsync(pid)).ToString().ShouldEndWith(",\"seen\":1,\"settled\":1,\"tried\":1}");
        }

        await log.ShouldBeSoundAsync(tenant.Id);
    }
}
