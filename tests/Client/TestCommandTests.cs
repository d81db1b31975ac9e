namespace Eddy.Tests.Client;

public sealed class TestCommandTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private const string Heat = """
        class high_temperature(Rule):
            listens_to = ["temperature"]

            def check(self):
                return self.temperature > 90

            def action(self):
                self.alert = "Too hot"

        """;

    private const string Test = """
        def test_a_hot_room_is_told():
            room = send(temperature=95)
            assert room.alert == "Too hot"

        """;

    [Fact]
    public async Task Tests_run_with_the_files_as_they_are_here_and_nothing_of_it_comes_into_force()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var server = new TestCaller(tenant, tenant.Client(shared.Web));
        await server.SaveAsync("scripts/heat.py", Heat);
        await server.SaveAsync("tests/test_heat.py", Test);
        using var me = await TestClient.MakeAsync(shared.Web.Address, tenant.Key);
        await me.DoAsync("pull");
        (await me.DoAsync("test")).ShouldContain("  ✓ test_a_hot_room_is_told");
        me.Write("scripts/heat.py", Heat.Replace("> 90", "> 99", StringComparison.Ordinal));

        var failed = await me.RunAsync("test", "tests/test_heat.py");
        var pushed = await me.RunAsync("push", "--test");
        var remote = await me.DoAsync("test", "--remote");
        me.Write("scripts/heat.py", Heat + "class x(Rule)\n");
        var broken = await me.RunAsync("test");

        failed.Code.ShouldBe(1);
        failed.Out.ShouldContain("  ✗ test_a_hot_room_is_told");
        failed.Out.ShouldMatch("(?m)^tests/test_heat\\.py:3:1: error: ");
        failed.Out.ShouldContain("0 passed, 1 failed in ");
        pushed.Code.ShouldBe(1);
        pushed.Error.ShouldContain("Nothing was pushed, because a test fails.");
        remote.ShouldContain("1 passed, 0 failed in ");
        broken.Code.ShouldBe(1);
        broken.Out.ShouldContain("scripts/heat.py:9:1: error: ");
        (await server.Http.GetStringAsync("/api/files/scripts/heat.py", TestContext.Current.CancellationToken)).ShouldBe(Heat);
        me.Write("scripts/heat.py", Heat.Replace("> 90", "> 80", StringComparison.Ordinal));
        (await me.DoAsync("push", "--test")).ShouldContain("1 file saved");
    }
}
