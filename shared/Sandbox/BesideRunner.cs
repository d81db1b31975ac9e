using System.Globalization;
using Eddy.Endpoints;
using Eddy.Files;
using Eddy.Processes;

namespace Eddy.Sandbox;

/// <summary>A run to be done beside the line, on a snapshot of what the tenant's KVPs were.</summary>
/// <param name="At">What its event's changes are dated, where they have no date of their own.</param>
/// <param name="State">The KVPs of its process and the shared ones, as canonical JSON.</param>
public sealed record BesideRun(OwedRun Run, DateTimeOffset At, IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>> State);

/// <summary>What came of a run beside the line.</summary>
/// <param name="Ended">Its outcome, with all that it set, changed or not; null where its rule is gone from the tenant's files.</param>
/// <param name="Reads">The KVPs that it read, whether there or not; null where nobody knows.</param>
public sealed record BesideEnded(RunEnded? Ended, IReadOnlySet<(long Pid, string Key)>? Reads)
{
    /// <summary>Among the reads: it has looked at other processes, or at all KVPs of one.</summary>
    public static readonly (long Pid, string Key) Everything = (-1, "");

    /// <summary>Among the reads, in the place of a process: it has read the file of this path.</summary>
    public const long Files = -2;
}

/// <summary>Takes one run through a cell beside the line. What ends its cell without explanation is tried once more, then blamed.</summary>
internal sealed class BesideRunner(Deadlines deadlines, SignForTenant? sign, ProcessFinder? processes, FileStore? files, SandboxOptions options, TimeProvider time)
{
    private readonly FrameReader _reader = new(options);

    /// <summary>Where it looks back: what other processes were then.</summary>
    public PastProcesses? Past { get; init; }

    /// <summary>Does a run over in hindsight.</summary>
    public async Task<Look> LookAsync(LookRun look, MakeCall call, Func<Task<Cell>> obtain, Action<Cell> release, Action<Cell> retire, CancellationToken ct)
    {
        var run = look.Run;
        var slice = new Slice(0, run.At, [run.Run], [], run.State, 1, options.WallTime);
        LookReader? told = null;
        var course = await RunAsync(
            table => new SliceCourse(table, slice, options) { IsBeside = true },
            (writer, cell, number) =>
            {
                told = new LookReader(cell.Tree.Files.Select(file => file.Path).ToHashSet(StringComparer.Ordinal));
                writer.Set(run.Run.SetPosition, run.Run.SetAt, run.Run.SetSource, run.Run.IsQuiet, run.Run.Again with { IsDue = true }, run.Run.Set);
                writer.Look(number, run.At, cell.Table.IndexOf(run.Run.Rule), run.Run.Pid, run.Run.Cascade.Actor, run.Run.Cascade.Acting, look.Acts);
            },
            run.State, call, obtain, release, retire, ct, frame => told!.Read(frame));
        return new Look(course.StepCount == 0 ? null : (RunEnded)course.Steps[0], told?.Answer, told?.Seen ?? []);
    }

    public async Task<BesideEnded> RunAsync(BesideRun run, MakeCall call, Func<Task<Cell>> obtain, Action<Cell> release, Action<Cell> retire, CancellationToken ct)
    {
        var slice = new Slice(0, run.At, [run.Run], [], run.State, 1, options.WallTime);
        var course = await RunAsync(
            table => new SliceCourse(table, slice, options) { IsBeside = true },
            (writer, cell, number) =>
            {
                writer.Set(run.Run.SetPosition, run.Run.SetAt, run.Run.SetSource, run.Run.IsQuiet, run.Run.Again with { IsDue = true }, run.Run.Set);
                writer.Beside(number, run.At, cell.Table.IndexOf(run.Run.Rule), run.Run.Pid, run.Run.Cascade.Actor, run.Run.Cascade.Acting);
            },
            run.State, call, obtain, release, retire, ct);
        return course.StepCount == 0 ? new BesideEnded(null, null) : new BesideEnded((RunEnded)course.Steps[0], Reads(course));
    }

    /// <summary>Answers a request.</summary>
    public async Task<EndpointEnded> RunAsync(EndpointRun run, MakeCall call, Func<Task<Cell>> obtain, Action<Cell> release, Action<Cell> retire, CancellationToken ct)
    {
        var state = new Dictionary<long, IReadOnlyDictionary<string, string>> { [0] = run.Shared };
        var slice = new Slice(0, run.At, [run.ToOwed()], [], state, 1, options.WallTime);
        // A function is no rule: nothing wakes it, and the cell's own table does not have it.
        var table = new WakeTable([new LoadedRule(run.Endpoint.Id, [])]);
        var course = await RunAsync(
            _ => new SliceCourse(table, slice, options) { IsBeside = true, IsRequest = true },
            (writer, _, number) => writer.Serve(number, run),
            state, call, obtain, release, retire, ct);
        var reads = new HashSet<(long Pid, string Key)>(course.Reads ?? new HashSet<(long, string)>());
        reads.UnionWith(course.FilesRead.Select(file => (BesideEnded.Files, string.Create(CultureInfo.InvariantCulture, $"{file.Value} {file.Key}"))));
        return new EndpointEnded((RunEnded)course.Steps[0], reads, course.LooksAround);
    }

    /// <summary>The course with the one run that ended; without a step where its rule is gone.</summary>
    private async Task<SliceCourse> RunAsync(
        Func<WakeTable, SliceCourse> begin, Action<SliceWriter, Cell, long> write, IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>> state,
        MakeCall call, Func<Task<Cell>> obtain, Action<Cell> release, Action<Cell> retire, CancellationToken ct, Action<ReadOnlyMemory<byte>>? looked = null)
    {
        for (var again = false; ; again = true)
        {
            var cell = await obtain();
            var course = begin(cell.Table);
            if (course.Exhausted)
            {
                release(cell);
                return new SliceCourse(cell.Table, new Slice(0, default, [], [], state, 1, default), options);
            }

            CellEnding? ending;
            try
            {
                ending = await ConverseAsync(cell, course, write, state, call, looked, ct);
            }
            catch
            {
                retire(cell);
                throw;
            }

            if (ending is null)
            {
                release(cell);
                return course;
            }

            var (waited, cpu) = (cell.Channel.Waiting ?? TimeSpan.Zero, cell.Channel.Cpu);
            retire(cell);
            ct.ThrowIfCancellationRequested();
            if (course.Steps is [not RunEnded, ..])
            {
                // It told that the run leaves the line, where it is not.
                course = begin(cell.Table);
            }

            if (course.StepCount == 0 && (ending.Explained || again))
            {
                course.Blame(ending.Kind, ending.Message, waited, ending.Kind == "CpuTime" ? options.CpuTime : cpu);
            }

            if (course.StepCount > 0)
            {
                // What it read before its end nobody knows.
                course.Forget();
                return course;
            }
        }
    }

    private async Task<CellEnding?> ConverseAsync(
        Cell cell, SliceCourse course, Action<SliceWriter, Cell, long> write, IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>> state, MakeCall call,
        Action<ReadOnlyMemory<byte>>? looked, CancellationToken ct)
    {
        var channel = cell.Channel;
        var number = cell.NextNumber();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var over = CancelAtDeathAsync(channel, ended);
        await using var stop = ct.Register(() => channel.Kill(null));
        var asks = new CellAsks(channel, cell.Tree.Tenant, call, sign, new ProcessAsks(channel, cell.Tree.Tenant, processes, course, cell.Known, _reader, options.CascadeRuns + 1) { Past = Past }, new FileAsks(cell.Tree.Tenant, files, course), options);
        using var writer = new SliceWriter();
        writer.State(true, state.Select(process => (process.Key, (IReadOnlyDictionary<string, string>?)process.Value)));
        write(writer, cell, number);
        channel.StartWaiting();
        deadlines.Watch(channel);
        try
        {
            if (await channel.SendAsync(writer.Frames))
            {
                while (await channel.ReceiveAsync() is { } frame)
                {
                    // The clock of the run goes on while the host does what it asks for.
                    if (looked is not null && LookReader.Knows(frame.Span))
                    {
                        looked(frame);
                    }
                    else if (CellAsks.IsAsk(frame.Span))
                    {
                        await asks.AnswerAsync(frame, ended.Token);
                    }
                    else if (_reader.Read(frame.Span, number, course))
                    {
                        channel.StopWaiting();
                        channel.SampleCpu();
                        return course is { Steps: [RunEnded], Reads: not null } ? null : CellEnding.Of(new CellLied("It did not do what it was to do."));
                    }
                    else if (course.Steps is not ([] or [RunEnded]))
                    {
                        throw new CellLied("It did what it was not to do.");
                    }
                }
            }

            // One that only closed its channel would live on.
            channel.Kill(null);
            return await CellEnding.OfAsync(channel, options, time);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return await CellEnding.OfAsync(channel, options, time);
        }
        catch (CellLied lie)
        {
            return CellEnding.Of(lie);
        }
        finally
        {
            deadlines.Forget(channel);
            await ended.CancelAsync();
            await over;
        }
    }

    /// <summary>What is more than single KVPs of the processes that are watched for it counts as everything.</summary>
    private static HashSet<(long Pid, string Key)>? Reads(SliceCourse course)
    {
        if (course.Reads is not { } reads)
        {
            return null;
        }

        HashSet<(long Pid, string Key)> all = course.LooksAround || reads.Any(read => read.Key.Length == 0) ? [BesideEnded.Everything] : [.. reads];
        all.UnionWith(course.FilesRead.Keys.Select(path => (BesideEnded.Files, path)));
        return all;
    }

    /// <summary>What the host does for a cell is of no use once it is gone.</summary>
    private static async Task CancelAtDeathAsync(CellChannel channel, CancellationTokenSource ended)
    {
        await channel.Death.WaitAsync(ended.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
        await ended.CancelAsync();
    }
}
