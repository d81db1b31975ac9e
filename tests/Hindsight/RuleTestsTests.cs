using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Eddy.Tests.Hindsight;

/// <summary>Tests beside rules: what they see is what the line would do, and nothing of it is in force.</summary>
[Collection(nameof(HindsightWay))]
public sealed class RuleTestsTests(HindsightWay way)
{
    private const string Heat = """
        class high_temperature(Rule):
            listens_to = ["temperature"]

            def check(self):
                return self.temperature > (shared.limit or 90)

            def action(self):
                self.alert = True
                send_email("ops@acme.test", "{{name}} has {{temperature}}.", subject="Too hot: {{name}}")

        class told(Rule):
            listens_to = ["alert"]

            def action(self):
                self.told_at = datetime.now()
                load_card("welcome")
        """;

    [Fact]
    public async Task Tests_see_changes_mails_cards_and_the_clock_of_everything_that_an_event_causes()
    {
        var ran = await RunAsync(Heat, """
            def test_a_hot_room_is_told():
                room = given(name="server", temperature=70)
                at("2026-11-23 10:00")
                actor("ann@acme.test")
                send(room, temperature=95)
                assert room.alert is True
                assert room.told_at == datetime(2026, 11, 23, 10, 0)
                assert mails[0].to == ["ops@acme.test"] and mails[0].subject == "Too hot: server"
                assert mails[0].message == "server has 95." and mails[0].process == room
                assert cards[0].name == "welcome" and cards[0].user == "ann@acme.test"
                assert ran == ["high_temperature", "told"]

            def test_the_limit_is_shared():
                shared.limit = 100
                room = send(name="attic", temperature=95)
                assert room.alert is None and mails == [] and ran == []
                assert runs[0].rule == "high_temperature" and runs[0].outcome == "no"
                send(shared, limit=80)
                assert shared.limit == 80 and room.temperature == 95

            def test_processes_are_this_test_s_own():
                assert Process.objects.count() == 0
                assert mails == []
                send(temperature=1, kind="room")
                given(kind="room", temperature=5)
                assert [one.temperature for one in Process.objects.filter(kind="room", temperature__gt=0).order_by("-temperature")] == [5, 1]
                assert Process.objects.filter(temperature__lt=3).count() == 1
            """);

        Names(ran).ShouldBe(["test_a_hot_room_is_told", "test_the_limit_is_shared", "test_processes_are_this_test_s_own"]);
        Messages(ran).ShouldBe([null, null, null]);
        ran["passed"]!.GetValue<int>().ShouldBe(3);
    }

    [Fact]
    public async Task What_does_not_hold_is_told_with_its_values_and_its_line()
    {
        var ran = await RunAsync(Heat + """


            class broken(Rule):
                listens_to = ["n"]

                def action(self):
                    print("n is", self.n)
                    self.half = self.n / self.zero
            """, """
            def test_what_is_compared():
                room = send(name="server", temperature=95)
                assert room.alert is False

            def test_no_mail():
                send(temperature=1)
                assert mails[0].subject == "x"

            def test_a_run_that_fails():
                send(n=1, zero=0)

            def test_a_run_that_is_to_fail():
                one = send(n=1, zero=0)
                assert "ZeroDivisionError" in errors[0]
                assert one.quarantined_script == "scripts/heat.py:broken" and one.half is None

            def test_a_slip():
                print("here")
                return nothing

            def test_with_words():
                assert 1 == 2, "one is not two"

            def test_the_part_that_does_not_hold():
                at("2026-11-23 10:00")
                room = send(name="server", temperature=95)
                assert room.alert and not room.told_at and room.name == "attic"

            def test_nothing_is_answered():
                answer("https://x.test/*", status=500)
                assert False or [1, 2] == []
            """);

        Messages(ran).ShouldBe([
            "room.alert is False: room.alert is True", "there is no mail at 0: there are 0", "a run failed: ZeroDivisionError: division by zero", null,
            "NameError: name 'nothing' is not defined", "one is not two", "not room.told_at: room.told_at is 2026-11-23 10:00:00", "False or [1, 2] == []: [1, 2] == [] is False"]);
        ran["tests"]!.AsArray().Select(test => test!["failedAt"]?.GetValue<int>()).ShouldBe([3, 7, 9, null, 19, 22, 27, 31]);
        ran["tests"]![2]!["at"]!.ToJsonString().ShouldBe("""{"file":"scripts/heat.py","line":23}""");
        ran["tests"]![2]!["log"]!.GetValue<string>().ShouldBe("");
        ran["tests"]![4]!["log"]!.GetValue<string>().ShouldBe("here\n");
    }

    [Fact]
    public async Task What_waits_comes_when_the_clock_goes_on()
    {
        var ran = await RunAsync("""
            class settled(Rule):
                listens_to = ["typed"]
                debounce = "10s"

                def action(self):
                    self.saved = self.typed

            class once(Rule):
                listens_to = ["ping"]
                throttle = "2/min"

                def action(self):
                    self.pings = (self.pings or 0) + 1

            class fetch(Rule):
                listens_to = ["wanted"]
                retry = 3

                def action(self):
                    self.rate = http.get("https://rates.test/eur", headers={"X-Key": "k"}).json()["rate"]

            class remind(Rule):
                schedule = "0 7 * * *"
                schedule_where = {"kind": "invoice"}

                def check(self):
                    return not self.paid

                def action(self):
                    self.reminded = (self.reminded or 0) + 1
                    self.reminded_at = event.at
            """, """
            def test_debounce():
                one = send(typed="a")
                wait("5 s")
                send(one, typed="b")
                wait("9 s")
                assert one.saved is None
                wait("1 s")
                assert one.saved == "b" and ran == ["settled"]

            def test_throttle():
                one = send(ping=1)
                send(one, ping=2)
                send(one, ping=3)
                assert one.pings == 2
                wait("1 min")
                assert one.pings == 3

            def test_retry_and_calls():
                answer("https://rates.test/*", fails=True)
                answer("https://rates.test/*", json={"rate": 1.5})
                one = send(wanted=True)
                assert one.rate is None and runs[-1].outcome == "retry" and len(errors) == 0
                wait("10 s")
                assert one.rate == 1.5
                assert calls[0].method == "GET" and calls[1].url == "https://rates.test/eur" and calls[0].headers["x-key"] == "k"

            def test_a_call_without_an_answer():
                one = send(wanted=True)
                assert "The test has no answer for GET https://rates.test/eur" in errors[0]

            def test_schedules():
                at("2026-11-23 06:00")
                invoice = given(kind="invoice")
                paid = given(kind="invoice", paid=True)
                other = given(kind="order")
                wait("2 d")
                assert invoice.reminded == 2 and paid.reminded is None and other.reminded is None
                assert invoice.reminded_at.isoformat()[:16] == "2026-11-24T07:00"
                tick("remind")
                assert invoice.reminded == 3
            """);

        Messages(ran).ShouldBe([null, null, null, null, null]);
    }

    [Fact]
    public async Task Families_files_and_references_are_there_as_in_runs()
    {
        var ran = await RunAsync("""
            class spread(Rule):
                listens_to = ["split"]

                def action(self):
                    new_child.part = 1
                    with open("report.txt", "w") as report:
                        report.write("split " + str(self.split))
                    workspace.save("report.txt")

            class add(Rule):
                listens_to = ["child.part"]

                def action(self):
                    self.parts = sum(one.part for one in children)
                    self.last_part = child.part

            class follow(Rule):
                listens_to = ["parent.name"]

                def action(self):
                    self.of = parent.name
            """, """
            def test_families():
                top = given(name="top")
                below = given(PARENT=top, part=5)
                send(top, split=True)
                assert [one.part for one in top.CHILDREN] == [5, 1]
                assert top.parts == 6 and top.last_part == 1
                send(top, name="other")
                assert below.of == "other" and below.PARENT == top
                assert open("report.txt").read() == "split True"
                assert top.PROCESS_ID == 1 and below.PROCESS_ID == 2
            """);

        Messages(ran).ShouldBe([null]);
    }

    [Fact]
    public async Task Runs_come_in_the_order_of_the_line_also_where_some_call_or_are_throttled()
    {
        var ran = await RunAsync("""
            class a_throttled(Rule):
                listens_to = ["go"]
                throttle = "5/min"

                def action(self):
                    self.a = 1

            class b_calls(Rule):
                listens_to = ["go"]

                def action(self):
                    self.got = http.get("https://x.test/").status

            class c_after(Rule):
                listens_to = ["go"]

                def action(self):
                    self.seen = self.got

            class d_fails(Rule):
                listens_to = ["fail"]

                def action(self):
                    1 / 0

            class e_tells(Rule):
                listens_to = ["quarantine_error"]

                def action(self):
                    send_email("ops@acme.test", "It failed for {{last_actor}}.")

            class f_circle(Rule):
                listens_to = ["turn"]

                def action(self):
                    self.turn = self.turn + 1

            class g_later(Rule):
                listens_to = ["late"]
                debounce = "1s"
                per = "room"

                def action(self):
                    load_card("welcome")
            """, """
            def test_order():
                answer("https://x.test/", text="ok")
                one = send(go=True)
                assert one.seen is None and one.got == 200
                assert ran == ["c_after", "a_throttled", "b_calls"]

            def test_a_second_failure_is_an_event_too():
                one = send(fail=1)
                send(one, fail=2)
                assert len(errors) == 2 and len(mails) == 2
                assert mails[0].message == "It failed for test."

            def test_a_circle_ends_in_quarantine():
                one = send(turn=1)
                assert one.quarantine_error == "Cascade: Rules led to one another through more than 64 generations."
                assert len(errors) == 1

            def test_what_is_put_off_is_done_for_who_sent_it():
                actor("ann@acme.test")
                one = send(late=1)
                other = send(late=2)
                actor("bob@acme.test")
                wait("1s")
                assert [(card.user, card.process) for card in cards] == [("ann@acme.test", other)]

            def test_none_is_a_value():
                one = send(room=None, late=1)
                wait("1s")
                assert "room" in one and len(cards) == 1
            """);

        Messages(ran).ShouldBe([null, null, null, null, null]);
    }

    [Theory]
    [InlineData("[\"file\", \"tests/test_heat.py\"]")]
    [InlineData("[\"fault\", 1, \"x\"]")]
    [InlineData("[\"find\", 1, 2]")]
    [InlineData("[\"tested\", true, null, null, null, null, \"\", 9223372036854775807]")]
    [InlineData("{}")]
    public async Task What_reaches_for_the_channel_ends_its_cell_and_is_told(string frame)
    {
        var caller = await way.CallerAsync(("tests/test_heat.py", $"while True:\n    given.__self__.ask_host[0](b'''{frame}''')\n"), ("tests/test_next.py", "def test_next():\n    pass\n"));

        var ran = await TestAsync(caller, "{}", HttpStatusCode.OK);

        ran["faults"]!.AsArray().Count.ShouldBeGreaterThan(0);
        ran["failed"]!.GetValue<int>().ShouldBe(0);
    }

    [Fact]
    public async Task A_moment_beyond_the_clock_is_a_sentence()
    {
        var ran = await RunAsync("class remind(Rule):\n    schedule = '0 7 * * *'\n", "def test_early():\n    at('0001-01-01 12:00')\n    wait('1 min')\n");

        Messages(ran).ShouldHaveSingleItem()!.ShouldContain("beyond what a clock can say");
    }

    [Fact]
    public async Task What_does_not_end_or_load_is_told_and_the_next_test_runs()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat), ("tests/test_a.py", "import os\n\ndef test_end():\n    os._exit(3)\n\ndef test_next():\n    pass\n"), ("tests/test_b.py", "1 / 0\n"), ("tests/other.py", "def test_not():\n    assert False\n"));

        var ran = await TestAsync(caller, "{}", HttpStatusCode.OK);

        Names(ran).ShouldBe(["test_end", "test_next"]);
        ran["tests"]![0]!["passed"]!.GetValue<bool>().ShouldBeFalse();
        ran["tests"]![1]!["passed"]!.GetValue<bool>().ShouldBeTrue();
        ran["faults"]!.AsArray().ShouldHaveSingleItem()!["message"]!.GetValue<string>().ShouldBe("ZeroDivisionError: division by zero");
    }

    [Fact]
    public async Task A_draft_is_tested_before_it_is_saved_and_nothing_is_in_force()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat), ("tests/test_heat.py", "def test_hot():\n    room = send(name=\"a\", temperature=95)\n    assert room.alert\n"));
        var files = JsonSerializer.Serialize(new { files = new[] { new { path = "scripts/heat.py", text = Heat.Replace("90", "96", StringComparison.Ordinal) } }, path = "tests/test_heat.py" });

        (await TestAsync(caller, files, HttpStatusCode.OK))["failed"]!.GetValue<int>().ShouldBe(1);
        (await TestAsync(caller, "{}", HttpStatusCode.OK))["passed"]!.GetValue<int>().ShouldBe(1);
        foreach (var list in (string[])["processes", "outbox", "events", "runs"])
        {
            (await caller.GetAsync($"/api/{list}")).GetRawText().ShouldNotContain("ops@acme.test", Case.Insensitive, list);
            (await caller.GetAsync($"/api/{list}")).GetRawText().ShouldNotContain("temperature", Case.Insensitive, list);
        }
    }

    [Theory]
    [InlineData("""{"path":"scripts/heat.py"}""", "'path' is that of a file of tests")]
    [InlineData("""{"files":[{"path":"elsewhere/x.py","text":""}]}""", "elsewhere/x.py")]
    [InlineData("""{"files":[{"path":"scripts/a.py","text":""},{"path":"scripts/a.py","text":""}]}""", "twice")]
    [InlineData("""{"files":[null]}""", "'path' and a 'text'")]
    [InlineData("""[1]""", "JSON")]
    public async Task What_can_not_be_tested_is_refused_with_a_sentence(string body, string said)
    {
        var caller = await way.CallerAsync();

        (await TestAsync(caller, body, HttpStatusCode.BadRequest))["detail"]!.GetValue<string>().ShouldContain(said);
    }

    private async Task<JsonObject> RunAsync(string rules, string tests)
    {
        var caller = await way.CallerAsync(("scripts/heat.py", rules), ("tests/test_heat.py", tests));
        var ran = await TestAsync(caller, "", HttpStatusCode.OK);
        ran["faults"]!.AsArray().ShouldBeEmpty(ran.ToJsonString());
        return ran;
    }

    internal static async Task<JsonObject> TestAsync(TestCaller caller, string body, HttpStatusCode status) =>
        JsonNode.Parse((await caller.Http.PostAsync("/api/tests", new StringContent(body, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken).JsonAsync(status)).GetRawText())!.AsObject();

    private static IEnumerable<string> Names(JsonObject ran) => ran["tests"]!.AsArray().Select(test => test!["name"]!.GetValue<string>());

    private static IEnumerable<string?> Messages(JsonObject ran) => ran["tests"]!.AsArray().Select(test => test!["message"]?.GetValue<string>());
}
