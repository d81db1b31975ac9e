using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Eddy.Tests.Access;

namespace Eddy.Tests.Hindsight;

/// <summary>A draft is tried on what was, and nothing of it is in force.</summary>
[Collection(nameof(HindsightWay))]
public sealed class DryRunTests(HindsightWay way)
{
    private const string Heat = """
        class high_temperature(Rule):
            listens_to = ["temperature"]

            def check(self):
                return self.temperature > 90

            def action(self):
                self.alert = "Too hot"
                print("It is", self.temperature)
        """;

    /// <summary>Does everything that a rule can do.</summary>
    private const string Everything = """
        class everything(Rule):
            listens_to = ["n"]

            def action(self):
                self.doubled = self.n * 2
                shared.total = (shared.total or 0) + self.n
                new_child.of = self.n
                item, made = Process.objects.get_or_create(kind="item", name="x")
                item.count = (item.count or 0) + 1
                item.save()
                send_email("ops@acme.test", "It is {{n}}", subject="n")
                load_card("welcome", user="ann@acme.test")
                with open("seen.txt", "a") as seen:
                    seen.write("x")
                workspace.save("seen.txt")
                try:
                    http.get("SITE/echo?n=" + str(self.n * 7))
                except OSError as refused:
                    self.refused = str(refused)
                print("done")
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_draft_is_tried_on_an_event_that_was_beside_what_really_happened()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        await caller.SettleAsync("""{"temperature": 85}""");
        await caller.SettleAsync("""{"temperature": 95}""");
        var draft = Heat.Replace("> 90", "> 80", StringComparison.Ordinal).Replace("Too hot", "Hot", StringComparison.Ordinal);

        var first = await TryAsync(caller, "scripts/heat.py", draft, 1);
        var second = await TryAsync(caller, "scripts/heat.py", draft, 2);

        Text(first, "outcome").ShouldBe("ran");
        Text(first.GetProperty("check"), "decided").ShouldBe("self.temperature 85 > 80");
        first.GetProperty("changes").ToString().ShouldBe("""[{"pid":1,"key":"alert","value":"Hot"}]""");
        Text(first, "log").ShouldBe("It is 85\n");
        Text(first.GetProperty("really"), "outcome").ShouldBe("no");
        second.GetProperty("changes")[0].GetProperty("value").GetString().ShouldBe("Hot");
        second.GetProperty("really").GetProperty("changes")[0].GetProperty("value").GetString().ShouldBe("Too hot");
    }

    [Fact]
    public async Task What_is_typed_is_tried_on_the_process_as_it_is_or_on_a_new_one()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        var pid = (await caller.SettleAsync("""{"room": "attic"}""")).GetProperty("pid").GetInt64();
        var draft = Heat.Replace("Too hot", "{self.room}", StringComparison.Ordinal).Replace("\"{self.room}\"", "f\"{self.room}: {event.previous}\"", StringComparison.Ordinal);

        var known = await PostAsync(caller, new JsonObject { ["path"] = "scripts/heat.py", ["text"] = draft, ["pid"] = pid, ["kvps"] = new JsonObject { ["temperature"] = 95 } });
        var made = await PostAsync(caller, new JsonObject { ["path"] = "scripts/new.py", ["text"] = draft, ["kvps"] = new JsonObject { ["temperature"] = 20 } });
        var other = await PostAsync(caller, new JsonObject { ["path"] = "scripts/new.py", ["text"] = draft, ["kvps"] = new JsonObject { ["humidity"] = 20, ["temperature"] = null } });

        known.GetProperty("changes")[0].GetProperty("value").GetString().ShouldBe("attic: None");
        known.GetProperty("wakes").GetBoolean().ShouldBeTrue();
        made.GetProperty("pid").ValueKind.ShouldBe(JsonValueKind.Null);
        Text(made.GetProperty("check"), "decided").ShouldBe("self.temperature 20 > 90");
        Text(other, "outcome").ShouldBe("failed");
        Text(other.GetProperty("error"), "kind").ShouldBe("TypeError");
    }

    [Fact]
    public async Task Nothing_of_it_is_in_force_and_nothing_goes_out()
    {
        var rule = Everything.Replace("SITE", way.Site.Address, StringComparison.Ordinal);
        var caller = await way.CallerAsync(("scripts/all.py", rule));
        await caller.SettleAsync("""{"n": 3}""");
        var (before, calls) = (await StateAsync(caller), way.Site.Calls.Count);

        var onEvent = await TryAsync(caller, "scripts/all.py", rule.Replace("self.n * 7", "self.n * 8", StringComparison.Ordinal), 1);
        var typed = await PostAsync(caller, new JsonObject { ["path"] = "scripts/all.py", ["text"] = rule, ["kvps"] = new JsonObject { ["n"] = 5 } });

        foreach (var done in (JsonElement[])[onEvent, typed])
        {
            Text(done, "outcome").ShouldBe("ran", done.ToString());
            done.GetProperty("mails").GetArrayLength().ShouldBe(1);
            done.GetProperty("cards").GetArrayLength().ShouldBe(1);
            done.GetProperty("files")[0].GetString().ShouldBe("workspace/seen.txt");
            done.GetProperty("calls").GetArrayLength().ShouldBe(1);
            done.GetProperty("changes").EnumerateArray().Select(change => Text(change, "key")).ShouldContain("count");
            Text(done, "log").ShouldContain("done");
        }

        (await StateAsync(caller)).ShouldBe(before);
        way.Site.Calls.Count.ShouldBe(calls);
    }

    [Fact]
    public async Task A_call_that_was_made_then_is_answered_from_the_record_and_any_other_is_refused()
    {
        var rule = """
            class ask(Rule):
                listens_to = ["question"]
                def action(self):
                    self.answer = http.get("SITE/echo?q=" + self.question).json()["query"]
            """.Replace("SITE", way.Site.Address, StringComparison.Ordinal);
        var caller = await way.CallerAsync(("scripts/ask.py", rule));
        var run = (await caller.SettleAsync("""{"question": "why"}""")).GetProperty("runs")[0].GetProperty("id");
        var calls = way.Site.Calls.Count;

        var same = await TryAsync(caller, "scripts/ask.py", rule.Replace("self.answer =", "self.reply =", StringComparison.Ordinal), 1);
        var other = await TryAsync(caller, "scripts/ask.py", rule.Replace("/echo?q=", "/echo?p=", StringComparison.Ordinal), 1);

        same.GetProperty("changes").ToString().ShouldBe("""[{"pid":1,"key":"reply","value":"?q=why"}]""");
        same.GetProperty("calls")[0].GetProperty("status").GetInt32().ShouldBe(200);
        same.GetProperty("notes").GetArrayLength().ShouldBe(0);
        Text(other, "outcome").ShouldBe("failed");
        other.GetProperty("notes")[0].GetString().ShouldBe("It called what has no answer on record; that was refused.");
        way.Site.Calls.Count.ShouldBe(calls);
        (await caller.GetAsync($"/api/runs/{run}")).ToString().ShouldNotContain("asked");
    }

    [Fact]
    public async Task Who_may_not_change_rules_may_not_try_them_and_what_is_wrong_is_said()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        var other = await way.CallerAsync();
        await other.SettleAsync("""{"temperature": 99, "secret": "theirs-4711"}""");
        var ann = await caller.Tenant.AsAsync(way.Web, "ann@acme.test", "viewer");
        JsonObject Body(string text = Heat, string? rule = null, long? at = 1) => new() { ["path"] = "scripts/heat.py", ["text"] = text, ["rule"] = rule, ["event"] = at };

        (await SendAsync(ann, Body())).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await SendAsync(caller, Body())).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        await caller.SettleAsync("""{"temperature": 85}""");
        (await DetailAsync(caller, Body("class x(Rule):\n    listens_to = [\"n\"]\n    def check(self)\n"))).ShouldBe("The text does not load, at line 3: expected ':'");
        (await DetailAsync(caller, Body("x = 1"))).ShouldBe("There is no rule in the text: a class that has Rule as its base, and listens_to.");
        (await DetailAsync(caller, Body(Heat + "\n" + Heat.Replace("high_", "low_", StringComparison.Ordinal)))).ShouldBe("Say by 'rule' which one is to run: high_temperature and low_temperature.");
        (await DetailAsync(caller, Body(at: null))).ShouldStartWith("Name an event by its position");
        (await PostAsync(caller, Body("class high_temperature(Rule):\n    listens_to = [\"temperature\"]\n    def check(self):\n        return Process.objects.filter(temperature=99).count()\n"))).ToString().ShouldNotContain("4711");
    }

    /// <summary>Whatever the events and rules: what was in force, tried on what was, gives what is on record.</summary>
    [Fact]
    public async Task A_dry_run_of_what_was_in_force_gives_what_the_record_says()
    {
        const string rules = """
            class counts(Rule):
                listens_to = ["a", "b"]
                def check(self):
                    return (self.a or 0) + (self.b or 0) > 3
                def action(self):
                    self.sum = (self.a or 0) + (self.b or 0)
                    shared.sums = (shared.sums or 0) + 1

            class follows(Rule):
                listens_to = ["sum"]
                def check(self):
                    return self.sum % 2 == 0 or shared.sums > 4
                def action(self):
                    self.seen = (self.seen or []) + [self.sum, event.previous]
                    if self.sum == 9: del self.a
                    send_email("ops@acme.test", f"{self.sum}")

            class others(Rule):
                listens_to = ["b"]
                def check(self):
                    return Process.objects.filter(b__gt=self.b).exists()
                def action(self):
                    self.more = [one.b for one in Process.objects.filter(b__gt=self.b).order_by("b", "PROCESS_ID")]

            class fails(Rule):
                listens_to = ["seen"]
                def action(self):
                    print("about to", self.sum)
                    self.half = 12 / (self.sum - 6)
            """;
        var caller = await way.CallerAsync(("scripts/rules.py", rules));
        var random = new Random(TestContext.Current.Test!.UniqueID.Sum(c => c));
        var pids = new List<long>();
        for (var i = 0; i < 12; i++)
        {
            var body = new JsonObject { [random.Next(2) == 0 ? "a" : "b"] = random.Next(6) };
            if (random.Next(3) == 0)
            {
                body["b"] = random.Next(6);
            }

            var known = pids.Count > 0 && random.Next(3) > 0 ? pids[random.Next(pids.Count)] : 0;
            pids.Add((await caller.SettleAsync(body.ToJsonString(), known > 0 ? $"?pid={known}" : "")).GetProperty("pid").GetInt64());
        }

        var compared = 0;
        foreach (var run in (await caller.GetAsync("/api/runs?limit=500")).GetProperty("runs").EnumerateArray())
        {
            var (rule, position) = (Text(run, "rule"), run.GetProperty("changeSet").GetInt64());
            var done = await PostAsync(caller, new JsonObject { ["path"] = "scripts/rules.py", ["text"] = rules, ["rule"] = rule.Split(':')[1], ["event"] = position, ["pid"] = run.GetProperty("pid").GetInt64() });
            var really = done.GetProperty("really");
            var what = $"{rule} for event {position}: {done}";
            Text(done, "outcome").ShouldBe(Text(run, "outcome"), what);
            Text(really, "outcome").ShouldBe(Text(run, "outcome"), what);
            Changes(done).ShouldBe(Changes(really), what);
            done.GetProperty("log").ToString().ShouldBe(really.GetProperty("log").ToString(), what);
            done.GetProperty("mails").GetArrayLength().ShouldBe(really.GetProperty("mails").GetArrayLength(), what);
            done.GetProperty("notes").GetArrayLength().ShouldBe(0, what);
            compared++;
        }

        compared.ShouldBeGreaterThan(15);
    }

    private static List<string> Changes(JsonElement of) =>
        [.. of.GetProperty("changes").EnumerateArray().Select(change => $"{change.GetProperty("pid")} {Text(change, "key")} {(change.TryGetProperty("value", out var value) ? value.ToString() : "removed")}").Order(StringComparer.Ordinal)];

    /// <summary>All that a run could leave.</summary>
    private static async Task<string> StateAsync(TestCaller caller)
    {
        var tables = new List<string>();
        foreach (var table in (string[])["events", "runs", "kvps", "processes", "outbox", "cards", "files", "file_versions", "arrivals", "wakings", "deferred", "quarantine", "pids"])
        {
            // A courier writes down how often it has tried a mail.
            var row = table == "outbox" ? "t.id::text" : "t::text";
            await using var command = caller.Tenant.Database.Superuser.CreateCommand($"select coalesce(md5(string_agg({row}, '|' order by {row})), '') from {table} t where tenant_id = $1");
            command.Parameters.Add(new() { Value = caller.Tenant.Id.Value });
            tables.Add($"{table} {await command.ExecuteScalarAsync(Cancel)}");
        }

        return string.Join('\n', tables);
    }

    private static Task<JsonElement> TryAsync(TestCaller caller, string path, string text, long position) => PostAsync(caller, new JsonObject { ["path"] = path, ["text"] = text, ["event"] = position });

    private static async Task<JsonElement> PostAsync(TestCaller caller, JsonObject body) => await SendAsync(caller, body).JsonAsync();

    private static async Task<string> DetailAsync(TestCaller caller, JsonObject body)
    {
        using var response = await SendAsync(caller, body);
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancel)).RootElement.GetProperty("detail").GetString()!;
    }

    private static Task<HttpResponseMessage> SendAsync(TestCaller caller, JsonObject body) =>
        caller.Http.PostAsync("/api/dry-run", new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json"), Cancel);

    private static string Text(JsonElement of, string name) => of.GetProperty(name).ToString();
}
