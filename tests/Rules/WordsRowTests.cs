using System.Net;
using System.Text.Json;

namespace Eddy.Tests.Rules;

/// <summary>The rows of the glossary ("Words"), in their order: each word is what its row says.</summary>
public sealed class WordsRowTests(TestWay way) : IClassFixture<TestWay>
{
    private const string Heat = """
        class heat(Rule):
            listens_to = ["temperature", "room"]
            def check(self):
                return self.temperature > 90
            def action(self):
                self.alert = "hot"

        class tell(Rule):
            listens_to = ["alert"]
            def action(self):
                load_card("heat", user="anna@acme.test")
        """;

    [Theory]
    [InlineData("Key", HttpStatusCode.Accepted)]
    [InlineData("a key with spaces, and ünïcode", HttpStatusCode.Accepted)]
    [InlineData("tab\there", HttpStatusCode.BadRequest)]
    [InlineData("", HttpStatusCode.BadRequest)]
    [InlineData("128", HttpStatusCode.Accepted)]
    [InlineData("129", HttpStatusCode.BadRequest)]
    public async Task KVP(string key, HttpStatusCode status)
    {
        var caller = await way.CallerAsync();
        var name = int.TryParse(key, out var length) ? new string('k', length) : key;

        using var answer = await caller.PostAsync(JsonSerializer.Serialize(new Dictionary<string, int> { [name] = 1, ["key"] = 2 }));

        answer.StatusCode.ShouldBe(status, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        if (status == HttpStatusCode.Accepted)
        {
            await caller.SettleAsync("""{"after": 1}""");
            var kvps = await caller.ProcessAsync(1);
            (kvps.GetProperty(name).GetInt32(), kvps.GetProperty("key").GetInt32()).ShouldBe((1, 2));
        }
    }

    [Fact]
    public async Task Process_and_PID()
    {
        var (one, other) = (await way.CallerAsync(), await way.CallerAsync());

        await one.SettleAsync("""{"n": 1}""");
        (await one.SettleAsync("""{"n": 2}""")).GetProperty("pid").GetInt64().ShouldBe(2);
        (await other.SettleAsync("""{"n": 3}""")).GetProperty("pid").GetInt64().ShouldBe(1);

        (await one.ProcessAsync(1)).ToString().ShouldBe("""{"n":1}""");
        (await other.GetAsync("/api/processes/2", HttpStatusCode.NotFound)).GetProperty("status").GetInt32().ShouldBe(404);
    }

    [Fact]
    public async Task Shared_KVPs()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class count(Rule):
                listens_to = ["n"]
                def action(self):
                    shared.sum = (shared.sum or 0) + self.n
                    self.sum = shared.sum
            """));

        await caller.SettleAsync("""{"n": 1}""");
        var answer = await caller.SettleAsync("""{"n": 2}""");

        answer.GetProperty("kvps").GetProperty("sum").GetInt32().ShouldBe(3);
        (await caller.SharedAsync()).GetProperty("sum").GetInt32().ShouldBe(3);
    }

    [Fact]
    public async Task Event()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));

        await caller.SettleAsync("""{"temperature": 95}""");

        var events = (await caller.GetAsync("/api/events?after=0")).GetProperty("events").EnumerateArray().ToList();
        events.Select(one => $"{one.GetProperty("pid")} {one.GetProperty("key")} {one.GetProperty("value")} {one.GetProperty("actor")} {one.GetProperty("source")}")
            .ShouldBe(["1 temperature 95 key:test post", "1 alert hot key:test rule"]);
        events[1].GetProperty("cause").GetInt64().ShouldBe((await caller.GetAsync("/api/runs?rule=heat")).GetProperty("runs")[0].GetProperty("id").GetInt64());
    }

    [Fact]
    public async Task Change_set()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class together(Rule):
                listens_to = ["a", "b"]
                def action(self):
                    self.seen = [[one.key, one.value] for one in events] + [self.a, self.b]
            """));

        var answer = await caller.SettleAsync("""{"a": 1, "b": 2}""");

        answer.GetProperty("runs").GetArrayLength().ShouldBe(1);
        answer.GetProperty("kvps").GetProperty("seen").ToString().ShouldBe("""[["a",1],["b",2],1,2]""");
    }

    [Fact]
    public async Task Rule_and_run()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));

        await caller.SettleAsync("""{"temperature": 95, "room": "hall"}""");
        await caller.SettleAsync("""{"temperature": 20}""");

        (await caller.GetAsync("/api/runs?rule=heat&outcome=ran")).GetProperty("runs").EnumerateArray().ShouldHaveSingleItem().GetProperty("pid").GetInt64().ShouldBe(1);
        (await caller.GetAsync("/api/runs?outcome=no")).GetProperty("runs").EnumerateArray().ShouldHaveSingleItem().GetProperty("pid").GetInt64().ShouldBe(2);
    }

    [Fact]
    public async Task Cascade()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));

        var answer = await caller.SettleAsync("""{"temperature": 95}""");

        var events = (await caller.GetAsync("/api/events?after=0")).GetProperty("events").EnumerateArray();
        events.Select(one => one.GetProperty("arrival").GetString()).Distinct().ShouldBe([answer.GetProperty("arrival").GetString()]);
        answer.GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("rule").GetString()).ShouldBe(["scripts/heat.py:heat", "scripts/heat.py:tell"]);
    }

    [Fact]
    public async Task Drip()
    {
        var caller = await way.CallerAsync();
        using var saved = await caller.PutAsync("/api/drips/hourly", """{"cron": "0 * * * *", "kvps": "report := hourly\nn := 1"}""");
        saved.IsSuccessStatusCode.ShouldBeTrue(await saved.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        for (var run = 1; run <= 2; run++)
        {
            using var ran = await caller.Http.PostAsync("/api/drips/hourly/run", null, TestContext.Current.CancellationToken);
            ran.IsSuccessStatusCode.ShouldBeTrue(await ran.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            await caller.SettleAsync("""{"after": 1}""");
        }

        var processes = (await caller.GetAsync("/api/processes?key.report=hourly")).GetProperty("processes").EnumerateArray();
        processes.Select(one => one.GetProperty("pid").GetInt64()).Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public async Task Card()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));

        await caller.SettleAsync("""{"temperature": 95}""");

        (await caller.GetAsync("/api/cards?user=anna@acme.test")).GetProperty("cards").EnumerateArray().ShouldHaveSingleItem().GetProperty("name").GetString().ShouldBe("heat");
    }

    [Fact]
    public async Task Quarantine()
    {
        var caller = await way.CallerAsync(("scripts/a.py", "class a(Rule):\n    listens_to = ['n']\n    def action(self): self.half = self.n / self.by\n"));

        var pid = (await caller.SettleAsync("""{"n": 4}""")).GetProperty("pid").GetInt64();
        (await caller.GetAsync("/api/quarantine/runs")).GetProperty("runs").EnumerateArray().ShouldHaveSingleItem().GetProperty("pid").GetInt64().ShouldBe(pid);
        await caller.SaveAsync("scripts/a.py", "class a(Rule):\n    listens_to = ['n']\n    def action(self): self.half = self.n / 2\n");

        await Patience.UntilAsync("it has run again", Patience.Long, async () => (await caller.ProcessAsync(pid)).TryGetProperty("half", out _));
        (await caller.GetAsync("/api/quarantine/runs")).GetProperty("runs").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Actor()
    {
        var caller = await way.CallerAsync(("scripts/a.py", "class a(Rule):\n    listens_to = ['n']\n    def action(self): self.by = [self.last_actor, event.actor]\n"));

        (await caller.SettleAsync("""{"n": 1}""")).GetProperty("kvps").GetProperty("by").ToString().ShouldBe("""["key:test","key:test"]""");
    }
}
