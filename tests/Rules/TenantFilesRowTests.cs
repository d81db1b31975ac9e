using System.Net;
using System.Text.Json;

namespace Eddy.Tests.Rules;

/// <summary>The rows of "Files of a tenant": what each folder holds is used as its row says. What <c>requirements.txt</c> does is in <see cref="Packages.RequirementsTests"/>; API scripts answer nobody yet.</summary>
public sealed class TenantFilesRowTests(TestWay way) : IClassFixture<TestWay>
{
    [Fact]
    public async Task Scripts()
    {
        var caller = await way.CallerAsync(("scripts/deep/a.py", "class a(Rule):\n    listens_to = ['n']\n    def action(self): self.got = 1\n"), ("libraries/b.py", "class b(Rule):\n    listens_to = ['n']\n    def action(self): self.got = 2\n"));

        (await GotAsync(caller)).ShouldBe("1");
    }

    [Fact]
    public async Task Libraries()
    {
        var caller = await CallerAsync(
            "import money, libraries.money, bank.notes, yaml\n        self.got = [money is libraries.money, money.cents(2), bank.notes.name, yaml.mine]",
            ("libraries/money.py", "def cents(n): return n * 100\n"), ("libraries/bank/__init__.py", ""), ("libraries/bank/notes.py", "name = __name__\n"), ("libraries/yaml.py", "mine = True\n"));

        (await GotAsync(caller)).ShouldBe("""[true,200,"bank.notes",true]""");
    }

    [Theory]
    [InlineData("card_html_files/heat.html")]
    [InlineData("pages/index.html")]
    public async Task Cards_and_pages(string path)
    {
        const string Text = "<p>{{process.temperature}} {% import os %}</p>\n";
        var caller = await CallerAsync("self.got = 1", (path, Text));

        (await GotAsync(caller)).ShouldBe("1");
        (await caller.Http.GetStringAsync("/api/files/" + path, TestContext.Current.CancellationToken)).ShouldBe(Text);
    }

    [Fact]
    public async Task Workspace()
    {
        var caller = await CallerAsync("before = open('prices.csv').read(); open('prices.csv', 'w').write('new'); open('other', 'w').write('x'); workspace.save('prices.csv')\n        self.got = [before, open('prices.csv').read()]",
            ("workspace/prices.csv", "old"));

        (await GotAsync(caller)).ShouldBe("""["old","new"]""");
        (await caller.Http.GetStringAsync("/api/files/workspace/prices.csv", TestContext.Current.CancellationToken)).ShouldBe("new");
        (await caller.Http.GetAsync("/api/files/workspace/other", TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private async Task<TestCaller> CallerAsync(string action, params (string Path, string Text)[] files) =>
        await way.CallerAsync([.. files, ("scripts/do.py", $"class do(Rule):\n    listens_to = ['n']\n    def action(self):\n        {action}\n")]);

    private static async Task<string> GotAsync(TestCaller caller)
    {
        var answer = await caller.SettleAsync("""{"n": 1}""");
        answer.GetProperty("runs").EnumerateArray().Where(run => run.GetProperty("outcome").GetString() is "failed" or "killed").Select(run => run.ToString()).ShouldBeEmpty();
        return JsonSerializer.Serialize(answer.GetProperty("kvps").GetProperty("got"));
    }
}
