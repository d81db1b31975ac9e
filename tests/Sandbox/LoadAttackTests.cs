using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>Attacks by a file while it loads or is compiled: the file is told of, the tenant's other file is in force, and the host goes on.</summary>
[Trait("Category", "Long")]
public sealed class LoadAttackTests(CellFixture cells)
{
    private const string Good = "class good(Rule):\n    listens_to = ['go']\n    def action(self): self.out = 1\n";

    private const string Send = """
        import json, os, struct
        def send(told):
            text = told if isinstance(told, bytes) else json.dumps(told).encode()
            data = struct.pack("<I", len(text)) + text
            while data: data = data[os.write(3, data):]

        """;

    /// <summary>A body that speaks for the guest, by name.</summary>
    public static TheoryData<string, string> Lies => new()
    {
        { "a file of the tenant's that there is not", "import random\nsend(['begin', 'scripts/%s.py' % random.random()])" },
        { "a file that was begun before", "while True: send(['begin', 'scripts/bad.py'])" },
        { "frames that say nothing", "while True: send(['hello', 1])" },
        { "a word that there is not", "send(['never'])" },
        { "a step of a slice", "send([1, 5])" },
        { "an ask", "send(['call', 'GET', 'http://127.0.0.1/', []])" },
        { "parts of an ask", "while True: send(['part', 'eA=='])" },
        { "no JSON", "send(b'never')" },
        { "an empty frame", "send(b'')" },
        { "depth", "send(b'[' * 100_000)" },
        { "rules of no list", "send(['loaded', 5, [], []])" },
        { "rules of no file", "send(['loaded', [['scripts/other.py:x', ['go']]], [], []])" },
        { "rules without a file", "send(['loaded', [['x', ['go']]], [], []])" },
        { "a rule twice", "send(['loaded', [['scripts/bad.py:x', ['go']]] * 2, [], []])" },
        { "a rule with a long name", "send(['loaded', [['scripts/bad.py:' + 'x' * 1_000_000, ['go']]], [], []])" },
        { "a rule that listens to no key", "send(['loaded', [['scripts/bad.py:x', ['a\\x00']]], [], []])" },
        { "a rule that listens to very much", "send(['loaded', [['scripts/bad.py:x', [str(i) for i in range(500_000)]]], [], []])" },
        { "very many rules", "send(['loaded', [['scripts/bad.py:x%d' % i, []] for i in range(200_000)], [], []])" },
        { "an error's line that is no number", "send(['loaded', [], [['scripts/bad.py', 1.5, None, 'm', None]], []])" },
        { "an error's line beyond numbers", "send(['loaded', [], [['scripts/bad.py', 99999999999999, None, 'm', None]], []])" },
        { "an error of megabytes", "send(['loaded', [], [['scripts/bad.py', 1, None, 'm' * 4_000_000, None]], []])" },
        { "an error with half a character", "send(b'[\"loaded\",[],[[\"scripts/bad.py\",1,null,\"\\\\ud800\",null]]]')" },
        { "a frame that is too long", "os.write(3, b'\\xff\\xff\\xff\\x7f')" },
        { "the channel closed", "os.close(3)\nimport time\ntime.sleep(3600)" },
    };

    /// <summary>A file that is too much for whoever compiles or runs its body, by name, and a part of what is told of it.</summary>
    public static TheoryData<string, string, string> Bombs => new()
    {
        { "nested brackets", "x = " + new string('(', 5000) + new string(')', 5000), "too many nested|overflow|MiB|crash" },
        { "nested lists", "x = " + new string('[', 150) + new string(']', 150), "" },
        { "nested minus", "x = " + new string('-', 90_000) + "1", "recursion|MiB|crash|MemoryError|nested|complex" },
        { "nested calls", "x = " + string.Concat(Enumerable.Repeat("f(", 190)) + string.Concat(Enumerable.Repeat(")", 190)), "f" },
        { "a chain of attributes", "x = x" + string.Concat(Enumerable.Repeat(".x", 50_000)), "recursion|MiB|crash|not defined|complex" },
        { "a sum of many", "x = 0" + string.Concat(Enumerable.Repeat("+0", 50_000)), "recursion|MiB|crash|complex" },
        { "powers of constants", "x = 9 ** 9 ** 9", "CPU time|MiB|MemoryError" },
        { "a product of constants", "x = ((((((1,) * 1000) * 1000) * 1000) * 1000) * 1000)", "CPU time|MiB|MemoryError" },
        { "a text times a number", "x = 'x' * 10 ** 12", "MiB|MemoryError" },
        { "a number of many digits", "x = " + new string('9', 100_000), "digits" },
        { "many names", string.Concat(Enumerable.Range(0, 60_000).Select(i => $"a{i} = {i}\n")) + "while True: pass", "CPU time|MiB" },
        { "many decorators", string.Concat(Enumerable.Repeat("@f\n", 20_000)) + "def f(): pass", "not defined|CPU|crash|MiB|recursion|complex" },
        { "nested functions", string.Concat(Enumerable.Range(0, 99).Select(i => new string(' ', i) + "def f():\n")) + new string(' ', 99) + "pass", "" },
        { "too much indentation", string.Concat(Enumerable.Range(0, 200).Select(i => new string(' ', i) + "if 1:\n")) + new string(' ', 200) + "pass", "indentation" },
        { "nested f-strings", "x = " + string.Concat(Enumerable.Repeat("f'{", 100)) + "1" + string.Concat(Enumerable.Repeat("}'", 100)), "f-string|expecting|SyntaxError|unterminated" },
        { "a class body that does not end", "class x(Rule):\n    listens_to = ['a']\n    while True: pass", "CPU time" },
        { "a metaclass that does not end", "class m(type(Rule)):\n    def __new__(*a, **k):\n        while True: pass\nclass x(Rule, metaclass=m):\n    listens_to = ['a']", "CPU time" },
        { "a descriptor that does not end", "class d:\n    def __get__(*_): pass\n    def __set_name__(self, *_):\n        while True: pass\nclass x(Rule):\n    y = d()\n    listens_to = ['a']", "CPU time" },
        { "what it listens to does not end", "class l(list):\n    def __iter__(self):\n        while True: yield 'a'\nclass x(Rule):\n    listens_to = l()", "CPU time" },
        { "a key that is another text each time", "class s(str):\n    def startswith(self, *_): return False\n    def __eq__(self, other): return False\n    def __hash__(self): return 1\nclass x(Rule):\n    listens_to = [s('go\\n')]", "control character" },
        { "an import of itself", "import scripts.bad", "" },
        { "an import of a library that imports it", "import loop", "" },
        { "a library that does not end", "import endless", "CPU time" },
        { "an error that does not end", "class e(Exception):\n    def __str__(self):\n        while True: pass\nraise e", "CPU time|its text" },
        { "an error that ends the cell", "import os\nclass e(Exception):\n    def __str__(self): os._exit(5)\nraise e", "exit 5" },
        { "an end that is caught", "import sys\nsys.exit()", "SystemExit" },
        { "memory that grows", "x = []\nwhile True: x.append(bytearray(1 << 20))", "MiB|CPU time" },
        { "an import hook", "import sys\nclass h:\n    def find_spec(*_):\n        while True: pass\nsys.meta_path.insert(0, h())\nimport nothing_at_all", "CPU time" },
    };

    [Theory, MemberData(nameof(Lies))]
    public async Task A_body_that_speaks_for_the_guest_is_blamed(string name, string body)
    {
        var tenant = new TestTenant(await cells.Sandbox, ("scripts/bad.py", Send + body + "\n"), ("scripts/good.py", Good));

        var loaded = await tenant.LoadAsync();

        loaded.Errors.ShouldHaveSingleItem(name).File.ShouldBe("scripts/bad.py", name);
        await IsInForceAsync(tenant, loaded);
    }

    [Theory, MemberData(nameof(Bombs))]
    public async Task A_body_that_is_too_much_is_told_of(string name, string body, string message)
    {
        var tenant = new TestTenant(
            await cells.Sandbox, ("scripts/bad.py", body + "\n"), ("scripts/good.py", Good),
            ("libraries/loop.py", "import pool\n"), ("libraries/pool.py", "import loop\n"), ("libraries/endless.py", "while True: pass\n"));

        var loaded = await tenant.LoadAsync();

        var told = string.Concat(loaded.Errors.Select(error => error.File + error.Message + error.Traceback));
        message.Split('|').ShouldContain(part => told.Contains(part, StringComparison.Ordinal), $"{name}: {told[..Math.Min(told.Length, 300)]}");
        await IsInForceAsync(tenant, loaded);
    }

    [Theory, MemberData(nameof(Bombs))]
    public async Task Compiling_it_comes_to_an_end(string name, string body, string message)
    {
        var sandbox = await cells.Sandbox;

        var compiled = await sandbox.CompileAsync(Eddy.Tenants.TenantId.New(), new CellFile("scripts/bad.py", body + "\n"), TestContext.Current.CancellationToken);

        compiled.Findings.Count(finding => finding.IsError).ShouldBeLessThan(2, name + message);
    }

    [Fact]
    public async Task Rules_that_were_forged_and_answers_that_were_sent_beforehand_harm_their_own_tenant_alone()
    {
        var tenant = new TestTenant(await cells.Sandbox, ("scripts/bad.py", Send + "send(['loaded', [['scripts/bad.py:x', ['go'], False, [0, 0, 0, None, 0], None]], [], []])\nsend([1, 0, [3, 0, 1, 1, 0, 0], 5])\n"));

        var first = await tenant.OneRunAsync(1, ("go", "1"));
        var second = await tenant.PostAsync(2, ("go", "2"));

        (first.Rule, first.Pid, first.Outcome).ShouldBe(("scripts/bad.py:x", 1, RunOutcome.Ran));
        first.Changes.ShouldBeEmpty();
        second.Steps.OfType<RunEnded>().ShouldAllBe(run => run.Pid == 2 && run.Rule == first.Rule && run.Changes.All(change => change.Key.StartsWith("quarantine", StringComparison.Ordinal)));
        second.ArrivalsTaken.ShouldBe(1);
    }

    [Fact]
    public void Many_keys_wake_their_rules_in_order()
    {
        var keys = Enumerable.Range(0, 9000).Select(i => $"k{i}").ToList();

        var table = new WakeTable([new LoadedRule("a", keys), new LoadedRule("b", ["*", "k5", "k5"]), new LoadedRule("c", ["shared.k5", .. keys])]);

        table.Woken(1, "k5").ShouldBe([0, 1, 2]);
        table.Woken(1, "other").ShouldBe([1]);
        table.Woken(0, "k5").ShouldBe([2]);
        table.IndexOf("c").ShouldBe(2);
    }

    private static async Task IsInForceAsync(TestTenant tenant, LoadedTree loaded)
    {
        loaded.Rules.Select(rule => rule.Id).ShouldContain("scripts/good.py:good");
        (await tenant.PostAsync(1, ("go", "1"))).Steps.OfType<RunEnded>().ShouldContain(run => run.Rule == "scripts/good.py:good" && run.Outcome == RunOutcome.Ran);
    }
}
