namespace Eddy.Tests.Way;

/// <summary>Several workers on one line: each shard has one of them, whatever they do.</summary>
public sealed class WorkerTests(TestDatabase database)
{
    private const string Count = """
        class count(Rule):
            listens_to = ["n"]

            def action(self):
                self.counted = (self.counted or 0) + 1
                shared.total = (shared.total or 0) + 1
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_workers_share_the_line_and_never_run_one_event_twice()
    {
        await using var own = await database.OfItsOwnAsync();
        await using var web = await TestWeb.StartAsync(own);
        var callers = new List<TestCaller>();
        for (var i = 0; i < 12; i++)
        {
            var tenant = await TestTenant.MakeAsync(own);
            callers.Add(new TestCaller(tenant, tenant.Client(web)));
            await callers[^1].SaveAsync("scripts/count.py", Count);
        }

        await using var first = await TestWorker.StartAsync(own);
        await Patience.UntilAsync("the first has the whole line", () => first.Shards == 64);
        var sent = new int[callers.Count];
        using var enough = new CancellationTokenSource();
        var load = callers.Select((caller, i) => Task.Run(() => LoadAsync(caller, i), Cancel)).ToList();

        // One comes, one goes, and comes again, while all is under load.
        await using (var second = await TestWorker.StartAsync(own))
        {
            await Patience.UntilAsync("each has its half", () => (first.Shards, second.Shards) == (32, 32));
            await SomeMoreAsync();
        }

        await Patience.UntilAsync("the first has it all again", () => first.Shards == 64);
        await using var third = await TestWorker.StartAsync(own);
        await Patience.UntilAsync("each has its half", () => (first.Shards, third.Shards) == (32, 32));
        await first.StopAsync();
        await Patience.UntilAsync("the third has it all", () => third.Shards == 64);
        await SomeMoreAsync();
        await enough.CancelAsync();
        await Task.WhenAll(load);

        var log = new TestLog(own);
        foreach (var (i, caller) in callers.Index())
        {
            (await caller.SharedAsync()).GetProperty("total").GetInt32().ShouldBe(sent[i]);
            (await log.TextsAsync(caller.Tenant.Id, "select pid from kvps where tenant_id = $1 and key = 'counted' and value <> '1'")).ShouldBeEmpty();
            (await log.CountAsync(caller.Tenant.Id, "refused")).ShouldBe(0);
            await log.ShouldBeSoundAsync(caller.Tenant.Id);
        }

        async Task LoadAsync(TestCaller caller, int i)
        {
            while (!enough.IsCancellationRequested)
            {
                await caller.SendAsync("""[{"n": 1}, {"n": 2}, {"n": 3}]""");
                var answer = await caller.SettleAsync("""{"n": 4}""");
                answer.GetProperty("kvps").GetProperty("counted").GetInt32().ShouldBe(1);
                Interlocked.Add(ref sent[i], 4);
            }
        }

        Task SomeMoreAsync()
        {
            var before = sent.ToArray();
            return Patience.UntilAsync("everybody's events are settled", () => sent.Index().All(now => now.Item >= before[now.Index] + 20));
        }
    }

    [Fact]
    public async Task A_worker_that_stops_gives_its_shards_back_at_once_and_another_takes_over()
    {
        await using var own = await database.OfItsOwnAsync();
        await using var web = await TestWeb.StartAsync(own);
        var tenant = await TestTenant.MakeAsync(own);
        var caller = new TestCaller(tenant, tenant.Client(web));
        await caller.SaveAsync("scripts/slow.py", """
            import time as clock

            class slow(Rule):
                listens_to = ["n"]

                def action(self):
                    clock.sleep(0.5)
                    self.done = True
            """);

        // Leases that nobody gave back would be good for a minute.
        var first = await TestWorker.StartAsync(own, "Pump:Lease=00:01:00");
        await caller.SettleAsync("""{"n": 1}""");
        await using var second = await TestWorker.StartAsync(own, "Pump:Lease=00:01:00");
        await Patience.UntilAsync("each has its half", () => (first.Shards, second.Shards) == (32, 32));
        (await new TestLog(own).TextsAsync(tenant.Id, "select count(*) from leases where epoch > 1 and $1::uuid is not null")).ShouldBe(["32"], "only what was above the share has changed hands");
        var under = caller.SettleAsync("""{"n": 2}""");
        await first.DisposeAsync();

        await Patience.UntilAsync("the second has the whole line", () => second.Shards == 64);
        (await under).GetProperty("kvps").ToString().ShouldBe("""{"done":true,"n":2}""");
        (await caller.SettleAsync("""{"n": 3}""")).GetProperty("kvps").ToString().ShouldBe("""{"done":true,"n":3}""");
        await new TestLog(own).ShouldBeSoundAsync(tenant.Id);
    }
}
