using System.CommandLine;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Eddy.Client.Runs;
using Eddy.Client.Server;
using Eddy.Client.Tree;

namespace Eddy.Client.Commands;

/// <summary><c>eddy run</c>: an event, or a text that is tried.</summary>
public static class RunCommand
{
    /// <summary>Of more runs than this the others are counted.</summary>
    private const int MostShown = 100;

    public static Command Make(Terminal terminal, Where where)
    {
        var kvps = new Argument<string[]>("KVP") { Description = "KEY=VALUE or KEY := VALUE, as many as there are. Values are read as text from outside: 95 is a number, true a boolean.", Arity = ArgumentArity.ZeroOrMore };
        var pid = new Option<long?>("--pid") { Description = "Set it in this process; without it, a new one is made." };
        var body = new Option<string?>("--body") { Description = "Send this file as it is, or - for the standard input: JSON, unless its name ends with .csv, .ndjson or .txt.", HelpName = "FILE" };
        var wait = new Option<int>("--wait") { Description = "Seconds until it is not waited for any more.", DefaultValueFactory = _ => 30 };
        wait.Validators.Add(result => { if (result.GetValueOrDefault<int>() is < 0 or > 60) { result.AddError("--wait takes 0 to 60 seconds."); } });
        var dry = new Option<string?>("--dry") { Description = "Put nothing in force: try this script as it is here, on the KVPs or on an event that was.", HelpName = "FILE" };
        var position = new Option<long?>("--event") { Description = "With --dry: the position of the event that was." };
        var rule = new Option<string?>("--rule") { Description = "With --dry: the class, where the script has several rules." };
        var json = new Option<bool>("--json") { Description = "Print what the API answers, as JSON." };
        var command = where.On(new Command("run", "Send an event, wait until all that it causes has settled, and show that as a tree. The exit code is 1 where a run failed.") { kvps, pid, body, wait, dry, position, rule, json });
        command.SetAction(async (parsed, cancel) =>
        {
            var words = parsed.GetValue(kvps) ?? [];
            var root = FolderState.RootOf(terminal.Folder);
            using var api = await where.OpenAsync(parsed, terminal, FolderState.Near(terminal.Folder), cancel);
            if (parsed.GetValue(dry) is { } file)
            {
                var tried = await api.DryRunAsync(Question(terminal, root, file, words, parsed.GetValue(rule), parsed.GetValue(position), parsed.GetValue(pid)), cancel);
                Print(terminal, tried, parsed.GetValue(json));
                return tried.Outcome is "failed" or "killed" ? ClientFault.Failed : 0;
            }

            if (parsed.GetValue(position) is not null || parsed.GetValue(rule) is not null)
            {
                throw new ClientFault("--event and --rule go with --dry FILE.", ClientFault.Usage);
            }

            using var content = await ContentAsync(terminal, words, parsed.GetValue(body), cancel);
            return await SendAsync(terminal, api, content, parsed.GetValue(pid), parsed.GetValue(wait), parsed.GetValue(json), cancel);
        });
        return command;
    }

    private static async Task<int> SendAsync(Terminal terminal, EddyApi api, HttpContent content, long? pid, int seconds, bool json, CancellationToken cancel)
    {
        var started = Stopwatch.GetTimestamp();
        var (settled, isSettled) = await api.SendEventAsync(content, pid, seconds, cancel);
        var took = Stopwatch.GetElapsedTime(started);
        if (!isSettled)
        {
            terminal.Print(json ? JsonSerializer.Serialize(settled, JsonSerializerOptions.Web) : $"Accepted as process {settled.Pid}; after {seconds} s it had not settled. eddy logs --pid {settled.Pid} -f");
            return seconds == 0 ? 0 : ClientFault.Failed;
        }

        var ids = (settled.Runs ?? []).Select(run => run.Id).Distinct().ToList();
        var runs = new List<RunDetail>();
        foreach (var id in ids.Take(MostShown))
        {
            runs.Add(await api.RunAsync(id, cancel));
        }

        if (json)
        {
            terminal.Print(JsonSerializer.Serialize(new { settled.Arrival, settled.Pid, settled.Kvps, Runs = runs, More = ids.Count - runs.Count }, JsonSerializerOptions.Web));
        }
        else
        {
            terminal.Print($"{terminal.Bold($"process {settled.Pid}")}  {terminal.Dim($"settled after {Terminal.Took(took.TotalMilliseconds)}")}");
            if (runs.Count == 0)
            {
                terminal.Print(terminal.Dim("No rule was woken."));
            }

            new CascadePrinter(terminal).Print(settled, runs, ids.Count - runs.Count);
        }

        return settled.Runs?.Any(run => run.Outcome is "failed" or "killed") == true ? ClientFault.Failed : 0;
    }

    private static async Task<HttpContent> ContentAsync(Terminal terminal, string[] words, string? file, CancellationToken cancel)
    {
        if (file is null)
        {
            return words.Length > 0
                ? new StringContent(KvpArguments.Lines(words), Encoding.UTF8, "text/plain")
                : throw new ClientFault("There is nothing to send: eddy run temperature=95, or --body FILE.", ClientFault.Usage);
        }

        if (words.Length > 0)
        {
            throw new ClientFault("KVPs are given, or a body: one of the two.", ClientFault.Usage);
        }

        var bytes = file == "-" ? Encoding.UTF8.GetBytes(await terminal.In.ReadToEndAsync(cancel)) : await File.ReadAllBytesAsync(Path.GetFullPath(file, terminal.Folder), cancel);
        var type = Path.GetExtension(file).ToUpperInvariant() switch { ".CSV" => "text/csv", ".NDJSON" or ".JSONL" => "application/x-ndjson", ".TXT" => "text/plain", _ => "application/json" };
        return new ByteArrayContent(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
    }

    private static DryRunBody Question(Terminal terminal, string? root, string file, string[] words, string? rule, long? position, long? pid)
    {
        if (position is null == (words.Length == 0))
        {
            throw new ClientFault("A dry run takes an event that was, by --event, or KVPs: one of the two.", ClientFault.Usage);
        }

        var full = Path.GetFullPath(file, terminal.Folder);
        return new DryRunBody(
            Path.GetRelativePath(root ?? terminal.Folder, full).Replace('\\', '/'),
            WorkCopy.TextOf(File.ReadAllBytes(full)) ?? throw new ClientFault($"{file} is no UTF-8 text."), rule, position, pid, position is null ? KvpArguments.Lines(words) : null);
    }

    private static void Print(Terminal terminal, DryRunAnswer tried, bool json)
    {
        if (json)
        {
            terminal.Print(JsonSerializer.Serialize(tried, JsonSerializerOptions.Web));
            return;
        }

        var printer = new RunPrinter(terminal);
        terminal.Print(tried.Outcome switch
        {
            "ran" => $"{terminal.Green("✓")} {Terminal.Line(tried.Rule)} would run",
            "no" => $"· {Terminal.Line(tried.Rule)} would not run: its check says no",
            _ => $"{terminal.Red("✗")} {Terminal.Line(tried.Rule)} would fail",
        });
        if (tried.Check is { } check && (check.Decided ?? check.Returned) is { } said)
        {
            terminal.Print($"  {terminal.Dim("check")} {Terminal.Line(said)}");
        }

        foreach (var change in tried.Changes)
        {
            printer.PrintChange(change.Key, change.Value, change.Pid == tried.Pid ? null : change.Pid, "  ");
        }

        foreach (var call in tried.Calls)
        {
            terminal.Print($"  {terminal.Dim("called")} {Terminal.Line($"{call.Method} {call.Url}")} {(call.Status is { } status ? $"{status} {terminal.Dim("as then")}" : terminal.Yellow("refused"))}");
        }

        foreach (var path in tried.Files)
        {
            terminal.Print($"  {terminal.Dim("saved")} {Terminal.Line(path)}");
        }

        printer.PrintTold(tried.Log, tried.Error, new EffectsAnswer(tried.Mails, tried.Cards), "  ");
        if (!tried.Wakes)
        {
            terminal.Print($"  {terminal.Yellow("What was set would not wake it.")}");
        }

        foreach (var note in tried.Notes)
        {
            terminal.Print($"  {terminal.Dim(Terminal.Line(note))}");
        }

        if (tried.Really is { } really)
        {
            terminal.Print($"then, in run {really.Run}: {Terminal.Line(really.Outcome)}");
            foreach (var change in really.Changes)
            {
                printer.PrintChange(change.Key, change.Deleted ? null : change.Value, change.Pid == tried.Pid ? null : change.Pid, "  ");
            }
        }

        terminal.Print(terminal.Dim("Nothing of it is in force."));
    }
}
