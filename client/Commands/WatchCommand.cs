using System.CommandLine;
using System.Globalization;
using System.Threading.Channels;
using Eddy.Client.Runs;
using Eddy.Client.Tree;

namespace Eddy.Client.Commands;

/// <summary><c>eddy watch</c>: what is saved in the folder is pushed, what others save comes here, and what runs is shown.</summary>
public static class WatchCommand
{
    /// <summary>An editor that saves several files, or one in several steps, has done so by then.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(150);

    /// <summary>So often the server is asked for what others have saved, and the folder for what nobody told of.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(3);

    public static Command Make(Terminal terminal, Where where)
    {
        var noLogs = new Option<bool>("--no-logs") { Description = "Do not show what runs." };
        var command = where.On(new Command("watch", "Push on each save, and show what runs, until Ctrl-C. What does not compile is told and not pushed; what others save is pulled.") { noLogs });
        command.SetAction(async (parsed, cancel) =>
        {
            var (folder, state) = Where.CopyAt(terminal.Folder);
            using var api = await where.OpenAsync(parsed, terminal, state, cancel);
            var feed = parsed.GetValue(noLogs) ? null : new RunFeed(api, null, null, onlyFailed: false);
            if (feed is not null)
            {
                await feed.NewestAsync(0, cancel);
            }

            var saves = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
            using var watcher = Watch(terminal, folder.Root, () => saves.Writer.TryWrite(true));
            terminal.Note($"Watching {folder.Root} for {Terminal.Line(state.Tenant)} at {state.Address}; Ctrl-C ends it.");
            var sync = new Sync(terminal, new WorkCopy(folder, api, state));
            await await Task.WhenAny(SyncAsync(sync, saves.Reader, cancel), feed is null ? Task.Delay(Timeout.Infinite, cancel) : LogsCommand.FollowAsync(terminal, feed, new RunPrinter(terminal).PrintOne, cancel));
            return 0;
        });
        return command;
    }

    private static FileSystemWatcher Watch(Terminal terminal, string root, Action saved)
    {
        var watcher = new FileSystemWatcher(root) { IncludeSubdirectories = true, NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size };
        void Seen(object sender, FileSystemEventArgs change)
        {
            if (TreePath.IsTaken(Path.GetRelativePath(root, change.FullPath).Replace('\\', '/')) || change.ChangeType is WatcherChangeTypes.Renamed or WatcherChangeTypes.Deleted)
            {
                saved();
            }
        }

        watcher.Changed += Seen;
        watcher.Created += Seen;
        watcher.Deleted += Seen;
        watcher.Renamed += Seen;
        watcher.Error += (_, _) => saved();
        try
        {
            watcher.EnableRaisingEvents = true;
        }
        catch (IOException full)
        {
            // A machine watches so many folders and no more.
            terminal.Note(terminal.Yellow($"{full.Message} The folder is looked at every {Look.TotalSeconds:0} seconds instead."));
        }

        return watcher;
    }

    private static async Task SyncAsync(Sync sync, ChannelReader<bool> saves, CancellationToken cancel)
    {
        while (true)
        {
            using var until = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            until.CancelAfter(await sync.OnceAsync(cancel) ? Look : Quiet);
            try
            {
                await saves.ReadAsync(until.Token);
                do
                {
                    await Task.Delay(Quiet, cancel);
                }
                while (saves.TryRead(out _));
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                // Nobody told of a save: it looks all the same.
            }
        }
    }

    /// <summary>Both sides brought together, and told of; what was told is not told again until something else happens.</summary>
    private sealed class Sync(Terminal terminal, WorkCopy copy)
    {
        private string _told = "";

        private HashSet<string> _missing = [];

        /// <summary>False where a file is being written, and it is to look again soon.</summary>
        public async Task<bool> OnceAsync(CancellationToken cancel)
        {
            try
            {
                return await BringTogetherAsync(cancel);
            }
            catch (ClientFault fault) when (fault.Code == ClientFault.NoAnswer)
            {
                if (IsNews(fault.Message))
                {
                    terminal.Note(terminal.Yellow($"{Terminal.Line(fault.Message)} Trying again until it does."));
                }
            }
            catch (ClientFault fault) when (fault.IsStale)
            {
                // The next look finds what they did.
                _told = "";
            }
            catch (ClientFault fault) when (!fault.IsLost)
            {
                terminal.Complain(fault);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // A file that its editor is still writing is read the next time.
                if (IsNews(fault.Message))
                {
                    terminal.Note(terminal.Yellow(fault.Message));
                }
            }

            return true;
        }

        private async Task<bool> BringTogetherAsync(CancellationToken cancel)
        {
            var (tree, comparison) = await copy.CompareAsync(cancel);
            if (comparison.There.Any() && IsNews(comparison.There))
            {
                var outcome = await copy.PullAsync(_ => null, cancel);
                PullCommand.Tell(terminal, outcome, copy.State!);
                (tree, comparison) = await copy.CompareAsync(cancel);
            }

            var changes = copy.Changes(comparison);
            // What lacks is deleted where two looks in a row miss it: tools take files away and put them back.
            var missing = changes.Where(change => change.IsRemoved).Select(change => change.Path).ToHashSet(StringComparer.Ordinal);
            var isSure = missing.IsSubsetOf(_missing);
            _missing = missing;
            if (!isSure || changes.Any(change => DateTime.UtcNow - copy.Folder.WrittenAt(change.Path) is var age && age > TimeSpan.Zero && age < Quiet))
            {
                return false;
            }

            if (changes.Count == 0 || comparison.There.Any() || !IsNews(comparison.Here))
            {
                return true;
            }

            if (copy.RemovesAll(changes))
            {
                throw new ClientFault("Every file of the tenant is missing here. Nothing was pushed; eddy push --yes deletes them there, too.");
            }

            var answer = await copy.PushAsync(changes, tree.Version, dry: false, cancel);
            var names = answer.Files.Where(file => file.Kind != "same").Select(file => file.Kind == "changed" ? file.Path : $"{file.Path} ({file.Kind})").ToList();
            terminal.Print($"{terminal.Dim(DateTime.Now.ToString("HH:mm:ss", CultureInfo.InvariantCulture))} {terminal.Green("saved")} {Terminal.Line(string.Join(", ", names.Take(5)))}{(names.Count > 5 ? $" and {names.Count - 5} others" : "")} {terminal.Dim($"as version {answer.Version}")}");
            PushCommand.TellFindings(terminal, answer);
            return true;
        }

        private bool IsNews(IEnumerable<FileDifference> files) => IsNews(string.Join('\n', files.Select(file => $"{file.Path} {file.Here} {file.There?.Sha256}")));

        private bool IsNews(string what)
        {
            var isNews = _told != what;
            _told = what;
            return isNews;
        }
    }
}
