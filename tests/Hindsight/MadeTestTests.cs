using System.Net;
using Eddy.Files;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Hindsight;

/// <summary>A test that is made of an event that was says what came of it, and passes.</summary>
[Collection(nameof(HindsightWay))]
public sealed class MadeTestTests(HindsightWay way)
{
    private const string Rules = """
        class high_temperature(Rule):
            listens_to = ["temperature"]

            def check(self):
                return self.temperature > (shared.limit or 90)

            def action(self):
                self.alert = "Too \"hot\""
                self.alert_at = datetime.now(timezone.utc)
                self.list = [1, {"a": None}, date(2026, 11, 23)]
                shared.alerts = (shared.alerts or 0) + 1
                if parent:
                    parent.hot = True
                send_email(["ops@acme.test", "ann@acme.test"], "{{name}} has {{temperature}}.")
                load_card("welcome", user="ann@acme.test")

        class fetch(Rule):
            listens_to = ["alert"]

            def action(self):
                self.found = http.get("SITE/echo?n=7").text
                self["of room"] = self.name

        class broken(Rule):
            listens_to = ["found"]

            def action(self):
                self.half = 1 / 0
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_test_of_a_whole_cascade_passes_as_it_was_made()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Rules.Replace("SITE", way.Site.Address, StringComparison.Ordinal)));
        (await caller.PutAsync("/api/shared/limit", "80")).EnsureSuccessStatusCode();
        (await caller.PutAsync("/api/shared/unread", "1")).EnsureSuccessStatusCode();
        var house = (await caller.SettleAsync("""{"kind": "house"}""")).GetProperty("pid").GetInt64();
        var pid = (await caller.SettleAsync($$$"""{"kind": "room", "name": "server", "PARENT": {"$process": {{{house}}}}}""")).GetProperty("pid").GetInt64();
        await caller.SettleAsync("""{"temperature": 85}""", $"?pid={pid}");
        var desk = way.Web.Services.GetRequiredService<TestDesk>();
        var events = (await caller.GetAsync("/api/events")).GetProperty("events").EnumerateArray().ToList();
        long At(string key) => events.First(one => one.GetProperty("key").GetString() == key).GetProperty("position").GetInt64();

        // Of what came in, and of what a rule caused: both are about the cascade.
        foreach (var position in new[] { At("temperature"), At("found") })
        {
            (await desk.MakeAsync(caller.Tenant.Id, "tests/test_heat.py", position, "ann@acme.test", Cancel)).Fault.ShouldBeNull();
        }

        var text = await caller.Http.GetStringAsync("/api/files/tests/test_heat.py", Cancel);
        var ran = await RuleTestsTests.TestAsync(caller, "{}", HttpStatusCode.OK);
        ran["passed"]!.GetValue<int>().ShouldBe(2, text + ran.ToJsonString());
        text.ShouldContain("shared.limit = 80");
        text.ShouldNotContain("unread");
        text.ShouldContain("house = given(kind=\"house\")");
        text.ShouldContain("room = given(PARENT=house, kind=\"room\", name=\"server\")");
        text.ShouldContain("send(room, temperature=85)");
        text.ShouldContain("assert sorted(ran) == [\"fetch\", \"high_temperature\"]");
        text.ShouldContain("assert room[\"of room\"] == \"server\"");
        text.ShouldContain("assert room.alert_at is not None");
        text.ShouldContain("assert house.hot is True");
        text.ShouldContain("assert [mail.to for mail in mails] == [[\"ops@acme.test\", \"ann@acme.test\"]]");
        text.ShouldContain("assert len(errors) == 1");
        // What changes is told by it.
        await caller.SaveAsync("scripts/heat.py", Rules.Replace("SITE", way.Site.Address, StringComparison.Ordinal).Replace("load_card(\"welcome\"", "load_card(\"other\"", StringComparison.Ordinal));
        (await RuleTestsTests.TestAsync(caller, "{}", HttpStatusCode.OK))["failed"]!.GetValue<int>().ShouldBe(2);
    }

    [Fact]
    public async Task An_event_that_is_not_there_or_another_tenant_s_makes_none()
    {
        var (caller, other) = (await way.CallerAsync(), await way.CallerAsync());
        await caller.SettleAsync("""{"n": 1}""");
        var desk = way.Web.Services.GetRequiredService<TestDesk>();

        (await desk.MakeAsync(other.Tenant.Id, "tests/test_events.py", 1, "bob@acme.test", Cancel)).Fault.ShouldBe("The log does not have this event any more.");
        (await other.GetAsync("/api/files")).GetRawText().ShouldNotContain("tests/");
        var (line, fault) = await desk.MakeAsync(caller.Tenant.Id, "tests/test_events.py", 1, "ann@acme.test", Cancel);
        (line, fault).ShouldBe((1, null));
        (await caller.Http.GetStringAsync("/api/files/tests/test_events.py", Cancel)).ShouldContain("process_1 = send(n=1)");
    }
}
