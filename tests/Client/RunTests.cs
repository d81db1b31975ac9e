using System.Text.Json;

namespace Eddy.Tests.Client;

/// <summary>What runs, from a terminal: run, logs, watch.</summary>
public sealed class RunTests(TestWay way) : IClassFixture<TestWay>
{
    private const string Heat = """
        class high_temperature(Rule):
            listens_to = ["temperature"]

            def check(self):
                return self.temperature > 90

            def action(self):
                self.alert = "Too hot"
                print(f"{self.temperature} degrees")

        class tell(Rule):
            listens_to = ["alert"]

            def action(self):
                send_email("ann@acme.test", "it is " + self.alert, subject="Heat")
                self.told = True

        class breaks(Rule):
            listens_to = ["broken"]

            def action(self):
                raise ValueError("no")
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_event_prints_what_it_came_to_as_a_tree()
    {
        var (_, me) = await MakeAsync();
        using var __ = me;

        var ran = await me.DoAsync("run", "--wait", "60", "temperature", ":=", "95", "room=attic");

        var lines = ran.Split('\n');
        lines[0].ShouldStartWith("process 1  settled after ");
        lines[1].ShouldStartWith("✓ scripts/heat.py:high_temperature  ");
        lines[2].ShouldBe("  alert := \"Too hot\"");
        lines[3].ShouldBe("  | 95 degrees");
        lines[4].ShouldStartWith("    ✓ scripts/heat.py:tell  ");
        lines[5].ShouldBe("      told := true");
        lines[6].ShouldStartWith("      mail to ann@acme.test: Heat");
        (await me.DoAsync("run", "--wait", "60", "temperature=5", "--pid", "1")).ShouldContain("· scripts/heat.py:high_temperature  check said no");
        JsonDocument.Parse(await me.DoAsync("run", "--wait", "60", "temperature=95", "--json")).RootElement.GetProperty("runs").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task What_fails_is_told_with_its_place_by_run_and_by_logs()
    {
        var (_, me) = await MakeAsync();
        using var __ = me;
        await me.DoAsync("run", "--wait", "60", "temperature=95");

        var failed = await me.RunAsync("{\"broken\": 1}", ["run", "--wait", "60", "--body", "-"]);

        failed.Code.ShouldBe(1);
        failed.Out.ShouldContain("✗ scripts/heat.py:breaks  failed");
        failed.Out.ShouldContain("scripts/heat.py:22: ValueError: no");
        var logs = await me.DoAsync("logs");
        logs.ShouldContain("scripts/heat.py:high_temperature");
        logs.ShouldContain("  | 95 degrees");
        var faults = await me.DoAsync("logs", "--failed");
        faults.ShouldContain("scripts/heat.py:22: ValueError: no");
        faults.ShouldNotContain("high_temperature");
        (await me.DoAsync("logs", "--rule", "tell", "--json")).Trim().Split('\n').Length.ShouldBe(1);
    }

    [Fact]
    public async Task A_local_text_is_tried_and_nothing_of_it_is_in_force()
    {
        var (server, me) = await MakeAsync();
        using var __ = me;
        await me.DoAsync("run", "--wait", "60", "temperature=95");
        await me.DoAsync("pull");
        me.Write("scripts/heat.py", Heat.Replace("> 90", "> 99", StringComparison.Ordinal).Replace("Too hot", "Much too hot", StringComparison.Ordinal));

        var past = await me.DoAsync("run", "--dry", "scripts/heat.py", "--rule", "high_temperature", "--event", "1");
        var typed = await me.DoAsync("run", "--dry", "scripts/heat.py", "--rule", "high_temperature", "temperature", ":=", "120");

        past.ShouldContain("· scripts/heat.py:high_temperature would not run: its check says no");
        past.ShouldContain("check self.temperature 95 > 99");
        past.ShouldContain("then, in run");
        typed.ShouldContain("  alert := \"Much too hot\"");
        (await server.GetAsync("/api/events")).GetProperty("last").GetInt64().ShouldBe(3);
    }

    [Fact]
    public async Task Watch_pushes_a_save_tells_what_does_not_compile_takes_what_others_save_and_shows_what_runs()
    {
        var (server, me) = await MakeAsync();
        using var __ = me;
        await me.DoAsync("pull");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        using var told = new TestClient.Told();
        var watching = me.RunAsync("", ["watch"], told, stop.Token);

        me.Write("scripts/heat.py", Heat.Replace("> 90", "> 70", StringComparison.Ordinal));
        await SaysAsync("saved scripts/heat.py as version 2");
        await server.SaveAsync("workspace/theirs.txt", "theirs");
        await Patience.UntilAsync("it is here", () => me.Has("workspace/theirs.txt"));
        await server.SettleAsync("{\"temperature\": 80}");
        await SaysAsync("| 80 degrees");
        me.Write("scripts/heat.py", Heat + "\nclass x(Rule)\n");
        me.Write("scripts/heat.py", Heat.Replace("> 90", "> 60", StringComparison.Ordinal));
        await SaysAsync("as version 4");

        await stop.CancelAsync();
        (await watching).Code.ShouldBe(130);
        (await server.Http.GetStringAsync("/api/files/scripts/heat.py", Cancel)).ShouldBe(Heat.Replace("> 90", "> 60", StringComparison.Ordinal));

        Task SaysAsync(string text) => Patience.UntilAsync($"it says: {text}", Patience.Long, () => Task.FromResult(told.ToString().Contains(text, StringComparison.Ordinal)));
    }

    private async Task<(TestCaller Server, TestClient Me)> MakeAsync()
    {
        var server = await way.CallerAsync(("scripts/heat.py", Heat));
        return (server, await TestClient.MakeAsync(way.Web.Address, server.Tenant.Key));
    }
}
