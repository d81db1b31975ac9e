using System.Text;
using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>Whether a cell of a child of the host has anything in its memory that it should not.</summary>
public sealed class ChildLeakTests(ChildLeakFixture cells) : LeakTests(cells), IClassFixture<ChildLeakFixture>;

/// <summary>Whether a cell of a service has anything in its memory that it should not.</summary>
public sealed class NobodyLeakTests(NobodyLeakFixture cells) : LeakTests(cells), IClassFixture<NobodyLeakFixture>;

/// <summary>A cell looks through all of its memory, which is what the zygote had at its fork and what came since.</summary>
public abstract class LeakTests(AttackFixture cells)
{
    [Fact]
    public async Task A_cell_finds_what_it_was_given_itself()
    {
        var mark = Guid.NewGuid().ToString("N");

        (await FindAsync(mark, $"kept = '{mark}'\n")).ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_cell_finds_nothing_of_the_hosts_environment() =>
        (await FindAsync(AttackFixture.Mark, "")).ShouldBe(0);

    [Fact]
    public async Task A_cell_finds_nothing_that_another_tenant_has()
    {
        var mark = Guid.NewGuid().ToString("N");
        var other = TestTenant.WithRule(cells.Sandbox, $"kept = '{mark}'\nclass go(Rule):\n    listens_to = ['go']\n    def action(self): self.out = self.go * 2\n");
        other.Have(0, "secret", $"\"{mark}\"");
        (await other.OneRunAsync(1, ("go", $"\"{mark}\""))).Outcome.ShouldBe(RunOutcome.Ran);

        // Once beside the other's cell, and once when it is gone.
        (await FindAsync(mark, "")).ShouldBe(0);
        cells.Sandbox.Drop(other.Tree.Tenant);
        (await FindAsync(mark, "")).ShouldBe(0);
    }

    /// <summary>How often a fresh cell finds the text in its memory, beside the place from which it looks.</summary>
    private async Task<int> FindAsync(string mark, string more)
    {
        var tenant = TestTenant.WithRule(cells.Sandbox, Attempt.Source("scan") + more);

        (await tenant.OneRunAsync(15, ("masked", $"\"{Convert.ToHexStringLower([.. Encoding.ASCII.GetBytes(mark).Select(one => (byte)(one ^ 0x5A))])}\""))).Error.ShouldBeNull();

        tenant.Kvp(15, "own").ShouldBe("true");
        TestContext.Current.TestOutputHelper?.WriteLine($"{tenant.Kvp(15, "kib")} KiB were looked through.");
        int.Parse(tenant.Kvp(15, "kib")!).ShouldBeGreaterThan(20_000);
        return int.Parse(tenant.Kvp(15, "others")!);
    }
}
