using System.Net;
using System.Text.Json;
using Eddy.Tenants;

namespace Eddy.Tests.Way;

/// <summary>From the POST to the change that a rule made of it.</summary>
public sealed class EventTests(TestWay way) : IClassFixture<TestWay>
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

    [Fact]
    public async Task A_POST_becomes_a_KVP_a_rule_runs_and_its_change_is_there()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));

        var answer = await caller.SettleAsync("""{"temperature": 95, "room": "attic"}""");

        answer.GetProperty("kvps").ToString().ShouldBe("""{"alert":"Too hot","room":"attic","temperature":95}""");
        var run = answer.GetProperty("runs").EnumerateArray().ShouldHaveSingleItem();
        run.GetProperty("rule").GetString().ShouldBe("scripts/heat.py:high_temperature");
        run.GetProperty("outcome").GetString().ShouldBe("ran");
        var detail = await caller.GetAsync($"/api/runs/{run.GetProperty("id")}");
        detail.GetProperty("log").GetString().ShouldBe("It is 95\n");
        detail.GetProperty("changes").EnumerateArray().ShouldHaveSingleItem().GetProperty("key").GetString().ShouldBe("alert");
        (await caller.ProcessAsync(answer.GetProperty("pid").GetInt64())).ToString().ShouldBe(answer.GetProperty("kvps").ToString());
        (await caller.GetAsync("/api/events")).GetProperty("events").EnumerateArray()
            .Select(stored => $"{stored.GetProperty("position")} {stored.GetProperty("key")} {stored.GetProperty("source")} {stored.GetProperty("actor")}")
            .ShouldBe(["1 temperature post key:test", "2 room post key:test", "3 alert rule key:test"]);
    }

    /// <summary>Whether it is short, and told, or long, and read.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    public async Task Who_waits_is_answered_what_there_is_to_be_read(int more)
    {
        var caller = await way.CallerAsync(("scripts/rules.py", """
            class first(Rule):
                listens_to = ["n"]

                def action(self):
                    self.of_first = {"b": 1, "a": [1.50, "ü"]}

            class second(Rule):
                listens_to = ["of_first"]

                def action(self):
                    del self.gone
                    self.kind = "thing"

            class never(Rule):
                listens_to = ["n"]

                def check(self):
                    return False

            class nor_this(never):
                listens_to = ["n"]

            class broken(Rule):
                listens_to = ["kind"]

                def action(self):
                    raise ValueError("not 'this'")
            """));
        var fields = Enumerable.Range(0, more).Select(n => $"\"k{n}\": {n}, ");

        var answer = await caller.SettleAsync($"{{{string.Concat(fields)}\"gone\": 1, \"n\": 1}}");

        var pid = answer.GetProperty("pid").GetInt64();
        var runs = (await caller.GetAsync($"/api/runs?pid={pid}")).GetProperty("runs").EnumerateArray().OrderBy(run => run.GetProperty("id").GetInt64());
        JsonElement.DeepEquals(answer.GetProperty("kvps"), await caller.ProcessAsync(pid)).ShouldBeTrue(answer.ToString());
        answer.GetProperty("kvps").EnumerateObject().Count().ShouldBe(more + 5);
        answer.GetProperty("runs").EnumerateArray().Select(run => run.ToString()).ShouldBe(runs.Select(run => run.ToString()), ignoreOrder: true);
        answer.GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("outcome").GetString()).ShouldBe(["no", "no", "ran", "ran", "failed"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_check_that_says_no_is_a_run_that_changes_nothing()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));

        var answer = await caller.SettleAsync("""{"temperature": 20}""");

        answer.GetProperty("kvps").ToString().ShouldBe("""{"temperature":20}""");
        answer.GetProperty("runs").EnumerateArray().ShouldHaveSingleItem().GetProperty("outcome").GetString().ShouldBe("no");
    }

    [Theory]
    [InlineData("application/json", "", """{"n": 1, "ok": true, "names": ["a"]}""", """{"n":1,"names":["a"],"ok":true}""")]
    [InlineData("application/x-www-form-urlencoded", "", "n=1&name=Ada+L", """{"n":1,"name":"Ada L"}""")]
    [InlineData("text/plain", "", "n := 1\nname := \"Ada\"", """{"n":1,"name":"Ada"}""")]
    [InlineData("application/xml", "", "<a/>", """{"content_type":"application/xml","payload":"<a/>"}""")]
    [InlineData("image/unheard-of", "", "?", "{\"content_type\":\"image/unheard-of\",\"payload\":\"?\"}")]
    [InlineData("application/json", "?as=payload", "{\"n\":1}", """{"content_type":"application/json","payload":"{\"n\":1}"}""")]
    public async Task A_body_of_any_kind_becomes_the_KVPs_of_one_process(string type, string query, string body, string kvps)
    {
        var caller = await way.CallerAsync();

        var answer = await caller.SettleAsync(body, query, type);

        var became = JsonDocument.Parse(answer.GetProperty("kvps").GetRawText()).RootElement;
        JsonElement.DeepEquals(became, JsonDocument.Parse(kvps).RootElement).ShouldBeTrue(became.ToString());
    }

    [Theory]
    [InlineData("application/json", """[{"n": 1}, {"n": 2}, {"n": 3}]""")]
    [InlineData("application/x-ndjson", "{\"n\": 1}\n{\"n\": 2}\n{\"n\": 3}\n")]
    [InlineData("text/csv", "n\n1\n2\n3\n")]
    public async Task A_list_is_a_process_for_each_element_answered_in_its_order(string type, string body)
    {
        var caller = await way.CallerAsync(("scripts/double.py", """
            class double(Rule):
                listens_to = ["n"]

                def action(self):
                    self.twice = self.n * 2
            """));

        var answers = (await caller.SettleAsync(body, "", type)).EnumerateArray().ToList();

        answers.Select(answer => answer.GetProperty("kvps").ToString()).ShouldBe(["""{"n":1,"twice":2}""", """{"n":2,"twice":4}""", """{"n":3,"twice":6}"""]);
        answers.Select(answer => answer.GetProperty("pid").GetInt64()).Distinct().Count().ShouldBe(3);
        answers.ShouldAllBe(answer => answer.GetProperty("runs").GetArrayLength() == 1);
    }

    [Fact]
    public async Task A_process_takes_more_right_after_the_POST_that_made_it()
    {
        var caller = await way.CallerAsync();

        for (var i = 0; i < 20; i++)
        {
            var pid = (await caller.SendAsync("""{"a": 1}""")).GetProperty("pid").GetInt64();
            var answer = await caller.SettleAsync("""{"b": 2}""", $"?pid={pid}");

            answer.GetProperty("pid").GetInt64().ShouldBe(pid);
            answer.GetProperty("kvps").ToString().ShouldBe("""{"a":1,"b":2}""");
        }
    }

    [Fact]
    public async Task A_process_that_nobody_made_is_not_found_and_nothing_is_left_behind()
    {
        var caller = await way.CallerAsync();

        (await caller.PostAsync("""{"a": 1}""", "?pid=4711").ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("unknown-process");

        await caller.SettleAsync("""{"b": 1}""");
        (await caller.GetAsync("/api/events")).GetProperty("last").GetInt64().ShouldBe(1);
    }

    [Fact]
    public async Task A_KVP_is_set_and_removed_and_the_answer_comes_when_that_is_in_force()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        var pid = (await caller.SettleAsync("""{"room": "attic"}""")).GetProperty("pid").GetInt64();

        var set = await caller.PutAsync($"/api/processes/{pid}/temperature", "95").JsonAsync();
        set.GetProperty("value").GetInt32().ShouldBe(95);
        (await caller.ProcessAsync(pid)).GetProperty("temperature").GetInt32().ShouldBe(95);

        (await caller.Http.DeleteAsync($"/api/processes/{pid}/room", TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await caller.ProcessAsync(pid)).TryGetProperty("room", out _).ShouldBeFalse();
        await caller.SettleAsync("""{"other": 1}""", $"?pid={pid}");
        (await caller.ProcessAsync(pid)).GetProperty("alert").GetString().ShouldBe("Too hot");
    }

    [Fact]
    public async Task A_shared_KVP_wakes_rules_that_listen_to_it_in_a_process_of_its_own_or_in_the_one_whose_run_set_it()
    {
        var caller = await way.CallerAsync(("scripts/limit.py", """
            class limit_changed(Rule):
                listens_to = ["shared.limit"]

                def action(self):
                    self.seen = shared.limit

            class set_limit(Rule):
                listens_to = ["wanted"]

                def action(self):
                    shared.limit = self.wanted
            """));

        (await caller.PutAsync("/api/shared/limit", "5").JsonAsync()).GetProperty("value").GetInt32().ShouldBe(5);
        var answer = await caller.SettleAsync("""{"wanted": 7}""");

        answer.GetProperty("kvps").ToString().ShouldBe("""{"seen":7,"wanted":7}""");
        (await caller.SharedAsync()).GetProperty("limit").GetInt32().ShouldBe(7);
        var seen = (await caller.GetAsync("/api/processes?key.seen=5")).GetProperty("processes").EnumerateArray().ShouldHaveSingleItem();
        seen.GetProperty("kvps").ToString().ShouldBe("""{"seen":5}""");
    }

    [Fact]
    public async Task A_saved_file_is_in_force_for_the_next_event()
    {
        var caller = await way.CallerAsync();
        for (var version = 1; version <= 10; version++)
        {
            await caller.SaveAsync("scripts/version.py", $"""
                class version(Rule):
                    listens_to = ["ask"]

                    def action(self):
                        self.answer = {version}
                """);

            var answer = await caller.SettleAsync("""{"ask": 1}""");

            answer.GetProperty("kvps").GetProperty("answer").GetInt32().ShouldBe(version);
            answer.GetProperty("runs")[0].GetProperty("treeVersion").GetInt64().ShouldBe(version);
        }
    }

    [Fact]
    public async Task A_file_that_does_not_compile_is_kept_and_its_last_good_version_stays_in_force()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));

        var saved = await caller.SaveAsync("scripts/heat.py", "class high_temperature(Rule:\n    pass\n");

        var fault = saved.GetProperty("faults").EnumerateArray().ShouldHaveSingleItem();
        fault.GetProperty("line").GetInt32().ShouldBe(1);
        fault.GetProperty("column").GetInt32().ShouldBeGreaterThan(1);
        saved.GetProperty("inForce").GetInt64().ShouldBe(1);
        (await caller.SettleAsync("""{"temperature": 95}""")).GetProperty("kvps").GetProperty("alert").GetString().ShouldBe("Too hot");
        (await caller.Http.GetStringAsync("/api/files/scripts/heat.py", TestContext.Current.CancellationToken)).ShouldStartWith("class high_temperature(Rule:");
    }

    [Fact]
    public async Task A_file_that_fails_while_it_loads_says_so_until_it_is_mended()
    {
        var caller = await way.CallerAsync(("scripts/broken.py", "import nowhere\n"), ("scripts/heat.py", Heat));
        await caller.SettleAsync("""{"temperature": 95}""");

        var fault = (await FileAsync(caller, "scripts/broken.py")).GetProperty("loadFaults").EnumerateArray().ShouldHaveSingleItem();
        fault.GetProperty("line").GetInt32().ShouldBe(1);
        fault.GetProperty("message").GetString()!.ShouldContain("nowhere");
        (await FileAsync(caller, "scripts/heat.py")).GetProperty("loadFaults").GetArrayLength().ShouldBe(0);

        await caller.SaveAsync("scripts/broken.py", "import json\n");
        (await FileAsync(caller, "scripts/broken.py")).GetProperty("loadFaults").GetArrayLength().ShouldBe(0);
    }

    private static async Task<JsonElement> FileAsync(TestCaller caller, string path) =>
        (await caller.GetAsync("/api/files")).GetProperty("files").EnumerateArray().Single(file => file.GetProperty("path").GetString() == path);

    [Fact]
    public async Task The_trace_of_the_request_is_that_of_its_runs()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        const string trace = "0af7651916cd43dd8448eb211c80319c";

        var answer = await caller.SettleAsync("""{"temperature": 95}""", headers: ("traceparent", $"00-{trace}-b7ad6b7169203331-01"));

        var detail = await caller.GetAsync($"/api/runs/{answer.GetProperty("runs")[0].GetProperty("id")}");
        detail.GetProperty("traceparent").GetString()!.ShouldContain(trace);
    }

    [Fact]
    public async Task A_key_in_the_address_is_as_good_as_one_in_the_header_and_none_once_it_is_revoked()
    {
        var caller = await way.CallerAsync();
        var key = await caller.Tenant.AddKeyAsync("sensors", Scope.Ingest);
        using var anybody = new HttpClient { BaseAddress = way.Web.Address };
        var sensor = new TestCaller(caller.Tenant, anybody);
        (await sensor.PostToAsync($"/in/{key}").JsonAsync(HttpStatusCode.Accepted)).GetProperty("pid").GetInt64().ShouldBeGreaterThan(0);

        await caller.Tenant.PrepareAsync("update api_keys set revoked_at = now() where tenant_id = $1 and name = 'sensors'");
        await caller.Tenant.PrepareAsync("select pg_notify('eddy_keys', '') where $1::uuid is not null");

        await Patience.UntilAsync("the key is no longer good", Patience.Long, async () =>
        {
            using var response = await sensor.PostToAsync($"/in/{key}");
            return response.StatusCode == HttpStatusCode.Unauthorized;
        });
    }
}
