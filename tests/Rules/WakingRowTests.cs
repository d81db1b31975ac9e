using System.Text.Json;

namespace Eddy.Tests.Rules;

/// <summary>The rows of "What wakes a rule" in <c>docs/rules.md</c>, in their order: what wakes it, and what <c>self</c> is.</summary>
public sealed class WakingRowTests(TestWay way) : IClassFixture<TestWay>
{
    private const string Family = """
        class family(Rule):
            listens_to = ["family"]
            def action(self):
                self.name = "parent"
                for name in ("one", "two"):
                    Process.objects.create(PARENT=self, name=name)

        class heard(Rule):
            listens_to = [ENTRY]
            def action(self):
                shared.heard = (shared.heard or []) + [[self.name, event.key, child.name if child else None, parent.name if parent else None]]

        """;

    [Fact]
    public async Task Key()
    {
        var (caller, parent, one) = await FamilyAsync("\"key\"");

        await caller.SettleAsync("""{"key": 1, "other": 2}""", $"?pid={one}");
        await caller.SettleAsync("""{"other": 1}""", $"?pid={parent}");

        (await HeardAsync(caller)).ShouldBe("""[["one","key",null,"parent"]]""");
    }

    [Fact]
    public async Task Star()
    {
        var (caller, parent, _) = await FamilyAsync("\"*\"");
        await caller.PutAsync("/api/shared/heard", "[]");

        await caller.PutAsync("/api/shared/key", "1");
        await caller.SettleAsync("""{"anything": 1}""", $"?pid={parent}");

        (await HeardAsync(caller)).ShouldBe("""[["parent","anything",null,null]]""");
    }

    [Fact]
    public async Task Shared_key()
    {
        var (caller, parent, _) = await FamilyAsync("\"shared.key\"", """
            class share(Rule):
                listens_to = ["share"]
                def action(self):
                    shared.key = self.share
            """);

        await caller.SettleAsync("""{"share": 1}""", $"?pid={parent}");
        using (await caller.PutAsync("/api/shared/key", "2"))
        {
        }

        // What the change from outside wakes comes before this.
        await caller.SettleAsync("""{"after": 1}""");
        (await HeardAsync(caller)).ShouldBe("""[["parent","key",null,null],[null,"key",null,null]]""");
    }

    [Fact]
    public async Task Child_key()
    {
        var (caller, parent, one) = await FamilyAsync("\"child.key\"");

        await caller.SettleAsync("""{"key": 1}""", $"?pid={one}");
        await caller.SettleAsync("""{"key": 1}""", $"?pid={parent}");

        (await HeardAsync(caller)).ShouldBe("""[["parent","key","one",null]]""");
    }

    [Fact]
    public async Task Parent_key()
    {
        var (caller, parent, one) = await FamilyAsync("\"parent.key\"");

        await caller.SettleAsync("""{"key": 1}""", $"?pid={one}");
        await caller.SettleAsync("""{"key": 1}""", $"?pid={parent}");

        (await HeardAsync(caller)).ShouldBe("""[["one","key",null,"parent"],["two","key",null,"parent"]]""");
    }

    private async Task<(TestCaller Caller, long Parent, long One)> FamilyAsync(string entry, string more = "")
    {
        var caller = await way.CallerAsync(("scripts/a.py", Family.Replace("ENTRY", entry, StringComparison.Ordinal) + more));
        var parent = (await caller.SettleAsync("""{"family": 1}""")).GetProperty("pid").GetInt64();
        var one = (await caller.GetAsync("/api/processes?key.name=one")).GetProperty("processes")[0].GetProperty("pid").GetInt64();
        return (caller, parent, one);
    }

    private static async Task<string> HeardAsync(TestCaller caller) => JsonSerializer.Serialize((await caller.SharedAsync()).GetProperty("heard"));
}
