using Eddy.Tests.Sandbox;

namespace Eddy.Tests.Laws;

/// <summary>The one road, in the Python that the zygote and its cells are made of: what evaluates, and on whose side of the fork.</summary>
public sealed class GuestRoadTests
{
    /// <summary>What can make code of text or bytes, by file and function, and why it may.</summary>
    private static readonly Dictionary<string, string> Evaluators = new(StringComparer.Ordinal)
    {
        ["platform_modules.py:_import:importlib.import_module"] = "before the first fork: modules of lists of our own",
        ["platform_modules.py:_keep_module:compile"] = "before the first fork: files of Python's and Debian's own",
        ["platform_modules.py:_load_packages:importlib.import_module"] = "before the first fork: what the operator preloads",
        ["platform_modules.py:_Kept.get_code:marshal.loads"] = "code of those files, kept in memory",
        ["memory.py:Store.exec_module:exec"] = "that code; in a cell a tenant's packages",
        ["memory.py:Store.get_code:compile"] = "in a cell: a tenant's packages",
        ["probe.py:_execute:os.execve"] = "in a sealed process that is nobody's: what must be refused",
        ["zygote.py::os.execve"] = "at its very beginning: the same program again, without an environment",
        ["loading.py::builtins"] = "the names that a tenant's file has",
        ["loading.py:code_of:compile"] = "in a cell: a tenant's file",
        ["loading.py:load_script:exec"] = "in a cell: a tenant's script",
        ["loading.py:Libraries.exec_module:exec"] = "in a cell: a tenant's library",
        ["outgoing.py:Http.__getattr__:importlib.import_module"] = "in a cell: modules of the standard package http by their names",
        ["endpoints.py:call:importlib.import_module"] = "in a cell: the module of an endpoint, which the host has found among the tenant's files",
        ["testing.py:run:exec"] = "in a cell: a tenant's file of tests",
        ["loading.py:_Alias.create_module:importlib.import_module"] = "in a cell: a tenant's library by its other name",
    };

    /// <summary>All that the zygote itself calls of the other files. What a host sends it goes to none of them.</summary>
    private static readonly string[] UsedByTheZygote =
    [
        "cell.Cell", "cell.ZONE", "cell.enter", "cell.hide", "cell.send", "outgoing.prepare", "outgoing.replace", "platform_modules.close", "platform_modules.load", "probe.fault", "probe.forget", "probe.try_walls", "seal.Seal", "seal.Unsealed", "warming.filling", "warming.up",
    ];

    private const string FindEvaluators = """
        import ast, pathlib

        NAMES = {"exec", "eval", "compile", "__import__", "builtins", "breakpoint"}
        MODULES = {
            "importlib": {"import_module", "__import__", "reload"}, "marshal": {"load", "loads"}, "pickle": {"load", "loads", "Unpickler"},
            "shelve": {"open"}, "runpy": {"run_path", "run_module"}, "code": {"interact", "InteractiveInterpreter", "compile_command"},
            "types": {"FunctionType", "CodeType"}, "os": {"system", "popen", "posix_spawn", "posix_spawnp"}, "subprocess": {"*"}, "pty": {"*"},
            "ctypes": {"CFUNCTYPE", "PYFUNCTYPE", "pythonapi"}, "yaml": {"load", "unsafe_load", "full_load"}}

        def evaluates(node):
            if isinstance(node, ast.Name) and node.id in NAMES:
                return node.id
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                among = MODULES.get(node.value.id, ())
                if node.attr in among or "*" in among or node.attr.startswith("exec") and node.value.id == "os":
                    return f"{node.value.id}.{node.attr}"
            if isinstance(node, ast.ImportFrom) and node.module in MODULES:
                return next((f"{node.module}.{one.name}" for one in node.names if one.name in MODULES[node.module] or one.name == "*"), None)
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                return next((f"import {one.name} as {one.asname}" for one in node.names if one.asname and one.name in MODULES), None)

        def look(file, node, inside):
            for child in ast.iter_child_nodes(node):
                if found := evaluates(child):
                    print(f"{file}:{'.'.join(inside)}:{found}")
                named = isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
                look(file, child, inside + [child.name] if named else inside)

        for path in sorted(pathlib.Path(FOLDER).rglob("*.py")):
            look(path.relative_to(FOLDER).as_posix(), ast.parse(path.read_text()), [])
        """;

    private const string FindUses = """
        import ast, pathlib

        tree = ast.parse(pathlib.Path("zygote.py").read_text())
        files = {path.stem for path in pathlib.Path(".").glob("*.py")}
        own = {one.asname or one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names if one.name in files}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in files:
                print(f"from {node.module}")
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in own:
                print(f"{node.value.id}.{node.attr}")
        """;

    private const string FindEntry = """
        import ast, pathlib

        # A fork's child is the branch `if pid == 0` after `pid = os.fork()`; whatever becomes a cell does so there.
        def calls(node):
            return [one for one in ast.walk(node) if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and (one.value.id, one.attr) == ("cell", "enter")]

        tree = ast.parse(pathlib.Path("zygote.py").read_text())
        children = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "pid == 0"]
        print(len(calls(tree)), sum(len(calls(ast.Module(node.body, []))) for node in children))
        """;

    [Fact]
    public async Task What_evaluates_in_the_guest_is_on_the_table()
    {
        (await LinesAsync(FindEvaluators.Replace("FOLDER", "'.'", StringComparison.Ordinal)))
            .ShouldBe(Evaluators.Keys.Order(StringComparer.Ordinal), false, "What evaluates is on the table, with the reason why it may.");
    }

    [Theory]
    [InlineData("eval(text)", "eval")]
    [InlineData("run = exec", "exec")]
    [InlineData("from pickle import loads", "pickle.loads")]
    [InlineData("import marshal as m", "import marshal as m")]
    [InlineData("os.execve(path, [], {})", "os.execve")]
    [InlineData("subprocess.run([])", "subprocess.run")]
    public async Task What_evaluates_is_found_where_there_is_some(string text, string found)
    {
        var folder = Directory.CreateTempSubdirectory("eddy-test-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "one.py"), $"def act(text):\n    {text}\n", TestContext.Current.CancellationToken);

            (await LinesAsync(FindEvaluators.Replace("FOLDER", $"'{folder.FullName}'", StringComparison.Ordinal))).ShouldBe([$"one.py:act:{found}"]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task The_zygote_evaluates_nothing_and_calls_little()
    {
        Evaluators.Keys.Where(found => found.StartsWith("zygote.py:", StringComparison.Ordinal)).ShouldBe(["zygote.py::os.execve"]);

        (await LinesAsync(FindUses)).Distinct().Order(StringComparer.Ordinal).ShouldBe(UsedByTheZygote.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_cell_begins_only_behind_the_fork()
    {
        (await LinesAsync(FindEntry)).ShouldHaveSingleItem().ShouldBe("1 1");
    }

    private static async Task<List<string>> LinesAsync(string text)
    {
        var (code, output) = await ZygoteService.PythonAsync(text);
        code.ShouldBe(0);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Order(StringComparer.Ordinal)];
    }
}
