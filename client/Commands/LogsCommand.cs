using System.CommandLine;
using System.Text.Json;
using Eddy.Client.Runs;
using Eddy.Client.Server;
using Eddy.Client.Tree;

namespace Eddy.Client.Commands;

/// <summary><c>eddy logs</c>.</summary>
public static class LogsCommand
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static Command Make(Terminal terminal, Where where)
    {
        var rule = new Option<string?>("--rule") { Description = "Only this rule: its class, or its id as scripts/heat.py:high_temperature." };
        var pid = new Option<long?>("--pid") { Description = "Only this process." };
        var failed = new Option<bool>("--failed") { Description = "Only what failed, or was killed at a limit." };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with what comes, until Ctrl-C." };
        var count = new Option<int>("--count", "-n") { Description = "How many of those that were.", DefaultValueFactory = _ => 20 };
        count.Validators.Add(result => { if (result.GetValueOrDefault<int>() is < 0 or > 500) { result.AddError("--count takes 0 to 500."); } });
        var json = new Option<bool>("--json") { Description = "A line of JSON for each run, as GET /api/runs/ID has it." };
        var command = where.On(new Command("logs", "What ran, the newest last: what it changed and printed, whom it told, what went wrong.") { rule, pid, failed, follow, count, json });
        command.SetAction(async (parsed, cancel) =>
        {
            using var api = await where.OpenAsync(parsed, terminal, FolderState.Near(terminal.Folder), cancel);
            var feed = new RunFeed(api, parsed.GetValue(rule), parsed.GetValue(pid), parsed.GetValue(failed));
            Action<RunDetail> print = parsed.GetValue(json) ? run => terminal.Print(JsonSerializer.Serialize(run, JsonSerializerOptions.Web)) : new RunPrinter(terminal).PrintOne;
            foreach (var run in await feed.NewestAsync(parsed.GetValue(count), cancel))
            {
                print(run);
            }

            if (parsed.GetValue(follow))
            {
                await FollowAsync(terminal, feed, print, cancel);
            }

            return 0;
        });
        return command;
    }

    /// <summary>Until it is stopped; a server that does not answer is asked again.</summary>
    internal static async Task FollowAsync(Terminal terminal, RunFeed feed, Action<RunDetail> print, CancellationToken cancel)
    {
        var isAway = false;
        using var timer = new PeriodicTimer(Pause);
        while (await timer.WaitForNextTickAsync(cancel))
        {
            try
            {
                foreach (var run in await feed.NextAsync(cancel))
                {
                    print(run);
                }

                isAway = false;
            }
            catch (ClientFault fault) when (fault.Code == ClientFault.NoAnswer)
            {
                if (!isAway)
                {
                    terminal.Note(terminal.Yellow($"{Terminal.Line(fault.Message)} Asking again until it does."));
                }

                isAway = true;
            }
        }
    }
}
