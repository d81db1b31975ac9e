using System.Text.RegularExpressions;

namespace Eddy.Tests.Rules;

/// <summary>The examples of <c>docs/rules.md</c>, in force as they stand there, do what the page says of them.</summary>
public sealed class PageExampleTests(TestWay way) : IClassFixture<TestWay>
{
    [Fact]
    public async Task Required_waits_for_the_last_of_its_keys()
    {
        var caller = await CallerAsync("class invite(Rule):");

        var pid = (await caller.SettleAsync("""{"email": "ada@acme.test", "first": "Ada"}""")).GetProperty("pid").GetInt64();
        var lacking = (await caller.ProcessAsync(pid)).TryGetProperty("invited", out _);
        await caller.SettleAsync("""{"last": "Lovelace"}""", $"?pid={pid}");

        lacking.ShouldBeFalse();
        (await caller.ProcessAsync(pid)).GetProperty("invited").GetString().ShouldBe("Ada at ada@acme.test");
    }

    [Fact]
    public async Task Models_are_kept_and_found()
    {
        var caller = await CallerAsync("class Service(Model):", "class probe(Rule):");

        await caller.SettleAsync("""{"probed": "db", "answered": true}""");
        var answer = await caller.SettleAsync("""{"probed": "web", "answered": false}""");

        answer.GetProperty("kvps").GetProperty("down").ToString().ShouldBe("""["web"]""");
    }

    [Fact]
    public async Task Mail_and_card_go_out_with_the_values()
    {
        var caller = await CallerAsync("class tell_operations(Rule):");

        await caller.SettleAsync("""{"temperature": 95, "alert": "Too hot"}""");

        var mail = (await caller.GetAsync("/api/outbox")).GetProperty("mails").EnumerateArray().ShouldHaveSingleItem();
        mail.GetProperty("subject").GetString()!.ShouldStartWith("Too hot (PID:");
        (await caller.GetAsync($"/api/outbox/{mail.GetProperty("id")}")).GetProperty("text").GetString()!.ShouldContain("It is **95** degrees. Too hot!");
        (await caller.GetAsync("/api/cards?user=anna@acme.test")).GetProperty("cards").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task A_file_of_the_workspace_is_read_and_another_saved()
    {
        var caller = await CallerAsync("class price(Rule):");
        await caller.SaveAsync("workspace/prices.csv", "pen,2\nink,7\n");

        var answer = await caller.SettleAsync("""{"item": "ink"}""");

        answer.GetProperty("kvps").GetProperty("price").GetString().ShouldBe("7");
        (await caller.Http.GetStringAsync("/api/files/workspace/asked.txt", TestContext.Current.CancellationToken)).ShouldBe("ink\n");
    }

    [Fact]
    public async Task What_is_held_follows_the_run_that_failed_once_that_is_mended()
    {
        var caller = await CallerAsync("class bill(Rule):");
        var path = (await caller.GetAsync("/api/rules")).GetProperty("rules")[0].GetProperty("file").GetString()!;
        var text = await caller.Http.GetStringAsync("/api/files/" + path, TestContext.Current.CancellationToken);

        var pid = (await caller.SettleAsync("""{"ordered": {"price": 2}}""")).GetProperty("pid").GetInt64();
        await caller.SettleAsync("""{"ordered": {"price": 2, "count": 3}}""", $"?pid={pid}");

        var kvps = await caller.ProcessAsync(pid);
        (kvps.GetProperty("quarantined_script").GetString(), kvps.GetProperty("quarantine_error").GetString(), kvps.TryGetProperty("total", out _)).ShouldBe(($"{path}:bill", "KeyError: 'count'", false));
        (await caller.GetAsync("/api/outbox")).GetProperty("mails").EnumerateArray().ShouldHaveSingleItem();
        await caller.SaveAsync(path, text + "\n# looked at\n");
        await Patience.UntilAsync("both have run", Patience.Long, async () => (await caller.GetAsync("/api/quarantine/runs")).GetProperty("runs").GetArrayLength() == 0);
        (await caller.ProcessAsync(pid)).GetProperty("total").GetInt32().ShouldBe(6);
    }

    [Fact]
    public async Task Every_name_that_the_platform_gives_is_on_the_page()
    {
        var caller = await way.CallerAsync(("scripts/names.py", """
            import builtins
            class names(Rule):
                listens_to = ["n"]
                def action(self):
                    self.names = sorted(set(__builtins__) - set(vars(builtins)))
            """));

        var names = (await caller.SettleAsync("""{"n": 1}""")).GetProperty("kvps").GetProperty("names").EnumerateArray().Select(name => name.GetString()!).ToList();

        names.ShouldContain("send_email");
        names.Where(name => !Regex.IsMatch(RulesPage.Text, $@"`[^`\n]*\b{name}\b[^`\n]*`")).ShouldBeEmpty();
    }

    /// <summary>A fresh tenant with the blocks of the page in force that these lines are in.</summary>
    private Task<TestCaller> CallerAsync(params string[] lines) => way.CallerAsync(RulesPage.Files(RulesPage.Blocks.Where(block => lines.Any(block.Contains))));
}
