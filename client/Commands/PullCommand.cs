using System.CommandLine;
using System.Text.Json;
using Eddy.Client.Tree;

namespace Eddy.Client.Commands;

/// <summary><c>eddy pull</c>.</summary>
public static class PullCommand
{
    public static Command Make(Terminal terminal, Where where)
    {
        var folder = new Argument<string?>("FOLDER") { Description = "Where the files are to be; else the copy that this folder is part of, else this folder.", Arity = ArgumentArity.ZeroOrOne };
        var theirs = Paths("--theirs", "Of what both sides changed, take theirs: of these files, or of all.");
        var mine = Paths("--mine", "Of what both sides changed, keep mine, which the next push sends: of these files, or of all.");
        var json = new Option<bool>("--json") { Description = "Say what was done as JSON." };
        var command = where.On(new Command("pull", "Fetch the tenant's files. What you have changed stays: where both sides changed a text, both changes are put together if they are apart; else it is told, and your file is left as it is.") { folder, theirs, mine, json });
        command.SetAction(async (parsed, cancel) =>
        {
            var root = parsed.GetValue(folder) is { } said ? Path.GetFullPath(said, terminal.Folder) : FolderState.RootOf(terminal.Folder) ?? terminal.Folder;
            var state = FolderState.Read(root);
            using var api = await where.OpenAsync(parsed, terminal, state, cancel);
            var copy = new WorkCopy(new WorkFolder(root), api, state);
            var (takes, keeps) = (Chosen(parsed, theirs), Chosen(parsed, mine));
            var outcome = await copy.PullAsync(path => takes(path) ? Side.Theirs : keeps(path) ? Side.Mine : null, cancel);
            if (parsed.GetValue(json))
            {
                terminal.Print(JsonSerializer.Serialize(
                    new { outcome.Version, Taken = outcome.Taken.Select(file => new { file.Path, Kind = StatusCommands.Word(file.ChangeThere) }), outcome.Merged, Clashes = outcome.Clashes.Select(file => file.Path), outcome.Unsafe }, JsonSerializerOptions.Web));
            }
            else
            {
                Tell(terminal, outcome, copy.State!);
            }

            return outcome.Clashes.Count > 0 ? ClientFault.Failed : 0;
        });
        return command;
    }

    internal static void Tell(Terminal terminal, PullOutcome outcome, FolderState state)
    {
        foreach (var file in outcome.Taken)
        {
            terminal.Print($"{StatusCommands.Sign(terminal, file.ChangeThere)} {Terminal.Line(file.Path)}");
        }

        foreach (var path in outcome.Merged)
        {
            terminal.Print($"{terminal.Green("merged ")} {Terminal.Line(path)}");
        }

        foreach (var file in outcome.Clashes)
        {
            terminal.Print($"{terminal.Red("both   ")} {Terminal.Line(file.Path)}  {terminal.Dim($"{StatusCommands.Word(file.ChangeHere)} here, {StatusCommands.Word(file.ChangeThere)} there; yours is left")}");
        }

        if (outcome.Unsafe.Count > 0)
        {
            terminal.Note(terminal.Yellow($"{outcome.Unsafe.Count} left out, because no file of a tenant can be there on this machine: {Terminal.Line(string.Join(", ", outcome.Unsafe.Take(5)))}"));
        }

        var count = outcome.Taken.Count + outcome.Merged.Count;
        terminal.Print(count == 0 && outcome.Clashes.Count == 0 ? $"{Terminal.Line(state.Tenant)} is here as it is: version {outcome.Version}." : $"{count} {(count == 1 ? "file" : "files")} from version {outcome.Version} of {Terminal.Line(state.Tenant)}.");
        if (outcome.Clashes.Count > 0)
        {
            terminal.Note($"See what differs with eddy diff --there, then eddy pull --theirs {Terminal.Line(outcome.Clashes[0].Path)} to take theirs, or --mine to keep yours.");
        }
    }

    private static Option<string[]?> Paths(string name, string what) => new(name) { Description = what, Arity = ArgumentArity.ZeroOrMore, AllowMultipleArgumentsPerToken = true, HelpName = "FILES" };

    /// <summary>Nothing where the option is not there, all where it is there without a path.</summary>
    private static Func<string, bool> Chosen(ParseResult parsed, Option<string[]?> option)
    {
        if (parsed.GetResult(option) is null or { Implicit: true })
        {
            return _ => false;
        }

        var paths = parsed.GetValue(option) ?? [];
        return paths.Length == 0 ? _ => true : paths.Contains;
    }
}
