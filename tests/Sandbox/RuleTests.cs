using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

public sealed class RuleTests(CellFixture cells)
{
    private const string Heat = """
        class high_temperature(Rule):
            listens_to = ["temperature"]
            limit = 90

            def check(self):
                return self.temperature > self.limit

            def action(self):
                self.alert = "Too hot"
        """;

    [Fact]
    public async Task A_rule_runs_on_the_key_that_it_listens_to()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, Heat);

        var run = await tenant.OneRunAsync(15, ("temperature", "95"));

        run.Rule.ShouldBe("scripts/rule.py:high_temperature");
        run.Outcome.ShouldBe(RunOutcome.Ran);
        run.Changes.ShouldHaveSingleItem().ShouldBe(new PidChange(15, "alert", "\"Too hot\""));
        run.SetPosition.ShouldBe(1);
        run.Generation.ShouldBe(1);
        tenant.Head.ShouldBe(2);
    }

    [Fact]
    public async Task A_falsy_check_changes_nothing()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, Heat);

        var run = await tenant.OneRunAsync(15, ("temperature", "89"));

        run.Outcome.ShouldBe(RunOutcome.No);
        run.Changes.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_KVP_hides_a_class_value_and_never_a_method()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, Heat);

        tenant.Have(15, "limit", "100");
        tenant.Have(15, "check", "5");

        (await tenant.OneRunAsync(15, ("temperature", "95"))).Outcome.ShouldBe(RunOutcome.No);
    }

    /// <summary>Bodies of <c>action</c>, what the process has before (as <c>go</c>'s process, 15), and what it and the shared bag have after.</summary>
    public static TheoryData<string, string> Actions => new()
    {
        { "self.out = [self.absent, 'absent' in self, 'go' in self, self['go'], self.PROCESS_ID, self.pid]", "[null,false,true,1,15,15]" },
        { "self['with space'] = 2; self.out = self['with space']", "2" },
        { "self.a = 1; del self.a; self.out = ['a' in self, self.a]", "[false,null]" },
        { "self.absent = None; self.out = 'absent' in self", "false" },
        { "self.list = None; self.out = 'list' in self", "true" },
        { "self.names = ('a', 'b'); self.names.append('c'); self.out = self.names", """["a","b","c"]""" },
        { "l = [1]; self.out = l; l.append(2)", "[1]" },
        { "self.out = self.list is self.list", "true" },
        { "self.list[0]['on'] = True; self.out = self.list", """[{"on":true}]""" },
        { "self.out = 1e22", "10000000000000000000000.0" },
        { "self.out = [True, 1, 1.0, -0.0, 1e-7]", "[true,1,1.0,0.0,0.0000001]" },
        { "self.out = date(2026, 11, 23)", """{"$date":"2026-11-23"}""" },
        { "self.out = time(10, 0, 0, 250000)", """{"$time":"10:00:00.25"}""" },
        { "self.out = datetime(2026, 11, 23, 10)", """{"$datetime":"2026-11-23T10:00:00"}""" },
        { "self.out = datetime(2026, 11, 23, 10, tzinfo=timezone.utc)", """{"$datetime":"2026-11-23T10:00:00+00:00"}""" },
        { "import zoneinfo; self.out = datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin'))", """{"$datetime":"2026-07-01T00:00:00+02:00[Europe/Berlin]"}""" },
        { "import decimal; self.out = decimal.Decimal('1.10')", """{"$decimal":"1.10"}""" },
        { "self.out = {'b': b'bytes', 'a': (1, 2)}", """{"a":[1,2],"b":"bytes"}""" },
        { "self.out = {'$ref': '#/x'}", """{"$dict":{"$ref":"#/x"}}""" },
        { "self.out = [self.tagged, type(self.tagged['due']).__name__, self.wrapped]", """[{"due":{"$date":"2026-12-24"}},"date",{"$dict":{"$date":"2026-12-24"}}]""" },
        { "self.out = self", """{"$process":15}""" },
        { "self.out = [self.ref, self.ref.PROCESS_ID]", """[{"$process":7},7]""" },
        { "import enum\n        class E(enum.IntEnum): A = 3\n        self.out = E.A", "3" },
        { "self.out = [event.key, event.value, event.previous, event.source, event.actor, event.id, len(events)]", """["go",1,null,"post","key:sensors",1,1]""" },
        { "self.out = event.at", """{"$datetime":"2026-11-23T11:00:00+01:00[Europe/Berlin]"}""" },
        { "self.out = self.last_actor", "\"key:sensors\"" },
        { "self.out = [math.floor(2.5), json.loads('[1]'), bool(re.match('a', 'ab')), timedelta(hours=1).seconds, 0 <= random.random() < 1]", "[2,[1],true,3600,true]" },
        { "self.out = parse_datetime('11/23/2026 10:00:00 PM')", """{"$datetime":"2026-11-23T22:00:00"}""" },
        { "self.out = datetime(2026, 7, 1).astimezone(timezone.utc)", """{"$datetime":"2026-06-30T22:00:00+00:00"}""" },
        { "self.out = datetime(1979, 7, 1).astimezone(timezone.utc)", """{"$datetime":"1979-06-30T23:00:00+00:00"}""" },
        { "self.out = [isinstance(self, Rule), isinstance(self, NebriOS)]", "[true,true]" },
        { "self.out = sorted(['b', 'a'], key=str)", """["a","b"]""" },
    };

    [Theory, MemberData(nameof(Actions))]
    public async Task An_action_does_what_its_text_says(string action, string expected)
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, $"""
            class go(NebriOS):
                listens_to = ["go"]

                def action(self):
                    {action}
            """);
        tenant.Have(15, "list", """[{"on":1}]""");
        tenant.Have(15, "tagged", """{"due":{"$date":"2026-12-24"}}""");
        tenant.Have(15, "wrapped", """{"$dict":{"$date":"2026-12-24"}}""");
        tenant.Have(15, "ref", """{"$process":7}""");

        var run = await tenant.OneRunAsync(15, ("go", "1"));

        run.Error.ShouldBeNull();
        tenant.Kvp(15, "out").ShouldBe(expected);
    }

    /// <summary>What an action may not do: its error's kind and a part of its message.</summary>
    public static TheoryData<string, string, string> Refusals => new()
    {
        { "self.out = object()", "TypeError", "out: a object can not be a value" },
        { "self.out = {1: 2}", "TypeError", "out: the keys of a dictionary are text" },
        { "self.out = 'a\\0b'", "ValueError", "out: text can not have NUL" },
        { "self.out = '\\ud800'", "ValueError", "out: text can not have half" },
        { "self.out = float('nan')", "ValueError", "out: nan" },
        { "self.out = b'\\xff'", "TypeError", "out: bytes" },
        { "self.out = 10 ** 5000", "ValueError", "out: a whole number can have 4300 digits" },
        { "self.list.append(object())", "TypeError", "list: a object" },
        { "a = []; a.append(a); self.out = a", "ValueError", "nested deeper than 64" },
        { "self.out = 'x' * 70000", "ValueError", "the limit" },
        { "self['a\\nb'] = 1", "ValueError", "control character" },
        { "self['k' * 129] = 1", "ValueError", "1 to 128 characters" },
        { "for i in range(51): self[f'k{i}'] = i", "ValueError", "53 KVPs, and 50 is the limit" },
        { "for i in range(5): self[f'k{i}'] = 'x' * 60000", "ValueError", "262144 is the limit" },
        { "self.pid = 3", "AttributeError", "pid can not be set" },
        { "raise KeyboardInterrupt", "KeyboardInterrupt", "KeyboardInterrupt" },
        { "import sys; sys.exit(3)", "SystemExit", "3" },
        { "open('/etc/passwd')", "PermissionError", "Operation not permitted" },
        { "def f(): f()\n        f()", "RecursionError", "recursion" },
    };

    [Theory, MemberData(nameof(Refusals))]
    public async Task A_refused_action_leaves_nothing_and_says_why(string action, string kind, string message)
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, $"""
            class go(Rule):
                listens_to = ["go"]
                def action(self):
                    self.before = 1
                    shared.before = 1
                    {action}
            """);
        tenant.Have(15, "list", "[]");

        var run = await tenant.OneRunAsync(15, ("go", "1"));

        run.Outcome.ShouldBe(RunOutcome.Failed);
        run.Error!.Kind.ShouldBe(kind);
        run.Error.Message.ShouldContain(message);
        run.Changes.ShouldBe(run.Error.SaidIn(15, "scripts/rule.py:go"));
        tenant.Keys(15).ShouldBe(["list", "go", "quarantined_script", "quarantine_error"], ignoreOrder: true);
        tenant.Keys(0).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_traceback_has_the_tenants_own_lines_only()
    {
        var tenant = new TestTenant(await cells.Sandbox,
            ("libraries/tools.py", "import json\ndef read(text):\n    return json.loads(text)\n"),
            ("scripts/rule.py", "from tools import read\nclass go(Rule):\n    listens_to = ['go']\n    def action(self):\n        read('{')\n"));

        var error = (await tenant.OneRunAsync(15, ("go", "1"))).Error!;

        error.Kind.ShouldBe("JSONDecodeError");
        (error.File, error.Line).ShouldBe(("libraries/tools.py", 3));
        var traceback = error.Traceback.ShouldNotBeNull();
        traceback.ShouldContain("File \"scripts/rule.py\", line 5, in action\n    read('{')");
        traceback.ShouldContain("return json.loads(text)");
        traceback.ShouldNotContain("decoder.py");
        traceback.ShouldNotContain("line.py");
    }

    [Fact]
    public async Task What_check_assigns_is_seen_by_action_and_dropped_if_it_says_no()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            class go(Rule):
                listens_to = ["go"]
                def check(self):
                    self.seen = self.go
                    return self.go > 1
                def action(self):
                    self.out = self.seen
            """);

        await tenant.PostAsync(15, ("go", "1"));
        tenant.Keys(15).ShouldBe(["go"]);

        await tenant.PostAsync(15, ("go", "2"));
        tenant.Kvp(15, "out").ShouldBe("2");
        tenant.Kvp(15, "seen").ShouldBe("2");
    }

    [Fact]
    public async Task Setting_a_KVP_to_what_it_is_makes_no_event_and_several_assignments_make_one()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            class go(Rule):
                listens_to = ["go"]
                def action(self):
                    self.same = [1, {"a": 2}]
                    self.number = 1
                    self.other = 1
                    self.other = 2
                    self.list.append(1)
                    self.list.pop()
            """);
        tenant.Have(15, "same", """[1,{"a":2}]""");
        tenant.Have(15, "number", "1.0");
        tenant.Have(15, "list", "[]");

        var run = await tenant.OneRunAsync(15, ("go", "1"));

        run.Changes.ShouldBe([new PidChange(15, "number", "1"), new PidChange(15, "other", "2")]);
    }

    [Fact]
    public async Task What_is_printed_and_logged_is_the_runs_log()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            import logging
            logging.basicConfig(filename="x.log", level=logging.DEBUG)
            print("while loading")

            class go(Rule):
                listens_to = ["go"]
                def action(self):
                    print("one", 2)
                    log.info("three %s", 4)
                    logging.debug("five")
            """);

        (await tenant.OneRunAsync(15, ("go", "1"))).Log.ShouldBe("one 2\nINFO three 4\nDEBUG five\n");
    }

    [Fact]
    public async Task A_flood_of_log_is_cut_with_a_mark()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            class go(Rule):
                listens_to = ["go"]
                def action(self):
                    for i in range(100000):
                        print("é" * 100)
            """);

        var log = (await tenant.OneRunAsync(15, ("go", "1"))).Log!;

        log.ShouldContain("cut here: a run may print 4096 bytes");
        log.Length.ShouldBeLessThan(4200);
    }

    [Fact]
    public async Task Libraries_are_one_module_by_either_name_packages_included()
    {
        var tenant = new TestTenant(await cells.Sandbox,
            ("libraries/tools.py", "count = 0\n"),
            ("libraries/deep/__init__.py", "from .inner import value\n"),
            ("libraries/deep/inner.py", "from ..deep import outer\nvalue = outer.value + 1\n".Replace("..deep", ".")),
            ("libraries/deep/outer.py", "value = 41\n"),
            ("libraries/colorsys.py", "mine = True\n"),
            ("scripts/rule.py", """
                import tools, libraries.tools, deep, colorsys
                from libraries.deep.inner import value
                import decimal, html.parser, sqlite3, wave, imaplib
                class go(Rule):
                    listens_to = ["go"]
                    def action(self):
                        self.out = [tools is libraries.tools, deep.value, value, colorsys.mine]
                """));

        (await tenant.LoadAsync()).Errors.ShouldBeEmpty();
        await tenant.PostAsync(15, ("go", "1"));

        tenant.Kvp(15, "out").ShouldBe("[true,42,42,true]");
    }
}
