using System.Text.Json;
using Eddy.Rules;
using Eddy.Sandbox;
using Eddy.Tenants;
using Eddy.Tests.Rules;

namespace Eddy.Tests.Sandbox;

/// <summary>What an editor is told of a file: a row for each kind of finding, with its place, and what its fix makes of the text.</summary>
public sealed class FindingTests(CellFixture cells)
{
    /// <summary>Code, the severity's first letter, the text, line, column, end line, end column; and the line of the finding after the fix, or null where there is none.</summary>
    public static TheoryData<string, char, string, int, int, int, int, string?> Rows => new()
    {
        { "syntax-error", 'e', Rule("x = (1,"), 5, 13, 5, 14, null },
        { "syntax-error", 'e', "x = 1 +\n", 1, 8, 1, 8, null },
        { "syntax-error", 'e', "x = '\0'\n", 1, 6, 1, 7, null },
        { "syntax-error", 'e', "def f():\n    x = 1\n\n  y = 2\n", 4, 8, 4, 8, null },
        { "syntax-error", 'e', "return 1\n", 1, 1, 1, 9, null },
        { "missing-colon", 'e', "if True\n    x = 1\n", 1, 8, 1, 8, "if True:" },
        { "listens-to-compared", 'e', "class x(Rule):\n    listens_to == ['a']\n    def action(self): pass\n", 2, 5, 2, 24, "    listens_to = ['a']" },
        { "listens-to-text", 'e', "class x(Rule):\n    listens_to = 'a'\n    def action(self): pass\n", 2, 18, 2, 21, "    listens_to = ['a']" },
        { "listens-to-entry", 'e', "class x(Rule):\n    listens_to = ['a', 1]\n    def action(self): pass\n", 2, 24, 2, 25, null },
        { "listens-to-entry", 'e', "class x(Rule):\n    listens_to = ['a\\nb']\n    def action(self): pass\n", 2, 19, 2, 25, null },
        { "listens-to-entry", 'e', "class x(Rule):\n    listens_to = {'a': 1}\n    def action(self): pass\n", 2, 18, 2, 26, null },
        { "listens-to-nothing", 'w', "class x(Rule):\n    listens_to = []\n    def action(self): pass\n", 2, 18, 2, 20, null },
        { "no-listens-to", 'e', "class x(Rule):\n    def action(self): pass\n", 1, 7, 1, 8, null },
        { "no-listens-to", 'e', "class x(Rule):\n    def action(self):\n        import requests\n        self.b = requests.get(self.a).status_code\n", 1, 7, 1, 8, null },
        { "misspelt-setting", 'e', "class x(Rule):\n    listen_to = ['a']\n    def action(self): pass\n", 2, 5, 2, 14, "    listens_to = ['a']" },
        { "misspelt-setting", 'w', "class x(Rule):\n    listens_to = ['a']\n    on_eror = 'hold'\n    def action(self): pass\n", 3, 5, 3, 12, "    on_error = 'hold'" },
        { "misspelt-method", 'w', "class x(Rule):\n    listens_to = ['a']\n    def chek(self): return self.a\n    def action(self): pass\n", 3, 9, 3, 13, "    def check(self): return self.a" },
        { "schedule-cron", 'e', "class x(Rule):\n    schedule = '0 25 * * *'\n    def action(self): pass\n", 2, 16, 2, 28, null },
        { "schedule-cron", 'e', "class x(Rule):\n    schedule = '@daily'\n    def action(self): pass\n", 2, 16, 2, 24, null },
        { "schedule-cron", 'e', "class x(Rule):\n    schedule = '0 0 31 2 *'\n    def action(self): pass\n", 2, 16, 2, 28, null },
        { "schedule-cron", 'e', "class x(Rule):\n    schedule = 5\n    def action(self): pass\n", 2, 16, 2, 17, null },
        { "not-a-rule", 'w', "class x:\n    listens_to = ['a']\n    def action(self): pass\n", 1, 7, 1, 8, "class x(Rule):" },
        { "not-a-rule", 'w', "class x(object):\n    schedule = '0 7 * * *'\n    def action(self): pass\n", 1, 7, 1, 8, "class x(Rule):" },
        { "not-a-rule", 'w', "class x:\n    def check(self): return self.a\n    def action(self): pass\n", 1, 7, 1, 8, null },
        { "class-twice", 'w', "class x(Rule):\n    listens_to = ['a']\n    def action(self): pass\n\nclass x(Rule):\n    listens_to = ['b']\n    def action(self): pass\n", 1, 7, 1, 8, null },
        { "method-without-self", 'w', "class x(Rule):\n    listens_to = ['a']\n    def action(): pass\n", 3, 9, 3, 15, "    def action(self): pass" },
        { "method-parameters", 'w', "class x(Rule):\n    listens_to = ['a']\n    def action(self, key): pass\n", 3, 9, 3, 15, null },
        { "method-async", 'w', "class x(Rule):\n    listens_to = ['a']\n    async def action(self): pass\n", 3, 15, 3, 21, "    def action(self): pass" },
        { "check-without-return", 'w', Check("self.a > 1"), 4, 9, 4, 19, "        return self.a > 1" },
        { "check-without-return", 'w', Check("self.a == 1"), 4, 9, 4, 20, "        return self.a == 1" },
        { "check-without-return", 'w', Check("if self.a:\n            print(1)"), 3, 9, 3, 14, null },
        { "check-assigns", 'w', Check("self.b = 1\n        return True"), 4, 9, 4, 15, null },
        { "check-assigns", 'w', Check("shared.b['x'] = 1\n        return True"), 4, 9, 4, 22, null },
        { "check-assigns", 'w', Check("del self.b\n        return True"), 4, 13, 4, 19, null },
        { "check-assigns", 'w', Check("self.b.append(1)\n        return True"), 4, 9, 4, 25, null },
        { "check-assigns", 'w', Check("send_email('a@b.test', 'x')\n        return True"), 4, 9, 4, 36, null },
        { "check-assigns", 'w', Check("workspace.save('a')\n        return True"), 4, 9, 4, 28, null },
        { "comparison-unused", 'w', Rule("self.b == 1"), 5, 9, 5, 20, "        self.b = 1" },
        { "hidden-by-method", 'w', Rule("self.action = 1"), 5, 9, 5, 20, "        self[\"action\"] = 1" },
        { "number-assigned", 'w', Rule("self.PROCESS_ID = 1"), 5, 9, 5, 24, null },
        { "class-value-changed", 'w', "class x(Rule):\n    listens_to = ['a']\n    seen = []\n    def action(self):\n        self.seen.append(1)\n", 5, 9, 5, 28, null },
        { "changed-after-assignment", 'w', Rule("b = []\n        self.b = b\n        b.append(1)"), 7, 9, 7, 20, null },
        { "unknown-name", 'w', Rule("self.b = undefined_here"), 5, 18, 5, 32, null },
        { "unknown-name", 'w', Rule("self.b = a"), 5, 18, 5, 19, "        self.b = self.a" },
        { "unknown-name", 'w', Rule("self.b = sharde.a"), 5, 18, 5, 24, "        self.b = shared.a" },
        { "unknown-name", 'w', "class x(rule):\n    listens_to = ['a']\n", 1, 9, 1, 13, "class x(Rule):" },
        { "unknown-name", 'w', "def f(a):\n    return [self.b for b in a]\n", 2, 13, 2, 17, null },
        { "class-not-module", 'w', Rule("self.b = datetime.datetime.now()"), 5, 18, 5, 35, "        self.b = datetime.now()" },
        { "class-not-module", 'w', Rule("self.b = time.time()"), 5, 18, 5, 27, null },
        { "python-warning", 'w', Rule("self.b = 1 is 1"), 5, 9, 5, 24, null },
        { "python-2-print", 'e', Rule("print 'x', self.a  # why"), 5, 9, 5, 26, "        print('x', self.a)  # why" },
        { "python-2-print", 'e', Rule("print 'x',"), 5, 9, 5, 19, "        print('x', end=\" \")" },
        { "python-2-print", 'w', Rule("print"), 5, 9, 5, 14, "        print()" },
        { "python-2-print", 'w', Rule("import sys\n        print >>sys.stderr, 'x'"), 6, 9, 6, 32, "        print('x', file=sys.stderr)" },
        { "python-2-except", 'e', Rule("try: pass\n        except KeyError, e: pass"), 6, 9, 6, 28, "        except KeyError as e: pass" },
        { "python-2-except", 'e', Rule("try: pass\n        except (KeyError, ValueError), e: pass"), 6, 9, 6, 42, "        except (KeyError, ValueError) as e: pass" },
        { "python-2-raise", 'e', Rule("raise ValueError, 'x'"), 5, 9, 5, 30, "        raise ValueError('x')" },
        { "python-2-exec", 'e', Rule("exec 'x = 1' in {}"), 5, 9, 5, 27, "        exec('x = 1', {})" },
        { "python-2-backticks", 'e', Rule("self.b = `self.a`"), 5, 18, 5, 26, "        self.b = repr(self.a)" },
        { "python-2-not-equal", 'e', Rule("self.b = self.a <> 1"), 5, 25, 5, 27, "        self.b = self.a != 1" },
        { "python-2-number", 'e', Rule("self.b = 0777"), 5, 18, 5, 22, "        self.b = 0o777" },
        { "python-2-number", 'e', Rule("self.b = 10L"), 5, 18, 5, 21, "        self.b = 10" },
        { "python-2-text", 'e', Rule("self.b = ur'x'"), 5, 18, 5, 20, "        self.b = r'x'" },
        { "python-2-name", 'w', Rule("self.b = isinstance(self.a, basestring)"), 5, 37, 5, 47, "        self.b = isinstance(self.a, str)" },
        { "python-2-name", 'w', Rule("self.b = unicode(self.a)"), 5, 18, 5, 25, "        self.b = str(self.a)" },
        { "python-2-name", 'w', Rule("self.b = sum(xrange(3))"), 5, 22, 5, 28, "        self.b = sum(range(3))" },
        { "python-2-method", 'w', Rule("self.b = list(self.a.iteritems())"), 5, 30, 5, 39, "        self.b = list(self.a.items())" },
        { "python-2-method", 'w', Rule("self.b = not self.a.has_key('k')"), 5, 22, 5, 41, "        self.b = not ('k' in self.a)" },
        { "python-2-module", 'w', "import urllib2\n", 1, 1, 1, 15, null },
    };

    [Theory, MemberData(nameof(Rows))]
    public async Task It_has_a_place_a_sentence_and_a_fix_that_mends_it(string code, char severity, string text, int line, int column, int endLine, int endColumn, string? mended)
    {
        var found = (await CheckAsync(text)).Findings.ShouldHaveSingleItem();

        found.Code.ShouldBe(code);
        found.Severity[0].ShouldBe(severity);
        (found.Line, found.Column, found.EndLine, found.EndColumn).ShouldBe((line, column, endLine, endColumn));
        found.Message.ShouldNotBeNullOrWhiteSpace();
        found.Message.ShouldNotContain("\n");
        (found.Fix is null).ShouldBe(mended is null);
        if (mended is not null)
        {
            var after = Apply(text, found.Fix!);
            after.Split('\n')[line - 1].ShouldBe(mended);
            (await CheckAsync(after)).Findings.ShouldBeEmpty();
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public async Task An_error_says_what_loading_would_say_and_a_warning_keeps_nothing_out_of_force(string code, char severity, string text, int line, int column, int endLine, int endColumn, string? mended)
    {
        _ = (line, column, endLine, endColumn, mended);
        var tenant = TestTenant.WithRule(await cells.Sandbox, text);

        var errors = (await tenant.LoadAsync()).Errors;

        // A rule's schedule is for whoever runs it, and these names and modules fail where they are used, here at once.
        if (code is not ("schedule-cron" or "python-2-module") && !(code == "unknown-name" && text.StartsWith("class x(rule)", StringComparison.Ordinal)))
        {
            errors.Count.ShouldBe(severity == 'e' ? 1 : 0);
        }
    }

    [Fact]
    public async Task All_of_an_old_file_is_found_in_one_go_and_mended_by_what_is_proposed()
    {
        var text = """
            class billing(NebriOS):
                listens_to = ["invoice"]

                def check(self):
                    return self.invoice.has_key("total") and self.paid <> True

                def action(self):
                    print "billing %s" % self.invoice
                    try:
                        for key, value in self.invoice.iteritems():
                            self[key] = unicode(value)
                    except KeyError, e:
                        print e
                        raise ValueError, "no such key"
            """.ReplaceLineEndings("\n") + "\n";

        var codes = new List<string>();
        for (var round = 0; round < 10; round++)
        {
            var findings = (await CheckAsync(text)).Findings;
            if (round == 0)
            {
                codes.AddRange(findings.Select(finding => $"{finding.Line} {finding.Code}"));
            }

            // From the end on, so that the places of the others stay.
            foreach (var finding in findings.Where(finding => finding.Fix is not null).Reverse())
            {
                text = Apply(text, finding.Fix!);
            }
        }

        codes.ShouldBe(["5 python-2-method", "5 python-2-not-equal", "8 python-2-print", "10 python-2-method", "11 python-2-name", "12 python-2-except", "13 python-2-print", "14 python-2-raise"]);
        (await CheckAsync(text)).Findings.ShouldBeEmpty();
        text.ShouldContain("return (\"total\" in self.invoice) and self.paid != True");
        text.ShouldContain("except KeyError as e:");
    }

    [Theory]
    [InlineData("self.b = 'äöü𝒳' + undefined_here", 9 + 19)]
    [InlineData("self.b = '\ufeff' + undefined_here", 9 + 15)]
    public async Task Columns_count_as_editors_do(string line, int column)
    {
        var found = (await CheckAsync(Rule(line))).Findings.ShouldHaveSingleItem();

        (found.Line, found.Column).ShouldBe((5, column));
    }

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public async Task Lines_end_as_they_do_in_Python(string end)
    {
        // Neither a form feed nor the other separators of Unicode end a line there.
        var found = (await CheckAsync(Rule("self.c = '\u2028\x0b'\n        self.b = undefined_here").Replace("\n", end, StringComparison.Ordinal))).Findings.ShouldHaveSingleItem();

        (found.Line, found.Column).ShouldBe((6, 18));
    }

    /// <summary>What is right and looks as if it were not.</summary>
    public static TheoryData<string> Good =>
    [
        "from things import *\nx = whatever\n",
        "try:\n    text = unicode\nexcept NameError:\n    text = str\n",
        "try:\n    import urllib2\nexcept ImportError:\n    urllib2 = None\n",
        "import sys\nif sys.version_info[0] < 3:\n    text = unicode\n    import urllib2\n",
        "def f():\n    global made\n    made = 1\ndef g():\n    return made\n",
        "exec('a = 1')\nb = a\n",
        "def top(self):\n    return self.a\n",
        "x = [y for y in range(3) if y]\nz = {k: v for k, v in {}.items()}\nf = lambda a, *b, c=1, **d: (a, b, c, d)\n",
        "class A:\n    b = 1\n    c = b\n    def d(self):\n        return __class__\n",
        "from __future__ import annotations\ndef f(x: Later) -> Later:\n    y: Later2 = x\n    return y\nclass Later:\n    pass\n",
        "import datetime, time\nx = datetime.datetime.now()\ny = time.time()\n",
        "def f(time, datetime):\n    return time.time() + datetime.datetime.now()\n",
        "match {'a': 1}:\n    case {'a': b, **rest}:\n        c = (b, rest)\n",
        "if (n := 3) > 2:\n    m = n\n",
        "class things(dict):\n    def has_key(self, key): return key in self\nx = things().has_key('a')\n",
        Check("raise NotImplementedError"),
        Check("for a in self.a:\n            if a: return True"),
        Check("return any(a for a in self.a)"),
        Check("found = []\n        found.append(self.a)\n        found[0] = 1\n        return found"),
        "class base(Rule):\n    def check(self): pass\n    def action(self): pass\n\nclass x(base):\n    listens_to = ['a']\n    def check(self): return True\n",
        "class mixed:\n    listens_to = ['a']\n    def check(self): return True\n    def action(self): pass\n\nclass x(mixed, Rule):\n    pass\n",
        "from things import Base\n\nclass x(Base):\n    listens_to = ['a']\n    def action(self): pass\n",
        "class x(Rule):\n    listens_to = ['a']\n    limit = 90\n    rates = {'a': 1}\n    @staticmethod\n    def check(): return True\n    def action(self): self.b = self.limit * self.rates['a']\n",
        "class x(Rule):\n    schedule = '*/10 8-18 1,15 JAN-MAR MON-SUN'\n    def action(self): pass\n",
        "class x(Rule):\n    listens_to = ['a', 'shared.b', 'child.c', 'parent.d', '*', 'any key']\n    def action(self):\n        new_child.a = 1\n        for one in children.filter(a=1):\n            one.b = parent.a\n        send_email('a@b.test', '{{a}}')\n        load_card('b')\n        Process.objects.create(kind='c', a=self.a)\n",
        "class x(Rule):\n    listens_to = ['a']\n    def action(self):\n        names = []\n        self.names = names\n        names.append(1)\n        self.names = names\n",
        "class Service(Model):\n    name = Field(required=True)\n    check = Field(default=True)\n    action = Field()\n",
        "class x(Rule):\n    if True:\n        listens_to = ['a']\n    def action(self): pass\n",
        "class x(Rule):\n    listens_to, limit = ['a'], 1\n    def action(self): pass\n",
        "class x(Rule):\n    def action(self): pass\n\nx.listens_to = ['a']\n",
        "class x(Rule):\n    def action(self): pass\n\ndel x\n",
        "def rule(one):\n    one.listens_to = ['a']\n    return one\n\n@rule\nclass x(Rule):\n    def action(self): pass\n",
        "KEYS = ['a']\nclass x(Rule):\n    listens_to = KEYS + ['b']\n    def action(self): pass\n",
    ];

    [Theory, MemberData(nameof(Good))]
    public async Task Good_code_is_left_alone(string text) => (await CheckAsync(text)).Findings.ShouldBeEmpty();

    [Theory]
    [InlineData("class base(Rule):\n    def check(self): pass\n    def action(self): self.b = 1\n", null)]
    [InlineData("class base(Rule):\n    listens_to = []\n    def action(self): self.b = 1\n", null)]
    [InlineData("class mixed:\n    listens_to = ['a']\n    def check(self): return True\n    def action(self): pass\n", null)]
    [InlineData("class base(Rule):\n    listens_to = 'a'\n", "warning listens-to-text")]
    [InlineData("class base(Rule):\n    listen_to = ['a']\n    def action(self): pass\n", "warning misspelt-setting")]
    [InlineData("class base(Rule):\n    schedule = 'daily'\n", "warning schedule-cron")]
    [InlineData("class base(Rule):\n    listens_to == ['a']\n", "error listens-to-compared")]
    public async Task A_library_may_have_half_of_a_rule(string text, string? expected)
    {
        foreach (var path in new[] { "libraries/base.py", "api/base.py" })
        {
            (await CheckAsync(text, path)).Findings.Select(finding => $"{finding.Severity} {finding.Code}").ShouldBe(expected is null ? [] : [expected], path);
        }
    }

    [Theory]
    [InlineData("0 7 * * *", null)]
    [InlineData("*/10 8-18/2 1,15,31 jan-MAR 1-5", null)]
    [InlineData("5/15 0 29 2 *", null)]
    [InlineData("0 0 31 4 1", null)]
    [InlineData("0 0 * * 7-2,5-7,FRI-SUN", null)]
    [InlineData("60 * * * *", "'60' is no minute")]
    [InlineData("0 24 * * *", "'24' is no hour")]
    [InlineData("0 0 0 * *", "'0' is no day of the month")]
    [InlineData("0 0 * 13 *", "'13' is no month: it is a number from 1 to 12 or JAN to DEC")]
    [InlineData("0 0 * * 8", "'8' is no day of the week")]
    [InlineData("0 0 L * *", "'L' is no day of the month")]
    [InlineData("0 0 ? * *", "'?' is no day of the month")]
    [InlineData("0 0 * * MON#1", "'MON#1' is no day of the week")]
    [InlineData("*/0 * * * *", "after / stands a whole number from 1 to 59")]
    [InlineData("30-10 * * * *", "a range goes from the smaller to the greater")]
    [InlineData("1,,2 * * * *", "'' is no minute")]
    [InlineData("0 0 31 4,6 *", "never comes")]
    [InlineData("0 0 * * * *", "has five fields")]
    [InlineData("* * * *", "has five fields")]
    [InlineData("", "has five fields")]
    public async Task A_schedule_has_five_fields_and_the_sentence_names_the_one_that_is_wrong(string cron, string? message)
    {
        var findings = (await CheckAsync($"class x(Rule):\n    schedule = {JsonSerializer.Serialize(cron)}\n    def action(self): pass\n")).Findings;

        findings.Select(finding => finding.Code).ShouldBe(message is null ? [] : ["schedule-cron"]);
        if (message is not null)
        {
            findings[0].Message.ShouldContain(message);
        }
    }

    [Fact]
    public async Task Python_itself_has_no_unknown_names_and_nothing_that_looks_wrong()
    {
        // Some names are there on Windows or in another build alone.
        var (code, output) = await ZygoteService.PythonAsync("""
            import pathlib, sysconfig
            import feedback, loading

            loading.NAMES.update(shared=None, log=None, event=None, events=[])
            seen = 0
            for path in sorted(pathlib.Path(sysconfig.get_paths()["stdlib"]).glob("[a-p]*.py")):
                text = path.read_text(errors="replace")
                if len(text) > 40_000:
                    continue
                seen += 1
                for found in feedback.check("libraries/" + path.name, text)[0]:
                    if found[1] != "python-warning":
                        print(path.name, *found[:7])
            print(seen > 50)
            """);

        code.ShouldBe(0);
        output.Trim().ShouldBe("True");
    }

    [Fact]
    public async Task Whatever_is_typed_has_findings_inside_the_text_and_an_error_where_Python_has_one()
    {
        var (code, output) = await ZygoteService.PythonAsync($$""""
            import random
            import feedback, source

            SEEDS = {{JsonSerializer.Serialize(Rows.Select(row => row.Data.Item3).Concat(Good.Select(row => row.Data)).Where(text => !text.Contains('\0', StringComparison.Ordinal)))}}
            BITS = ["self", ".", "(", ")", "[", "]", ":", "=", "==", '"', "'", "\n", "    ", "print ", "except A, b:", "raise E, ", "`", "<>", "07", "10L", "async ", "lambda a: ", "class ", "def ", "@d\n", "*",
                    "é", "\U0001d4b3", "\r", "\t", "\f", "#", "\\", 'f"{', '"""', "shared", "del ", "yield ", "return ", "listens_to", "exec x in y", ",", ";", "children", "super()"]
            chance = random.Random(20261124)
            for number in range(3000):
                text = chance.choice(SEEDS)
                for _ in range(chance.randint(1, 4)):
                    at = chance.randint(0, len(text))
                    text = text[:at] + chance.choice(BITS) + text[at + chance.choice((0, 0, 1, 3)):]
                findings, _ = feedback.check("scripts/rule.py", text)
                lines = source.Source(text)
                for found in findings:
                    ends = [found[2:4], found[4:6]] + ([found[7][:2], found[7][2:4]] if found[7] else [])
                    # At most behind the line's end.
                    inside = all(1 <= line <= len(lines.starts) and 1 <= column <= len(lines.line(line).encode("utf-16-le")) // 2 + 3 for line, column in ends)
                    if not inside or ends[0] > ends[1] or ends[2:3] > ends[3:] or found[1] == "not-looked-at":
                        print(repr(text), found)
                try:
                    compile(text, "rule.py", "exec", dont_inherit=True)
                except (SyntaxError, ValueError) as error:
                    if not any(found[0] == "error" for found in findings):
                        print(repr(text), error)
            """");

        (code, output).ShouldBe((0, ""));
    }

    [Fact]
    public async Task Every_code_is_on_the_page_and_has_a_row()
    {
        var (_, output) = await ZygoteService.PythonAsync("""
            import pathlib, re

            for path in pathlib.Path(".").glob("*.py"):
                for code in re.findall(r'(?:"(?:error|warning)"|dead else "warning"), "([a-z0-9-]+)"|found\("([a-z0-9-]+)"', path.read_text()):
                    print(*code)
            """);
        var codes = output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.Ordinal);

        codes.Count.ShouldBeGreaterThan(30);
        codes.Where(code => !RulesPage.Text.Contains($"`{code}`", StringComparison.Ordinal)).ShouldBeEmpty();

        // A long file and old meanings have tests of their own; there is no text for a slip of ours.
        codes.Except(Rows.Select(row => row.Data.Item1)).Order(StringComparer.Ordinal).ShouldBe(["long-file", "not-looked-at", "python-2-meaning"]);
    }

    [Theory]
    [InlineData("""[["fatal","x-y",1,1,1,1,"m",null]]""", "[]")]
    [InlineData("""[["error","Not A Code",1,1,1,1,"m",null]]""", "[]")]
    [InlineData("""[["error","x-y",0,1,1,1,"m",null]]""", "[]")]
    [InlineData("""[["error","x-y",1,1,1,1,"a\u0000b",null]]""", "[]")]
    [InlineData("""[["error","x-y",1,1,1,1,null,null]]""", "[]")]
    [InlineData("""[["error","x-y",1,1,1,1,"m",[1,1,1,-1,"x"]]]""", "[]")]
    [InlineData("[]", """[["x",1,0,[],null,[],[],[],false,false]]""")]
    [InlineData("[]", """[["x",1,1,[null],null,[],[],[],false,false]]""")]
    public void What_no_cell_of_ours_says_is_not_believed(string findings, string rules)
    {
        using var said = JsonDocument.Parse($"[{findings},{rules}]");

        Should.Throw<CellLied>(() => CompiledFile.Read(said.RootElement[0], said.RootElement[1]));
    }

    [Fact]
    public void More_than_there_may_be_is_not_believed()
    {
        using var many = JsonDocument.Parse($"[{string.Join(',', Enumerable.Repeat("""["error","x-y",1,1,1,1,"m",null]""", 201))}]");
        using var keys = JsonDocument.Parse($"""[["x",1,1,[{string.Join(',', Enumerable.Repeat("\"k\"", 20_001))}],null,[],[],[],false,false]]""");
        using var none = JsonDocument.Parse("[]");

        Should.Throw<CellLied>(() => CompiledFile.Read(many.RootElement, none.RootElement));
        Should.Throw<CellLied>(() => CompiledFile.Read(none.RootElement, keys.RootElement));
    }

    [Fact]
    public async Task A_file_that_is_too_long_to_be_looked_at_is_compiled_all_the_same()
    {
        var text = $"x = '{new string('x', 100_000)}'\n";

        (await CheckAsync(text)).Findings.ShouldHaveSingleItem().Code.ShouldBe("long-file");
        (await CheckAsync(text + "print 'x'\n")).Findings.Single(finding => finding.IsError).Line.ShouldBe(2);
    }

    internal static string Rule(string line) => $"class x(Rule):\n    listens_to = ['a']\n\n    def action(self):\n        {line}\n";

    private static string Check(string line) => $"class x(Rule):\n    listens_to = ['a']\n    def check(self):\n        {line}\n    def action(self): pass\n";

    private static string Apply(string text, FindingFix fix)
    {
        var starts = new List<int> { 0 };
        for (var at = text.IndexOf('\n'); at >= 0; at = text.IndexOf('\n', at + 1))
        {
            starts.Add(at + 1);
        }

        return text[..(starts[fix.Line - 1] + fix.Column - 1)] + fix.Text + text[(starts[fix.EndLine - 1] + fix.EndColumn - 1)..];
    }

    private async Task<CompiledFile> CheckAsync(string text, string path = "scripts/rule.py") =>
        await (await cells.Sandbox).CompileAsync(TenantId.New(), new CellFile(path, text), TestContext.Current.CancellationToken);
}
