using Eddy.Endpoints;
using System.Text.Json;
using Eddy.Processes;
using Eddy.Schedules;

namespace Eddy.Sandbox;

/// <summary>Opens cells, loads tenants' files into them, and finds the file to blame where that ends the cell.</summary>
internal sealed class CellLoader(Zygote zygote, Deadlines deadlines, SandboxOptions options, TimeProvider time)
{
    // As many keys as all rules of a tenant may listen to together, and as many rules; and how long the name of one may be.
    private const int MostEntries = 10_000;
    private const int MostId = 2000;
    private const int MostWhere = 20_000;
    private static readonly TimeSpan MostDeferred = TimeSpan.FromDays(366);

    /// <param name="witness">The moment that the cell looks back to, and whether it tells what checks read; null where it is of now.</param>
    /// <exception cref="SandboxUnavailable">There is no cell to be had.</exception>
    public async Task<Cell> LoadAsync(TenantCell tenant, CellTree tree, IReadOnlyDictionary<string, string>? shared, (DateTimeOffset At, bool Watches)? witness, CancellationToken ct)
    {
        var blamed = tenant.BlamedOf(tree);
        var files = tree.Files.Where(IsPython).ToList();
        string? suspect = null;
        var blanks = 0;
        while (true)
        {
            using var writer = new SliceWriter();
            writer.Limits(options);
            writer.State(false, [(0, shared)]);
            if (tree.Secrets.Count > 0)
            {
                writer.Secrets(tree.Secrets);
            }

            if (witness is var (moment, watches))
            {
                writer.Witness(moment, watches);
            }

            writer.Files(files);
            if (tree.Data.Count > 0)
            {
                writer.Data(tree.Data);
            }

            writer.Load(blamed.Errors.Keys);
            string? current = null;
            LoadedTree? loaded = null;
            var waiting = files.Select(file => file.Path).Where(path => path.StartsWith("scripts/", StringComparison.Ordinal)).Except(blamed.Errors.Keys).ToHashSet(StringComparer.Ordinal);
            var channel = await zygote.OpenAsync(tree.TimeZone, ct);
            channel.Tenant = tenant;
            var kept = false;
            try
            {
                var ending = await TalkAsync(channel, writer.Frames, frame =>
                {
                    using var json = JsonDocument.Parse(frame);
                    switch (json.RootElement[0].GetString())
                    {
                        case "hello" when current is null:
                            return false;

                        // Each once: what is blamed is a file of the tenant's, and there is an end to it.
                        case "begin" when waiting.Remove(json.RootElement[1].GetString() ?? ""):
                            current = json.RootElement[1].GetString();
                            return false;
                        case "loaded":
                            loaded = Loaded(json.RootElement, files, blamed.Errors.Values);
                            return true;
                        default:
                            throw new CellLied("It told what it was not asked.");
                    }
                }, ct);
                if (ending is null && loaded is not null)
                {
                    var table = new WakeTable(loaded.Rules);
                    tenant.Note(new LoadedFiles(tree.Version, tree.TimeZone, loaded, table));
                    kept = true;
                    return new Cell(channel, tree, loaded, table);
                }

                Blame(blamed, ending!, current, ref suspect, ref blanks);
            }
            finally
            {
                if (!kept)
                {
                    channel.Dispose();
                }
            }
        }
    }

    /// <summary>Compiles a file in a cell of its own, which ends with it.</summary>
    public async Task<CompiledFile> CompileAsync(CellFile file, CancellationToken ct)
    {
        using var writer = new SliceWriter();
        writer.Limits(options);
        writer.Compile(file);
        CompiledFile? compiled = null;
        using var channel = await zygote.OpenAsync("UTC", ct);
        var ending = await TalkAsync(channel, writer.Frames, frame =>
        {
            using var json = JsonDocument.Parse(frame);
            if (json.RootElement[0].GetString() != "compiled")
            {
                return false;
            }

            compiled = CompiledFile.Read(json.RootElement[1], json.RootElement[2]);
            return true;
        }, ct);
        return ending is null ? compiled! : CompiledFile.Ended(ending.Message);
    }

    /// <summary>Asks a cell which endpoints its files have; gives why it ended where it did not come to that.</summary>
    public async Task<(IReadOnlyList<EndpointInfo> Endpoints, CellEnding? Ending)> DescribeAsync(Cell cell, CancellationToken ct)
    {
        using var writer = new SliceWriter();
        writer.Describe();
        IReadOnlyList<EndpointInfo> found = [];
        var paths = cell.Tree.Files.Select(file => file.Path).ToHashSet(StringComparer.Ordinal);
        var ending = await TalkAsync(cell.Channel, writer.Frames, frame =>
        {
            using var json = JsonDocument.Parse(frame);
            found = json.RootElement[0].GetString() == "described" ? EndpointInfo.Read(json.RootElement[1], paths) : throw new CellLied("It told what it was not asked.");
            return true;
        }, ct);
        return (found, ending);
    }

    private static bool IsPython(CellFile file) =>
        file.Path.EndsWith(".py", StringComparison.Ordinal)
        && (file.Path.StartsWith("scripts/", StringComparison.Ordinal) || file.Path.StartsWith("libraries/", StringComparison.Ordinal) || file.Path.StartsWith("api/", StringComparison.Ordinal));

    /// <summary>Sends frames and hears answers until one is the last; gives why the cell ended where it did not come to that.</summary>
    private async Task<CellEnding?> TalkAsync(CellChannel channel, ReadOnlyMemory<byte> frames, Func<ReadOnlyMemory<byte>, bool> hear, CancellationToken ct)
    {
        await using var stop = ct.Register(() => channel.Kill(null));
        channel.StartWaiting();
        deadlines.Watch(channel);
        try
        {
            if (await channel.SendAsync(frames))
            {
                while (await channel.ReceiveAsync() is { } frame)
                {
                    channel.StartWaiting();
                    if (hear(frame))
                    {
                        return null;
                    }
                }
            }

            ct.ThrowIfCancellationRequested();
            channel.Kill(null);
            return await CellEnding.OfAsync(channel, options, time);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or IndexOutOfRangeException or CellLied)
        {
            return CellEnding.Of(new CellLied(e.Message));
        }
        finally
        {
            channel.StopWaiting();
            deadlines.Forget(channel);
        }
    }

    private static void Blame(BlamedFiles blamed, CellEnding ending, string? current, ref string? suspect, ref int blanks)
    {
        if (current is null)
        {
            if (++blanks > 1)
            {
                throw new SandboxUnavailable($"A cell can not take the tenant's files. {ending.Message}");
            }
        }
        else if (ending.Explained || suspect == current)
        {
            blamed.Errors[current] = new LoadError(current, null, null, $"The file could not be loaded. {ending.Message}", null);
        }
        else
        {
            suspect = current;
        }
    }

    private LoadedTree Loaded(JsonElement answer, List<CellFile> files, IEnumerable<LoadError> blamed)
    {
        var rules = new List<LoadedRule>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var paths = files.Select(file => file.Path).ToHashSet(StringComparer.Ordinal);
        var entries = 0;
        foreach (var rule in answer[1].EnumerateArray())
        {
            var keys = rule[1].EnumerateArray().Select(key => Text(key) ?? "").ToList();
            if (!keys.TrueForAll(key => CellText.IsKey(key.StartsWith("shared.", StringComparison.Ordinal) ? key[7..] : key)))
            {
                throw new CellLied("A rule listens to what is no key.");
            }

            var id = Text(rule[0]) ?? "";
            entries += keys.Count;
            if (id.Length > MostId || !paths.Contains(id[..Math.Max(0, id.LastIndexOf(':'))]) || !ids.Add(id) || entries > MostEntries || ids.Count > MostEntries)
            {
                throw new CellLied("It has a rule that is in no file, or twice, or more than there may be.");
            }

            rules.Add(Rule(id, keys, rule));
        }

        return new LoadedTree(rules, [.. Errors(answer[2]).Concat(blamed).OrderBy(error => error.File, StringComparer.Ordinal)])
        {
            Logs = [.. answer[3].EnumerateArray().Take(files.Count).Select(log => new LoadLog(Text(log[0], 1000) ?? "", Text(log[1], options.LogBytes + 200) ?? ""))],
        };
    }

    private static LoadedRule Rule(string id, List<string> keys, JsonElement rule)
    {
        var (flow, schedule) = (rule[3], rule[4]);
        var loaded = new LoadedRule(id, keys)
        {
            Holds = rule[2].GetBoolean(),
            Debounce = TimeSpan.FromMicroseconds(flow[0].GetInt64()),
            Throttle = flow[1].GetInt32(),
            ThrottleTime = TimeSpan.FromMicroseconds(flow[2].GetInt64()),
            Per = Text(flow[3], 200),
            Retries = flow[4].GetInt32(),
            Schedule = schedule.ValueKind == JsonValueKind.Null ? null : Text(schedule[0], Cadence.MostCharacters),
            ScheduleWhere = schedule.ValueKind == JsonValueKind.Null ? null : Text(schedule[1], MostWhere),
        };
        if (loaded.Debounce < TimeSpan.Zero || loaded.ThrottleTime < TimeSpan.Zero || loaded.Debounce > MostDeferred || loaded.ThrottleTime > MostDeferred
            || loaded.Throttle is < 0 or > 1000 || loaded.Throttle > 0 && loaded.ThrottleTime == TimeSpan.Zero || loaded.Retries is < 0 or > 10
            || loaded.Per is { } per && !CellText.IsKey(per) || loaded.Schedule is { } cron && !Cadence.TryParse(cron, out _, out _))
        {
            throw new CellLied("A rule has settings that there are not.");
        }

        if (loaded.ScheduleWhere is { } where)
        {
            using var question = JsonDocument.Parse(where);
            ProcessQuestion.Read(question.RootElement);
        }

        return loaded;
    }

    private static List<LoadError> Errors(JsonElement errors) => [.. errors.EnumerateArray().Select(error => new LoadError(
        Text(error[0], 1000) ?? "", Number(error[1]), Number(error[2]), Text(error[3], 3000) ?? "", Text(error[4], 20_000)))];

    private static string? Text(JsonElement text, int most = int.MaxValue)
    {
        var read = text.GetString();
        return read is null || read.Length <= most && !read.Contains('\0', StringComparison.Ordinal) ? read : throw new CellLied("Text is too long, or has NUL in it.");
    }

    private static int? Number(JsonElement number) => number.ValueKind == JsonValueKind.Null ? null : number.GetInt32();
}
