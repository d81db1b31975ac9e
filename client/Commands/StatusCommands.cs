using System.CommandLine;
using System.Text.Json;
using Eddy.Client.Tree;

namespace Eddy.Client.Commands;

/// <summary><c>eddy status</c> and <c>eddy diff</c>.</summary>
public static class StatusCommands
{
    public static Command Status(Terminal terminal, Where where)
    {
        var json = new Option<bool>("--json") { Description = "The same as JSON." };
        var command = where.On(new Command("status", "What differs between this folder and the tenant, and which way.") { json });
        command.SetAction(async (parsed, cancel) =>
        {
            var (folder, state) = Where.CopyAt(terminal.Folder);
            using var api = await where.OpenAsync(parsed, terminal, state, cancel);
            var (tree, comparison) = await new WorkCopy(folder, api, state).CompareAsync(cancel);
            var files = comparison.All.Where(file => !file.Agrees).ToList();
            if (parsed.GetValue(json))
            {
                terminal.Print(JsonSerializer.Serialize(
                    new { state.Address, state.Tenant, tree.Version, Pulled = state.Version, Files = files.Select(file => new { file.Path, Here = Word(file.ChangeHere), There = Word(file.ChangeThere), file.Clashes }) }, JsonSerializerOptions.Web));
                return 0;
            }

            foreach (var file in files)
            {
                var (side, change) = file.Clashes ? (terminal.Red("both "), file.ChangeHere) : file.ChangeHere != Change.None ? ("here ", file.ChangeHere) : (terminal.Dim("there"), file.ChangeThere);
                terminal.Print($"{side}  {Sign(terminal, change)} {Terminal.Line(file.Path)}{(file.Path == TreePath.Lock && file.ChangeHere != Change.None ? terminal.Dim("  written by the platform; not pushed") : "")}");
            }

            terminal.Print($"{(files.Count == 0 ? "The same as " : "")}{Terminal.Line(state.Tenant)} at {state.Address}, version {tree.Version}{(state.Version == tree.Version ? "" : $"; pulled was {state.Version}")}.");
            return 0;
        });
        return command;
    }

    public static Command Diff(Terminal terminal, Where where)
    {
        var paths = new Argument<string[]>("FILES") { Description = "Only these, by their paths from the folder of the copy.", Arity = ArgumentArity.ZeroOrMore };
        var there = new Option<bool>("--there") { Description = "Against what is at the server now, and not against what was pulled or pushed last." };
        var command = where.On(new Command("diff", "What you have changed, line by line.") { paths, there });
        command.SetAction(async (parsed, cancel) =>
        {
            var (folder, state) = Where.CopyAt(terminal.Folder);
            var only = parsed.GetValue(paths) ?? [];
            if (!parsed.GetValue(there))
            {
                foreach (var file in Comparison.Of(state.Files, folder.Scan(state.Files.Keys), [], folder.IgnoresCase).All.Where(file => file.ChangeHere != Change.None && (only.Length == 0 || only.Contains(file.Path))))
                {
                    Show(terminal, file.Path, file.Was is null ? [] : FolderState.BaseOf(folder.Root, file.Was.Sha256), file.Here is null ? [] : folder.Read(file.Path));
                }

                return 0;
            }

            using var api = await where.OpenAsync(parsed, terminal, state, cancel);
            var (_, comparison) = await new WorkCopy(folder, api, state).CompareAsync(cancel);
            foreach (var file in comparison.All.Where(file => !file.Agrees && (only.Length == 0 || only.Contains(file.Path))))
            {
                Show(terminal, file.Path, file.There is null ? [] : await api.FileAsync(file.Path, cancel), file.Here is null ? [] : folder.Read(file.Path));
            }

            return 0;
        });
        return command;
    }

    internal static string Word(Change change) => change switch { Change.New => "new", Change.Changed => "changed", Change.Removed => "removed", _ => "same" };

    internal static string Sign(Terminal terminal, Change change) => Sign(terminal, Word(change));

    internal static string Sign(Terminal terminal, string word) => word switch { "new" => terminal.Green("new    "), "removed" => terminal.Red("removed"), "changed" => terminal.Yellow("changed"), _ => word.PadRight(7) };

    private static void Show(Terminal terminal, string path, byte[]? before, byte[]? after)
    {
        terminal.Print(terminal.Bold($"--- {Terminal.Line(path)}"));
        if ((before is null ? null : WorkCopy.TextOf(before), after is null ? null : WorkCopy.TextOf(after)) is not ({ } old, { } now))
        {
            terminal.Print("It is no text, or what it was is not known.");
            return;
        }

        foreach (var line in TextDifference.Of(old, now))
        {
            var clean = Terminal.Line(line);
            terminal.Print(line[0] switch { '+' => terminal.Green(clean), '-' => terminal.Red(clean), '@' => terminal.Dim(clean), _ => clean });
        }
    }
}
