using System.Net;
using System.Text.Json;
using Eddy.Access;
using Eddy.Postgres;
using Eddy.Tests.Access;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Hindsight;

/// <summary>Why a rule ran or did not, from the log through a cell to the API.</summary>
[Collection(nameof(HindsightWay))]
public sealed class WhyTests(HindsightWay way)
{
    private const string Heat = """
        LIMIT = 90

        class high_temperature(Rule):
            listens_to = ["temperature"]

            def check(self):
                if self.kind == "freezer":
                    return self.temperature > 0
                return self.temperature > LIMIT

            def action(self):
                self.alert = "Too hot"

        class open_ticket(Rule):
            listens_to = ["alert"]

            def action(self):
                self.ticket = True
        """;

    [Fact]
    public async Task A_check_that_said_no_is_told_with_what_it_read_and_so_is_whom_it_did_not_wake()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        await caller.SettleAsync("""{"kind": "room", "temperature": 72}""");

        var why = await WhyAsync(caller, 2, "high_temperature");

        Text(why, "outcome").ShouldBe("no");
        Text(why, "verdict").ShouldBe("high_temperature was woken, and its check said no: self.temperature 72 > 90.");
        Reasons(why).ShouldBe(
        [
            "there True", "woken True", "switch True", "waits True", "check False",
        ]);
        var check = why.GetProperty("check");
        Text(check, "returned").ShouldBe("False");
        check.GetProperty("differs").ValueKind.ShouldBe(JsonValueKind.Null);
        Values(check).ShouldBe(
        [
            "7 self.kind == \"freezer\" = False", "7 self.kind = 'room'", "8 self.temperature > 0 not come to", "8 self.temperature not come to",
            "9 self.temperature > LIMIT = False", "9 self.temperature = 72", "9 LIMIT = 90",
        ]);

        var ticket = await WhyAsync(caller, 1, "open_ticket");

        Text(ticket, "outcome").ShouldBe("not-woken");
        Text(ticket, "verdict").ShouldBe("open_ticket was not woken. Nothing here set alert.");
        ticket.GetProperty("reasons").EnumerateArray().Select(reason => Text(reason, "text")).ShouldBe(
        [
            "It was in force in version 1 of the files.", "It listens to alert, and to nothing else.", "Only high_temperature sets alert. high_temperature said no here.", "It is switched on.",
            "Had it been woken, its check would have said yes.",
        ]);
        Text(ticket.GetProperty("cause"), "verdict").ShouldBe("high_temperature was woken, and its check said no: self.temperature 72 > 90.");
    }

    [Fact]
    public async Task What_was_then_counts_and_not_what_is_now()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        var pid = (await caller.SettleAsync("""{"temperature": 72}""")).GetProperty("pid").GetInt64();
        await caller.SaveAsync("scripts/heat.py", Heat.Replace("LIMIT = 90", "\n\nLIMIT = 10", StringComparison.Ordinal));
        await caller.SaveAsync("scripts/late.py", "class late(Rule):\n    listens_to = [\"temperature\"]\n    def check(self):\n        return shared.limit is None\n");
        await caller.SettleAsync("""{"temperature": 12, "kind": "room"}""", $"?pid={pid}");
        await caller.PutAsync("/api/shared/limit", "3");

        var first = await WhyAsync(caller, 1, "scripts/heat.py:high_temperature");
        var second = await WhyAsync(caller, 2, "high_temperature");
        var late = await WhyAsync(caller, 1, "late");
        var then = await WhyAsync(caller, 2, "late");

        Text(first, "verdict").ShouldBe("high_temperature was woken, and its check said no: self.temperature 72 > 90.");
        first.GetProperty("treeVersion").GetInt64().ShouldBe(1);
        Values(first.GetProperty("check")).ShouldContain("7 self.kind = None");
        Text(second, "verdict").ShouldBe("high_temperature ran: self.temperature 12 > 10. It changed 1 KVP.");
        Text(late, "verdict").ShouldBe("late was not among the rules then. Version 1 of the files was in force, without late; scripts/late.py was saved next as version 3.");
        Text(then, "verdict").ShouldBe("late ran: shared.limit None is None. It changed nothing.");
        first.GetProperty("check").GetProperty("differs").ValueKind.ShouldBe(JsonValueKind.Null);

        var last = await caller.GetAsync($"/api/why?rule=high_temperature&pid={pid}");
        last.GetProperty("ran").GetProperty("changeSet").GetInt64().ShouldBe(2);
        last.GetProperty("not").GetProperty("changeSet").GetInt64().ShouldBe(1);
        Text(last.GetProperty("why"), "outcome").ShouldBe("no");
        Text((await caller.GetAsync("/api/why?rule=open_ticket")).GetProperty("ran"), "rule").ShouldBe("scripts/heat.py:open_ticket");
    }

    [Fact]
    public async Task What_waits_failed_or_is_held_is_told()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class quiet(Rule):
                listens_to = ["door"]
                debounce = "9d"

            class breaks(Rule):
                listens_to = ["door"]
                on_error = "hold"

                def check(self):
                    return self.door == "open"

                def action(self):
                    self.phone = {}["phone"]

            class lacks(Rule):
                listens_to = ["door"]
                required = ["email"]

            class off(Rule):
                listens_to = ["window"]
            """));
        var pid = (await caller.SettleAsync("""{"door": "open"}""")).GetProperty("pid").GetInt64();
        await caller.SettleAsync("""{"door": "open"}""", $"?pid={pid}");
        using (var response = await caller.PutAsync("/api/rules/off?rule=scripts/a.py:off", ""))
        {
            ((int)response.StatusCode).ShouldBeInRange(200, 299, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        var end = (await caller.SettleAsync("""{"window": 1}""", $"?pid={pid}")).GetProperty("pid").GetInt64();
        var head = (await caller.GetAsync("/api/events?limit=1000")).GetProperty("events").EnumerateArray().ToList();
        var (first, second) = (1L, head.Last(one => Text(one, "key") == "door").GetProperty("position").GetInt64());

        Text(await WhyAsync(caller, second, "quiet"), "verdict").ShouldStartWith("quiet was woken and waits: it runs once it has been quiet for 9 days, which is at ");
        Text(await WhyAsync(caller, first, "quiet"), "verdict").ShouldBe("quiet was woken, and did not run for this: it waits until it has been quiet for 9 days, and later changes took the place of this one.");
        Text(await WhyAsync(caller, first, "breaks"), "verdict").ShouldBe("breaks ran and failed: KeyError: 'phone' at line 13. Nothing of it took effect.");
        Text(await WhyAsync(caller, second, "breaks"), "verdict").ShouldBe("breaks was woken and put aside: an earlier run of it in this process is in quarantine, and it keeps their order.");
        Text(await WhyAsync(caller, first, "lacks"), "verdict").ShouldBe("lacks was woken and did not run: email has no value.");
        Text(await WhyAsync(caller, head.Last(one => Text(one, "key") == "window").GetProperty("position").GetInt64(), "off"), "verdict")
            .ShouldBe("off was woken and put aside: its rule is switched off, and the waking is kept in quarantine.");
        Text(await WhyAsync(caller, first, "off"), "verdict").ShouldBe("off was not woken. Nothing here set window.");
        end.ShouldBe(pid);
    }

    [Fact]
    public async Task Runs_before_it_in_its_cascade_other_processes_and_what_can_not_be_known_count()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class a_first(Rule):
                listens_to = ["n"]
                def action(self):
                    self.doubled = self.n * 2

            class b_second(Rule):
                listens_to = ["n"]
                def check(self):
                    return self.doubled > 10

            class parents(Rule):
                listens_to = ["child.n"]
                def check(self):
                    return child.n > self.least and len(children) > 1

            class counts(Rule):
                listens_to = ["n"]
                def check(self):
                    return Process.objects.filter(n__gt=1).count() > 1

            seen = []

            class forgets(Rule):
                listens_to = ["n"]
                def check(self):
                    seen.append(1)
                    return len(seen) > 1
            """));
        var parent = (await caller.SettleAsync("""{"least": 3}""")).GetProperty("pid").GetInt64();
        var one = await caller.SettleAsync($$"""{"PARENT": {"$process": {{parent}}}, "n": 4}""");
        var two = await caller.SettleAsync($$"""{"PARENT": {"$process": {{parent}}}, "n": 5}""");
        await caller.SettleAsync("""{"n": 9}""", $"?pid={one.GetProperty("pid").GetInt64()}");
        var events = (await caller.GetAsync("/api/events?limit=1000")).GetProperty("events").EnumerateArray().Where(e => Text(e, "key") == "n").Select(e => e.GetProperty("position").GetInt64()).ToList();

        var second = await WhyAsync(caller, events[0], "b_second");
        Text(second, "verdict").ShouldBe("b_second was woken, and its check said no: self.doubled 8 > 10.");
        var parents = await WhyAsync(caller, events[0], "parents");
        parents.GetProperty("pid").GetInt64().ShouldBe(parent);
        Text(parents, "verdict").ShouldBe("parents was woken, and its check said no: len(children) 1 > 1.");
        Text(await WhyAsync(caller, events[1], "parents"), "outcome").ShouldBe("ran");
        Text(await WhyAsync(caller, events[0], "counts"), "verdict").ShouldBe("counts was woken, and its check said no: Process.objects.filter(n__gt=1).count() 1 > 1.");
        Text(await WhyAsync(caller, events[1], "counts"), "outcome").ShouldBe("ran");
        foreach (var (position, rule) in new[] { (events[0], "b_second"), (events[0], "parents"), (events[1], "parents"), (events[0], "counts"), (events[1], "counts"), (events[0], "forgets") })
        {
            (await WhyAsync(caller, position, rule)).GetProperty("check").GetProperty("differs").ValueKind.ShouldBe(JsonValueKind.Null, $"{rule} at {position}");
        }

        Text((await WhyAsync(caller, events[2], "forgets")).GetProperty("check"), "differs").ShouldStartWith("The record says yes; worked out again it is no. It may read what is not kept");
        two.GetProperty("pid").GetInt64().ShouldBeGreaterThan(parent);
    }

    [Fact]
    public async Task Whoever_may_not_read_a_key_is_not_told_its_value_and_tenants_never_meet()
    {
        var caller = await way.CallerAsync(("scripts/pay.py", """
            class raise_pay(Rule):
                listens_to = ["asked"]
                def check(self):
                    wage = self.salary
                    return wage > self.limit
            """));
        var pid = (await caller.SettleAsync("""{"salary": 4711, "limit": 9000}""")).GetProperty("pid").GetInt64();
        await caller.SettleAsync("""{"asked": true}""", $"?pid={pid}");
        var ann = await caller.Tenant.AsAsync(way.Web, "ann@acme.test", "viewer");
        await way.Web.Services.GetRequiredService<AccessStore>().SetEntryAsync(
            caller.Tenant.Id, null, AccessGen.Lets(0, "registered", "read", "asked limit"), "test", WriteCondition.None, TestContext.Current.CancellationToken);
        var other = await way.CallerAsync();

        var (all, some) = (await WhyAsync(caller, 3, "raise_pay"), await WhyAsync(ann, 3, "raise_pay"));

        all.ToString().ShouldContain("4711");
        some.ToString().ShouldNotContain("4711");
        Text(some, "verdict").ShouldBe("raise_pay was woken, and its check said no.");
        some.GetProperty("check").GetProperty("values").EnumerateArray().Where(value => !value.TryGetProperty("withheld", out _)).Select(value => Text(value, "text")).ShouldBe(["9000"]);
        await ann.GetAsync("/api/why?event=1&rule=raise_pay", HttpStatusCode.NotFound);
        await other.GetAsync("/api/why?event=3&rule=raise_pay", HttpStatusCode.NotFound);
        await caller.GetAsync("/api/why?event=3", HttpStatusCode.BadRequest);
    }

    private static async Task<JsonElement> WhyAsync(TestCaller caller, long position, string rule) => (await caller.GetAsync($"/api/why?event={position}&rule={rule}")).GetProperty("why");

    private static string Text(JsonElement of, string name) => of.GetProperty(name).GetString()!;

    private static IEnumerable<string> Reasons(JsonElement why) => why.GetProperty("reasons").EnumerateArray().Select(reason => $"{Text(reason, "code")} {reason.GetProperty("holds")}");

    private static IEnumerable<string> Values(JsonElement check) => check.GetProperty("values").EnumerateArray()
        .Select(value => $"{value.GetProperty("line").GetInt32()} {Text(value, "source")} {(value.TryGetProperty("text", out var text) ? $"= {text.GetString()}" : "not come to")}");
}
