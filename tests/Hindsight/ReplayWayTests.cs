using System.Net;
using System.Text;
using System.Text.Json;
using Eddy.Hindsight;
using Eddy.Tests.Access;

namespace Eddy.Tests.Hindsight;

/// <summary>Events that come in once more, by the door and the line, for the rules as they are now.</summary>
public sealed class ReplayWayTests(TestWay way) : IClassFixture<TestWay>
{
    private const string Telling = """
        class hot(Rule):
            listens_to = ["temperature"]

            def action(self):
                self.alert = (self.alert or 0) + 1

        class tell(Rule):
            listens_to = ["alert"]

            def action(self):
                send_email("ops@acme.test", "Hot")
                load_card("card_view", user="ops@acme.test")
                self.told = (self.told or 0) + 1
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_change_set_comes_in_once_more_for_the_rules_of_today_and_says_what_it_replays()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Rule("self.alert = 'old'")));
        var pid = (await caller.SettleAsync("""{"temperature": 95, "room": "attic"}""")).GetProperty("pid").GetInt64();
        await caller.SettleAsync("""{"temperature": 20, "room": "cellar"}""", $"?pid={pid}");
        await caller.SaveAsync("scripts/a.py", Rule("self.alert = f'new {event.source} {self.room}'"));

        // One of the two that came in together stands for both; what was asked for last comes in its place in the log.
        var replays = (await ReplayAsync(caller, "[4, 2]")).GetProperty("replays").EnumerateArray().ToList();
        await PassAsync(caller);

        replays.Select(one => (one.GetProperty("of").GetInt64(), one.GetProperty("pid").GetInt64())).ShouldBe([(1, pid), (4, pid)]);
        var events = await EventsAsync(caller, 5);
        events.Where(one => one.Source.StartsWith("replay", StringComparison.Ordinal)).Select(one => (one.Key, one.Value, one.Source, one.Actor)).ShouldBe(
            [("temperature", "95", "replay:1", "key:test"), ("room", "attic", "replay:1", "key:test"), ("temperature", "20", "replay:4", "key:test"), ("room", "cellar", "replay:4", "key:test")]);
        events.Where(one => one.Value?.StartsWith("new", StringComparison.Ordinal) == true).Select(one => one.Value).ShouldBe(["new replay:1 attic", "new replay:4 cellar"]);
        await new TestLog(way.Database).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    [Fact]
    public async Task What_a_rule_changed_is_replayed_as_well_and_what_was_removed_is_removed_again()
    {
        var caller = await way.CallerAsync(("scripts/a.py", "class clear(Rule):\n    listens_to = ['done']\n\n    def action(self):\n        del self.note\n        new_child.of = 1\n"));
        var pid = (await caller.SettleAsync("""{"note": "x", "done": true}""")).GetProperty("pid").GetInt64();
        await caller.SettleAsync("""{"note": "y"}""", $"?pid={pid}");

        // Events 3 and 4 are what the run did, in two processes.
        var replays = (await ReplayAsync(caller, "[3]")).GetProperty("replays").EnumerateArray().ToList();
        await PassAsync(caller);

        replays.Count.ShouldBe(2);
        (await caller.ProcessAsync(pid)).TryGetProperty("note", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Mails_and_cards_of_all_that_it_causes_are_withheld_unless_they_are_asked_for()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Telling), ("card_html_files/card_view.html", "<p>Hot</p>"));
        var pid = (await caller.SettleAsync("""{"temperature": 95}""")).GetProperty("pid").GetInt64();
        (await CountAsync(caller)).ShouldBe((1, 1));

        await ReplayAsync(caller, "[1]");
        await PassAsync(caller);

        (await CountAsync(caller)).ShouldBe((1, 1));
        (await caller.ProcessAsync(pid)).GetProperty("told").GetInt32().ShouldBe(2);
        var runs = (await caller.GetAsync("/api/runs?rule=tell")).GetProperty("runs");
        var quiet = await caller.GetAsync($"/api/runs/{runs[0].GetProperty("id")}");
        quiet.GetProperty("log").GetString().ShouldBe("Eddy: 1 mail and 1 card withheld, for this is a replay.");
        quiet.GetProperty("effects").ValueKind.ShouldBe(JsonValueKind.Null);

        await ReplayAsync(caller, "[1]", tells: true);
        await PassAsync(caller);

        (await CountAsync(caller)).ShouldBe((2, 2));
    }

    [Fact]
    public async Task Its_calls_are_refused_with_the_reason_unless_they_are_asked_for()
    {
        // Nobody may call this address: the reason is another.
        var caller = await way.CallerAsync(("scripts/a.py", Rule("self.answer = http.get('http://127.0.0.1:1/').text")));
        await caller.SettleAsync("""{"temperature": 95}""");

        await ReplayAsync(caller, "[1]");
        var quiet = await FailedAsync(caller, 2);
        await ReplayAsync(caller, "[1]", tells: true);
        var loud = await FailedAsync(caller, 3);

        quiet.GetProperty("error").GetProperty("message").GetString()!.ShouldContain(Replay.CallsWithheld);
        (quiet.GetProperty("calls")[0].GetProperty("host").GetString(), quiet.GetProperty("calls")[0].GetProperty("fault").GetString()).ShouldBe(("127.0.0.1", "Refused"));
        loud.GetProperty("error").GetProperty("message").GetString()!.ShouldNotContain("replay");
    }

    [Fact]
    public async Task A_quiet_replay_does_not_silence_what_it_is_put_off_with()
    {
        var caller = await way.CallerAsync(("scripts/a.py", "class later(Rule):\n    listens_to = ['n']\n    debounce = '1h'\n\n    def action(self):\n        send_email('ops@acme.test', 'n')\n"));
        await caller.SettleAsync("""{"n": 1}""");
        await ReplayAsync(caller, "[1]");
        await PassAsync(caller);
        (await caller.GetAsync("/api/runs/deferred")).GetProperty("runs").EnumerateArray().ShouldHaveSingleItem().GetProperty("wakings").GetInt32().ShouldBe(2);

        await DueAsync(caller);
        (await MailsAsync(caller)).ShouldBe(1);

        // Alone, it tells nobody anything however late it runs.
        await ReplayAsync(caller, "[1]");
        await PassAsync(caller);
        await DueAsync(caller);
        (await MailsAsync(caller)).ShouldBe(1);
    }

    [Fact]
    public async Task Asked_for_twice_with_one_key_it_comes_in_once()
    {
        var caller = await way.CallerAsync();
        await caller.SettleAsync("""{"n": 1}""");

        var (first, again) = (await ReplayAsync(caller, "[1]", key: "once"), await ReplayAsync(caller, "[1]", key: "once"));
        var other = SendAsync(caller, """{"positions": [1], "tell": true}""", "once");

        again.ToString().ShouldBe(first.ToString());
        (await other.ProblemAsync(HttpStatusCode.UnprocessableEntity)).ShouldBe("idempotency-mismatch");
        await PassAsync(caller);
        (await EventsAsync(caller, 1)).Count(one => one.Source == "replay:1").ShouldBe(1);
    }

    [Fact]
    public async Task Only_what_somebody_may_read_and_set_is_replayed_and_nothing_of_another_tenant()
    {
        var caller = await way.CallerAsync();
        await caller.SettleAsync("""{"note": "x"}""");
        await caller.SettleAsync("""{"salary": 4711, "note": "y"}""");
        await caller.Http.PostAsync("/api/access/entries", new StringContent("""{"group": "registered", "may": ["read", "set"], "keys": ["note"]}""", Encoding.UTF8, "application/json"), Cancel);
        await caller.Http.PostAsync("/api/access/entries", new StringContent("""{"group": "registered", "may": ["set"], "keys": ["salary"]}""", Encoding.UTF8, "application/json"), Cancel);
        var ann = await caller.Tenant.AsAsync(way.Web, "ann@acme.test", "viewer");

        await ReplayAsync(ann, "[1]");
        (await SendAsync(ann, """{"positions": [1, 3]}""").ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        await caller.Http.PostAsync("/api/access/entries", new StringContent("""{"group": "registered", "may": ["read"], "keys": ["*"]}""", Encoding.UTF8, "application/json"), Cancel);
        await caller.Http.DeleteAsync("/api/access/entries/2", Cancel);
        (await SendAsync(ann, """{"positions": [1, 2]}""").ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("not-allowed");
        (await SendAsync(await way.CallerAsync(), """{"positions": [1]}""").ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");

        await PassAsync(caller);
        (await EventsAsync(caller, 3)).Where(one => one.Source.StartsWith("replay", StringComparison.Ordinal)).Select(one => (one.Key, one.Actor)).ShouldBe([("note", "ann@acme.test")]);
    }

    [Theory]
    [InlineData("[]", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("""{"positions": []}""", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("""{"positions": [0]}""", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("""{"positions": [1], "mails": true}""", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("""{"positions": [1""", HttpStatusCode.BadRequest, "invalid-json")]
    [InlineData("""{"positions": [99]}""", HttpStatusCode.NotFound, "not-found")]
    [InlineData("""{"positions": [1]}""", HttpStatusCode.NotFound, "unknown-process")]
    public async Task What_can_not_be_replayed_is_refused(string body, HttpStatusCode status, string type)
    {
        var caller = await way.CallerAsync();
        var pid = (await caller.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();
        // The process goes with its last KVP.
        await caller.Http.DeleteAsync($"/api/processes/{pid}/n", Cancel);

        (await SendAsync(caller, body).ProblemAsync(status)).ShouldBe(type);
    }

    private static string Rule(string action) => $"class hot(Rule):\n    listens_to = ['temperature']\n\n    def action(self):\n        {action}\n";

    private static Task<HttpResponseMessage> SendAsync(TestCaller caller, string body, string? key = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/replays") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return caller.Http.SendAsync(request, Cancel);
    }

    private static Task<JsonElement> ReplayAsync(TestCaller caller, string positions, bool tells = false, string? key = null) =>
        SendAsync(caller, $$"""{"positions": {{positions}}{{(tells ? ", \"tell\": true" : "")}}}""", key).JsonAsync(HttpStatusCode.Accepted);

    // The tenant's arrivals settle in their order.
    private static async Task PassAsync(TestCaller caller) => await caller.SettleAsync("""{"passed": true}""");

    private static async Task<List<(string Key, string? Value, string Source, string Actor)>> EventsAsync(TestCaller caller, long after) =>
        [.. (await caller.GetAsync($"/api/events?after={after}")).GetProperty("events").EnumerateArray()
            .Select(one => (one.GetProperty("key").GetString()!, one.TryGetProperty("value", out var value) ? value.ToString() : null, one.GetProperty("source").GetString()!, one.GetProperty("actor").GetString()!))];

    private static async Task<int> MailsAsync(TestCaller caller) => (await caller.GetAsync("/api/outbox")).GetProperty("mails").GetArrayLength();

    private static async Task<(int Mails, int Cards)> CountAsync(TestCaller caller) => (await MailsAsync(caller), (await caller.GetAsync("/api/cards")).GetProperty("cards").GetArrayLength());

    private async Task DueAsync(TestCaller caller)
    {
        await caller.Tenant.PrepareAsync("update deferred set due = due - interval '1 day' where tenant_id = $1");
        await Patience.UntilAsync("nothing waits", Patience.Long, async () => (await new TestLog(way.Database).TextsAsync(
            caller.Tenant.Id, "select 1 from deferred where tenant_id = $1 and due < now() union all select 1 from arrivals where tenant_id = $1 union all select 1 from wakings where tenant_id = $1")).Count == 0);
    }

    // A run beside the line settles when it does.
    private static async Task<JsonElement> FailedAsync(TestCaller caller, int count)
    {
        JsonElement runs = default;
        await Patience.UntilAsync($"{count} runs have failed", Patience.Long, async () => (runs = (await caller.GetAsync("/api/runs?outcome=failed")).GetProperty("runs")).GetArrayLength() == count);
        return await caller.GetAsync($"/api/runs/{runs[0].GetProperty("id")}");
    }
}
