using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

public sealed class LoadingTests(CellFixture cells)
{
    private const string Good = "class good(Rule):\n    listens_to = ['go']\n    def action(self): self.out = 1\n";

    /// <summary>A script that is not in force, and its error: line, column and a part of the message.</summary>
    public static TheoryData<string, int?, int?, string> Faults => new()
    {
        { "class x(Rule):\n    listens_to = ['a'\n", 2, 18, "was never closed" },
        { "class x(Rule):\n    listens_to == ['a']\n    def action(self): pass\n", 2, 5, "write listens_to = [...]" },
        { "class x(Rule):\n    def action(self): pass\n", null, null, "x has no listens_to" },
        { "class x(Rule):\n    listens_to = 'a'\n", null, null, "write listens_to = ['a']" },
        { "class x(Rule):\n    listens_to = ['a\\nb']\n", null, null, "control character" },
        { "class x(Rule):\n    listens_to = [1]\n", null, null, "1, which is no text" },
        { "x = 1\n1 / 0\n", 2, null, "ZeroDivisionError: division by zero" },
        { "import nothing_of_this_name\n", 1, null, "ModuleNotFoundError" },
        { "shared.x = 1\n", 1, null, "can not be set while files load" },
        { "x = '\0'\n", null, null, "null bytes" },
        { "import broken\n", 1, null, "libraries/broken.py" },
        { "import os\nos._exit(3)\n", null, null, "ended its cell (exit 3)" },
        { "while True: pass\n", null, null, "CPU time" },
        { "x = 'x' * (1 << 30)\n", null, null, "64 MiB" },
    };

    [Theory, MemberData(nameof(Faults))]
    public async Task A_file_that_does_not_load_is_told_and_the_rest_is_in_force(string text, int? line, int? column, string message)
    {
        var tenant = new TestTenant(await cells.Sandbox, ("scripts/bad.py", text), ("scripts/good.py", Good), ("libraries/broken.py", "x = (\n"));

        var loaded = await tenant.LoadAsync();

        loaded.Rules.ShouldHaveSingleItem().Id.ShouldBe("scripts/good.py:good");
        var error = loaded.Errors.ShouldHaveSingleItem();
        (error.File, error.Line, error.Column).ShouldBe(("scripts/bad.py", line, column));
        (error.Message + error.Traceback).ShouldContain(message);
        (await tenant.OneRunAsync(1, ("go", "1"))).Outcome.ShouldBe(RunOutcome.Ran);
    }

    [Fact]
    public async Task A_file_that_never_loads_is_tried_once_for_a_version()
    {
        var tenant = new TestTenant(await cells.Sandbox, ("scripts/bad.py", "while True: pass\n"), ("scripts/tried.py", """
            class tried(Rule):
                listens_to = ["go"]
                def action(self):
                    import sys
                    self.out = "scripts.bad" in sys.modules
            """));
        await tenant.LoadAsync();

        tenant.Sandbox.Drop(tenant.Tree.Tenant);
        await tenant.OneRunAsync(1, ("go", "1"));

        tenant.Kvp(1, "out").ShouldBe("false");
        (await tenant.LoadAsync()).Errors.ShouldHaveSingleItem().File.ShouldBe("scripts/bad.py");
    }

    [Fact]
    public async Task Module_bodies_may_read_what_is_shared()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, "found = shared.rate\n" + Good.Replace("= 1", "= found", StringComparison.Ordinal));
        tenant.Have(0, "rate", "7");

        await tenant.PostAsync(1, ("go", "1"));

        tenant.Kvp(1, "out").ShouldBe("7");
    }

    [Fact]
    public async Task A_new_version_of_the_tree_is_in_force_at_once()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, Good);
        await tenant.PostAsync(1, ("go", "1"));

        tenant.Tree = tenant.Tree with { Version = 2, Files = [new CellFile("scripts/rule.py", Good.Replace("= 1", "= 2", StringComparison.Ordinal))] };
        await tenant.PostAsync(1, ("go", "1"));

        tenant.Kvp(1, "out").ShouldBe("2");
    }

    [Fact]
    public async Task What_rules_listen_to_is_told()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            class base(Rule):
                def action(self): pass
            class x(base):
                listens_to = ["a", "shared.b", "a"]
            class y(base):
                listens_to = ("*",)
            """);

        var loaded = await tenant.LoadAsync();

        loaded.Errors.ShouldBeEmpty();
        loaded.Rules.Select(rule => string.Join(' ', rule.ListensTo)).ShouldBe(["a shared.b", "*"]);
        loaded.WakeKeys.ShouldBe(["a", "shared.b", "*"], ignoreOrder: true);
    }

    [Fact]
    public async Task Compiling_a_file_tells_line_and_column_and_never_runs_it()
    {
        var sandbox = await cells.Sandbox;
        var tenant = Eddy.Tenants.TenantId.New();

        (await sandbox.CompileAsync(tenant, new CellFile("scripts/a.py", "while True: pass\n"), TestContext.Current.CancellationToken)).Findings.ShouldBeEmpty();
        var error = (await sandbox.CompileAsync(tenant, new CellFile("scripts/a.py", "x = 1\nprint 'x'\n"), TestContext.Current.CancellationToken)).Findings.ShouldHaveSingleItem();

        (error.IsError, error.Line, error.Column).ShouldBe((true, 2, 1));
        error.Message.ShouldBe("print is a function in Python 3; write print('x')");
    }
}
