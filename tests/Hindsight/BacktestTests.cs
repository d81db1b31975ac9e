using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Eddy.Tests.Hindsight;

/// <summary>A draft is tried on all that was in a part of the log.</summary>
[Collection(nameof(HindsightWay))]
public sealed class BacktestTests(HindsightWay way)
{
    private const string Rules = """
        class hot(Rule):
            listens_to = ["temperature"]

            def check(self):
                return self.temperature > 90

            def action(self):
                self.alert = (self.alert or 0) + 1
                shared.alerts = (shared.alerts or 0) + 1
                if self.alert == 2: send_email("ops@acme.test", "twice")

        class most(Rule):
            listens_to = ["temperature"]

            def check(self):
                return not Process.objects.filter(temperature__gt=self.temperature).exists()

            def action(self):
                self.most = self.temperature

        class above(Rule):
            listens_to = ["child.temperature"]

            def action(self):
                self.sum = sum(one.temperature or 0 for one in children)
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_in_force_comes_to_what_is_on_record_and_a_draft_to_what_differs()
    {
        var caller = await way.CallerAsync(("scripts/hot.py", Rules));
        var top = (await caller.SettleAsync("""{"name": "top"}""")).GetProperty("pid").GetInt64();
        var pids = new List<long>();
        foreach (var degrees in (int[])[85, 95, 99, 20, 91, 100])
        {
            var parent = pids.Count % 2 == 0 ? $$""", "PARENT": {"$process": {{top}}}""" : "";
            pids.Add((await caller.SettleAsync($$"""{"temperature": {{degrees}}{{parent}}}""")).GetProperty("pid").GetInt64());
        }

        foreach (var (pid, degrees) in pids.Zip((int[])[96, 97, 10, 92, 89, 1]))
        {
            await caller.SettleAsync($$"""{"temperature": {{degrees}}}""", $"?pid={pid}");
        }

        foreach (var rule in (string[])["hot", "most", "above"])
        {
            var same = await DoneAsync(caller, Rules, rule);
            (same.GetProperty("more").GetInt32(), same.GetProperty("fewer").GetInt32(), same.GetProperty("otherwise").GetInt32()).ShouldBe((0, 0, 0), same.ToString());
            same.GetProperty("draft").ToString().ShouldBe(same.GetProperty("record").ToString(), rule);
            same.GetProperty("draft").GetProperty("ran").GetInt32().ShouldBeGreaterThan(2, rule);
        }

        var before = await caller.GetAsync("/api/events?limit=1000");
        var draft = await DoneAsync(caller, Rules.Replace("> 90", "> 95", StringComparison.Ordinal), "hot");

        // 95, 91 and 92 would not do any more.
        (draft.GetProperty("more").GetInt32(), draft.GetProperty("fewer").GetInt32()).ShouldBe((0, 3));
        draft.GetProperty("draft").GetProperty("saidNo").GetInt32().ShouldBe(draft.GetProperty("record").GetProperty("saidNo").GetInt32() + 3);
        draft.GetProperty("examples").EnumerateArray().Select(example => example.GetProperty("kind").GetString()).ShouldAllBe(kind => kind == "fewer");
        draft.GetProperty("timeline").EnumerateArray().Sum(part => part.GetProperty("record").GetInt32()).ShouldBe(draft.GetProperty("record").GetProperty("ran").GetInt32());
        (await DoneAsync(caller, Rules.Replace("+ 1", "+ 2", StringComparison.Ordinal), "hot")).GetProperty("otherwise").GetInt32().ShouldBeGreaterThan(3);
        (await DoneAsync(caller, Rules.Replace("> 90", "> self.none", StringComparison.Ordinal), "hot")).GetProperty("draft").GetProperty("failed").GetInt32().ShouldBe(12);
        (await caller.GetAsync("/api/events?limit=1000")).ToString().ShouldBe(before.ToString());
    }

    [Fact]
    public async Task One_that_does_not_end_is_stopped_and_nobody_else_sees_it()
    {
        var caller = await way.CallerAsync(("scripts/hot.py", Rules));
        await caller.SettleAsync("""{"temperature": 1}""");
        var other = await way.CallerAsync();

        var first = await BeginAsync(caller, "class hot(Rule):\n    listens_to = [\"temperature\"]\n    def check(self):\n        while True: pass\n", null).JsonAsync(HttpStatusCode.Accepted);
        var path = $"/api/backtests/{first.GetProperty("id")}";

        (await BeginAsync(caller, Rules, "hot").ProblemAsync(HttpStatusCode.Conflict)).ShouldBe("in-use");
        await other.GetAsync(path, HttpStatusCode.NotFound);
        (await other.Http.DeleteAsync(path, Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await caller.Http.DeleteAsync(path, Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await EndAsync(caller, first)).GetProperty("stopped").GetString().ShouldBe("It was stopped.");
        (await EndAsync(caller, await BeginAsync(caller, "x = (", null).JsonAsync(HttpStatusCode.Accepted))).GetProperty("stopped").GetString()!.ShouldStartWith("The text does not load, at line 1");
        (await EndAsync(caller, await BeginAsync(caller, Rules, null).JsonAsync(HttpStatusCode.Accepted))).GetProperty("stopped").GetString().ShouldBe("Say by 'rule' which one is to run: hot, most and above.");
    }

    private static async Task<JsonElement> DoneAsync(TestCaller caller, string text, string rule)
    {
        var ended = await EndAsync(caller, await BeginAsync(caller, text, rule).JsonAsync(HttpStatusCode.Accepted));
        ended.GetProperty("stopped").ValueKind.ShouldBe(JsonValueKind.Null, ended.ToString());
        return ended.GetProperty("result");
    }

    private static async Task<JsonElement> EndAsync(TestCaller caller, JsonElement begun)
    {
        var now = begun;
        await Patience.UntilAsync("the backtest has ended", Patience.Long, async () =>
        {
            now = await caller.GetAsync($"/api/backtests/{begun.GetProperty("id")}");
            return now.GetProperty("result").ValueKind != JsonValueKind.Null || now.GetProperty("stopped").ValueKind != JsonValueKind.Null;
        });
        return now;
    }

    private static Task<HttpResponseMessage> BeginAsync(TestCaller caller, string text, string? rule) => caller.Http.PostAsync(
        "/api/backtests", new StringContent(new JsonObject { ["path"] = "scripts/hot.py", ["text"] = text, ["rule"] = rule }.ToJsonString(), Encoding.UTF8, "application/json"), Cancel);
}
