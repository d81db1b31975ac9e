using Eddy.Sandbox;
using Eddy.Tests.Sandbox;

namespace Eddy.Tests.Bugs;

/// <summary>Whoever waited for a cell while it was dropped went on waiting for its death for five seconds, of which nobody could tell any more, and then heard that the zygote had ended.</summary>
public sealed class DroppedCellWaitedForTests(CellFixture cells)
{
    [Fact]
    public async Task Who_waits_for_a_cell_that_is_dropped_hears_of_it()
    {
        var tenant = Sandbox.TestTenant.WithRule(await cells.Sandbox, """
            import time
            class endless(Rule):
                listens_to = ["go"]
                def action(self):
                    time.sleep(3600)
            """);
        await tenant.LoadAsync();

        var run = tenant.PostAsync(15, ("go", "1"));
        tenant.Sandbox.Drop(tenant.Tree.Tenant);

        (await Should.ThrowAsync<SandboxUnavailable>(run)).Message.ShouldBe("The tenant's cell was dropped.");
    }
}
