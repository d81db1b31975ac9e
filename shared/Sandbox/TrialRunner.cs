using Eddy.Files;
using Eddy.Processes;

namespace Eddy.Sandbox;

/// <summary>
/// Tries a rule on change sets that were, one after the other in one cell: each becomes part of the state as it is recorded, and what the rule does to it does not. Host and cell keep the same
/// state side by side, so that whatever the rule asks for is as it was at that place.
/// </summary>
internal sealed class TrialRunner(Deadlines deadlines, SignForTenant? sign, ProcessFinder? processes, FileStore? files, SandboxOptions options, TimeProvider time)
{
    private readonly FrameReader _reader = new(options);

    /// <param name="states">As they were before the first of these; they are as after the last of them when this returns.</param>
    /// <param name="fresh">The processes of which the cell has not been told yet.</param>
    /// <param name="tell">Told of each run, in order.</param>
    /// <returns>Why it did not come to its end; null where it did.</returns>
    public async Task<CellEnding?> RunAsync(
        Cell cell, string rule, IReadOnlyList<TrialSet> sets, Dictionary<long, IReadOnlyDictionary<string, string>> states, IReadOnlyCollection<long> fresh, PastProcesses past, MakeCall call,
        Action<TrialSet, long, RunEnded> tell, CancellationToken ct)
    {
        var channel = cell.Channel;
        var number = cell.NextNumber();
        using var writer = new SliceWriter();
        writer.State(false, fresh.Select(pid => (pid, (IReadOnlyDictionary<string, string>?)states[pid])));
        writer.Trials(number, cell.Table.IndexOf(rule), sets);
        await using var stop = ct.Register(() => channel.Kill(null));
        channel.StartWaiting();
        deadlines.Watch(channel);
        try
        {
            if (!await channel.SendAsync(writer.Frames))
            {
                return await EndAsync(channel, ct);
            }

            foreach (var set in sets)
            {
                Fold(states, set.Changes);
                foreach (var pid in set.Pids)
                {
                    if (await TryAsync(cell, number, rule, set, pid, states, past, call, ct) is not { } ended)
                    {
                        return await EndAsync(channel, ct);
                    }

                    tell(set, pid, ended);
                }
            }

            return null;
        }
        catch (CellLied lie)
        {
            return CellEnding.Of(lie);
        }
        finally
        {
            channel.StopWaiting();
            channel.SampleCpu();
            deadlines.Forget(channel);
        }
    }

    private async Task<RunEnded?> TryAsync(
        Cell cell, long number, string rule, TrialSet set, long pid, Dictionary<long, IReadOnlyDictionary<string, string>> states, PastProcesses past, MakeCall call, CancellationToken ct)
    {
        if (!states.ContainsKey(pid))
        {
            states[pid] = new Dictionary<string, string>(StringComparer.Ordinal);
        }

        var owed = new OwedRun(
            rule, pid, [.. set.Changes.Select((change, i) => new SetEvent(set.Position + i, change.Pid, change.Key, change.Value, null))], set.At, set.Source, new Cascade(Guid.Empty, set.Actor, 0), 1, [])
        {
            Again = new Again(null, 0, true),
        };
        var course = new SliceCourse(cell.Table, new Slice(0, set.At, [owed], [], states, 1, options.WallTime), options) { IsBeside = true };
        CellAsks? asks = null;
        while (await cell.Channel.ReceiveAsync() is { } frame)
        {
            // Each run has as long as any other.
            cell.Channel.StartWaiting();
            if (CellAsks.IsAsk(frame.Span))
            {
                asks ??= new CellAsks(
                    cell.Channel, cell.Tree.Tenant, call, sign, new ProcessAsks(cell.Channel, cell.Tree.Tenant, processes, course, cell.Known, _reader, 1) { Past = past }, new FileAsks(cell.Tree.Tenant, files, course), options);
                await asks.AnswerAsync(frame, ct);
            }
            else if (_reader.Read(frame.Span, number, course))
            {
                // What it asked for has not changed in these sets, or it would have been among the states.
                foreach (var (learned, kvps) in asks is null ? [] : course.ToTranscript().Learned.Where(one => one.Key < ProcessAsks.FirstApart))
                {
                    states.TryAdd(learned, new Dictionary<string, string>(kvps, StringComparer.Ordinal));
                }

                return course.Steps is [RunEnded ended] ? ended : throw new CellLied("It did not do what it was to do.");
            }
        }

        return null;
    }

    private async Task<CellEnding?> EndAsync(CellChannel channel, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        channel.Kill(null);
        return await CellEnding.OfAsync(channel, options, time);
    }

    private static void Fold(Dictionary<long, IReadOnlyDictionary<string, string>> states, IReadOnlyList<PidChange> changes)
    {
        foreach (var (pid, key, value) in changes)
        {
            if (!states.TryGetValue(pid, out var known))
            {
                states[pid] = known = new Dictionary<string, string>(StringComparer.Ordinal);
            }

            var kvps = (Dictionary<string, string>)known;
            if (value is null)
            {
                kvps.Remove(key);
            }
            else
            {
                kvps[key] = value;
            }
        }
    }
}
