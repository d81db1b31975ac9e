using Eddy.Sandbox;
using Eddy.Tests.Sandbox;

namespace Eddy.Tests.Bugs;

/// <summary>A cell told of a slow run at once, and then, before the next, of nothing: the host took that for a falsehood and ended it.</summary>
public sealed class CellEndedForAnEmptyFrameTests(CellFixture cells)
{
    [Fact]
    public async Task A_run_after_one_that_was_new_and_slow_has_the_same_cell()
    {
        var tenant = Eddy.Tests.Sandbox.TestTenant.WithRule(await cells.Sandbox, """
            import os, time
            class first(Rule):
                listens_to = ["slow"]
                def action(self):
                    time.sleep(0.01)
            class second(Rule):
                listens_to = ["quick"]
                def action(self):
                    self.cell = os.getpid()
            """);
        await tenant.PostAsync(1, ("quick", "1"));
        await tenant.PostAsync(1, ("quick", "2"));

        var transcript = await tenant.PostAsync(2, ("slow", "1"), ("quick", "1"));

        transcript.Steps.OfType<RunEnded>().Count().ShouldBe(2);
        tenant.Kvp(2, "cell").ShouldBe(tenant.Kvp(1, "cell"));
    }
}
