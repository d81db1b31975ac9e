namespace Eddy.Tests.Bugs;

/// <summary>Where what a pump knew of a tenant was out of date, the commit's refusal was laid on the arrival, which was put aside for good.</summary>
public sealed class ArrivalRefusedForItsPumpTests(TestWay way) : IClassFixture<TestWay>
{
    [Fact]
    public async Task An_arrival_is_not_refused_because_its_pump_had_the_head_wrong()
    {
        var caller = await way.CallerAsync(("scripts/count.py", """
            class count(Rule):
                listens_to = ["n"]

                def action(self):
                    shared.total = (shared.total or 0) + 1
            """));
        await caller.SettleAsync("""{"n": 1}""");
        await caller.Tenant.PrepareAsync("update heads set position = position + 100 where tenant_id = $1");

        var answer = await caller.SettleAsync("""{"n": 2}""");

        answer.GetProperty("kvps").ToString().ShouldBe("""{"n":2}""");
        (await caller.SharedAsync()).GetProperty("total").GetInt32().ShouldBe(2);
        (await new TestLog(way.Database).CountAsync(caller.Tenant.Id, "refused")).ShouldBe(0);
    }
}
