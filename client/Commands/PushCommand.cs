using System.CommandLine;
using System.Text.Json;
using Eddy.Client.Server;
using Eddy.Client.Tree;

namespace Eddy.Client.Commands;

/// <summary><c>eddy push</c>.</summary>
public static class PushCommand
{
    public static Command Make(Terminal terminal, Where where)
    {
        var dry = new Option<bool>("--dry", "--check") { Description = "Save nothing: show what would be done, and what does not compile." };
        var test = new Option<bool>("--test") { Description = "Run the tests first, with the files as they are here; one that fails refuses it." };
        var yes = new Option<bool>("--yes") { Description = "Also where every file of the tenant would go." };
        var json = new Option<bool>("--json") { Description = "Say what was done as JSON." };
        var command = where.On(new Command("push", "Send what you have changed, as one version of the tree. A file that does not compile refuses all of it, and so does what somebody saved since you pulled.") { dry, test, yes, json });
        command.SetAction(async (parsed, cancel) =>
        {
            var (folder, state) = Where.CopyAt(terminal.Folder);
            using var api = await where.OpenAsync(parsed, terminal, state, cancel);
            var copy = new WorkCopy(folder, api, state);
            var (tree, comparison) = await copy.CompareAsync(cancel);
            RefuseWhatIsBehind(comparison);
            var changes = copy.Changes(comparison);
            if (!parsed.GetValue(yes) && copy.RemovesAll(changes))
            {
                throw new ClientFault("Every file of the tenant is missing here. Nothing was pushed; --yes deletes them there, too.");
            }

            if (parsed.GetValue(test) && await api.TestsAsync(new TestsBody(TestCommand.LaidOver(copy, comparison), null), cancel) is var tested && TestCommand.Fails(tested))
            {
                TestCommand.Print(terminal, tested);
                throw new ClientFault("Nothing was pushed, because a test fails.");
            }

            var answer = changes.Count == 0 ? new TreeChangedAnswer(tree.Version, false, []) : await copy.PushAsync(changes, tree.Version, parsed.GetValue(dry), cancel);
            if (answer.Saved && changes.Any(change => change.Path == TreePath.Requirements))
            {
                // The lock was written with it.
                await copy.PullAsync(_ => null, cancel);
            }

            if (parsed.GetValue(json))
            {
                terminal.Print(JsonSerializer.Serialize(answer, JsonSerializerOptions.Web));
            }
            else
            {
                Tell(terminal, answer, copy.State!, parsed.GetValue(dry));
            }

            return 0;
        });
        return command;
    }

    /// <summary>Somebody's save is looked at before another goes over it. What runs save in workspace/ is nobody's save, unless it is in the way.</summary>
    internal static void RefuseWhatIsBehind(Comparison comparison)
    {
        var behind = comparison.There.Where(file => file.Clashes || !file.Path.StartsWith("workspace/", StringComparison.Ordinal)).Select(file => file.Path).ToList();
        if (behind.Count > 0)
        {
            throw new ClientFault($"Somebody saved {string.Join(", ", behind.Take(5))}{(behind.Count > 5 ? $" and {behind.Count - 5} others" : "")} since you pulled. Nothing was pushed; eddy pull first.");
        }
    }

    internal static void Tell(Terminal terminal, TreeChangedAnswer answer, FolderState state, bool dry)
    {
        foreach (var file in answer.Files.Where(file => file.Kind != "same"))
        {
            terminal.Print($"{StatusCommands.Sign(terminal, Terminal.Line(file.Kind))} {Terminal.Line(file.Path)}");
        }

        TellFindings(terminal, answer);
        var count = answer.Files.Count(file => file.Kind != "same");
        var files = count == 1 ? "1 file" : $"{count} files";
        terminal.Print(count == 0 ? $"Nothing to push: {Terminal.Line(state.Tenant)} has what is here." : dry ? $"{files} would be saved; nothing was." : $"{files} saved as version {answer.Version} of {Terminal.Line(state.Tenant)}.");
    }

    /// <summary>As compilers have them, so that editors find the places.</summary>
    internal static void TellFindings(Terminal terminal, TreeChangedAnswer answer)
    {
        foreach (var file in answer.Files)
        {
            foreach (var finding in file.Findings)
            {
                terminal.Print($"{Terminal.Line(file.Path)}:{finding.Line}:{finding.Column}: {(finding.Severity == "error" ? terminal.Red("error") : terminal.Yellow(Terminal.Line(finding.Severity)))}: {Terminal.Line(finding.Message)}");
            }
        }
    }
}
