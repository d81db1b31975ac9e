using System.CommandLine;
using System.Text.Json;
using Eddy.Client.Runs;
using Eddy.Client.Server;
using Eddy.Client.Tree;

namespace Eddy.Client.Commands;

/// <summary><c>eddy test</c>.</summary>
public static class TestCommand
{
    public static Command Make(Terminal terminal, Where where)
    {
        var file = new Argument<string?>("FILE") { Description = "Only this file, as tests/test_heat.py.", Arity = ArgumentArity.ZeroOrOne };
        var remote = new Option<bool>("--remote") { Description = "Of what is in force, and not with the files as they are here." };
        var json = new Option<bool>("--json") { Description = "Print what the API answers, as JSON." };
        var command = where.On(new Command("test", "Run the tests in tests/ with the files as they are here; nothing of it comes into force. The exit code is 1 where one fails.") { file, remote, json });
        command.SetAction(async (parsed, cancel) =>
        {
            var isRemote = parsed.GetValue(remote);
            var root = FolderState.RootOf(terminal.Folder);
            if (root is null && !isRemote)
            {
                throw new ClientFault("This folder is no copy of a tenant's files: eddy pull makes one, and --remote tests what is in force.", ClientFault.Usage);
            }

            var state = root is null ? null : FolderState.Read(root);
            using var api = await where.OpenAsync(parsed, terminal, state, cancel);
            var copy = isRemote ? null : new WorkCopy(new WorkFolder(root!), api, state);
            var files = copy is null ? null : LaidOver(copy, (await copy.CompareAsync(cancel)).Comparison);
            var path = parsed.GetValue(file) is { } said ? isRemote ? said : Path.GetRelativePath(root!, Path.GetFullPath(said, terminal.Folder)).Replace('\\', '/') : null;
            var answer = await api.TestsAsync(new TestsBody(files, path), cancel);
            if (parsed.GetValue(json))
            {
                terminal.Print(JsonSerializer.Serialize(answer, JsonSerializerOptions.Web));
            }
            else
            {
                Print(terminal, answer);
            }

            return Fails(answer) ? ClientFault.Failed : 0;
        });
        return command;
    }

    /// <summary>The files that are here otherwise than at the server; what others have saved since is tested as they saved it.</summary>
    internal static IReadOnlyList<TestsFile> LaidOver(WorkCopy copy, Comparison comparison) =>
        [.. comparison.Here.Where(file => file.Path != TreePath.Lock)
            .Select(file => new { file.Path, IsGone = file.Here is null, Text = file.Here is null ? null : WorkCopy.TextOf(copy.Folder.Read(file.Path)) })
            .Where(file => file.IsGone || file.Text?.Contains('\0', StringComparison.Ordinal) == false).Select(file => new TestsFile(file.Path, file.Text))];

    internal static bool Fails(TestsAnswer answer) => answer.Failed > 0 || answer.Faults is { Count: > 0 };

    internal static void Print(Terminal terminal, TestsAnswer answer)
    {
        var printer = new RunPrinter(terminal);
        foreach (var fault in answer.Faults ?? [])
        {
            terminal.Print($"{Terminal.Line(fault.Path ?? "?")}:{fault.Line ?? 1}:{fault.Column ?? 1}: {terminal.Red("error")}: {Terminal.Line(fault.Message)}");
        }

        foreach (var one in answer.Tests.GroupBy(test => test.Path))
        {
            terminal.Print(Terminal.Line(one.Key));
            foreach (var test in one)
            {
                terminal.Print($"  {(test.Passed ? terminal.Green("✓") : terminal.Red("✗"))} {Terminal.Line(test.Name)}");
                if (test.Passed)
                {
                    continue;
                }

                terminal.Print($"{Terminal.Line(test.At?.File ?? test.Path)}:{(test.At is { } place ? place.Line : test.FailedAt ?? test.Line) ?? 1}:1: {terminal.Red("error")}: {Terminal.Line(test.Message ?? "It failed.")}");
                printer.PrintTold(test.Log, null, null, "    ");
            }
        }

        terminal.Print(answer.Tests.Count == 0 && answer.Faults is null or { Count: 0 }
            ? "There is no test: they are in tests/, in files test_*.py."
            : $"{answer.Passed} passed, {(answer.Failed > 0 ? terminal.Red($"{answer.Failed} failed") : "0 failed")} in {Terminal.Took(answer.Milliseconds)}");
    }
}
