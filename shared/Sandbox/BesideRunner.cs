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

    public async Task<BesideEnded> RunAsync(BesideRun run, MakeCall call, Func<Task<Cell>> obtain, Action<Cell> release, Action<Cell> retire, CancellationToken ct)
    {
        for (var again = false; ; again = true)
        {
            var cell = await obtain();
            var slice = new Slice(0, run.At, [run.Run], [], run.State, 1, options.WallTime);
            var course = new SliceCourse(cell.Table, slice, options) { IsBeside = true };
            if (course.Exhausted)
            {
                release(cell);
                return new BesideEnded(null, null);
            }

            CellEnding? ending;
            try
            {
                ending = await ConverseAsync(cell, run, course, call, ct);
            }
            catch
            {
                retire(cell);
                throw;
            }

            if (ending is null)
            {
                release(cell);
                return new BesideEnded((RunEnded)course.Steps[0], Reads(course));
            }

            var (waited, cpu) = (cell.Channel.Waiting ?? TimeSpan.Zero, cell.Channel.Cpu);
            retire(cell);
            ct.ThrowIfCancellationRequested();
            if (course.Steps is [not RunEnded, ..])
            {
                // It told that the run leaves the line, where it is not.
                course = new SliceCourse(cell.Table, slice, options) { IsBeside = true };
            }

            if (course.StepCount == 0 && (ending.Explained || again))
            {

                course.Blame(ending.Kind, ending.Message, waited, ending.Kind == "CpuTime" ? options.CpuTime : cpu);
            }

            if (course.StepCount > 0)
            {
                return new BesideEnded((RunEnded)course.Steps[0], null);
            }
        }
    }

    private async Task<CellEnding?> ConverseAsync(Cell cell, BesideRun run, SliceCourse course, MakeCall call, CancellationToken ct)
    {
        var channel = cell.Channel;
        var number = cell.NextNumber();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var over = CancelAtDeathAsync(channel, ended);
        await using var stop = ct.Register(() => channel.Kill(null));
        var asks = new CellAsks(channel, cell.Tree.Tenant, call, sign, new ProcessAsks(channel, cell.Tree.Tenant, processes, course, cell.Known, _reader, options.CascadeRuns + 1), new FileAsks(cell.Tree.Tenant, files, course), options);
        using var writer = new SliceWriter();
        writer.State(true, run.State.Select(process => (process.Key, (IReadOnlyDictionary<string, string>?)process.Value)));
        writer.Set(run.Run.SetPosition, run.Run.SetAt, run.Run.SetSource, run.Run.IsQuiet, run.Run.Again with { IsDue = true }, run.Run.Set);
        writer.Beside(number, run.At, cell.Table.IndexOf(run.Run.Rule), run.Run.Pid, run.Run.Cascade.Actor, run.Run.Cascade.Acting);
        channel.StartWaiting();
        deadlines.Watch(channel);
        try
        {
            if (await channel.SendAsync(writer.Frames))
            {
                while (await channel.ReceiveAsync() is { } frame)
                {
                    // The clock of the run goes on while the host does what it asks for.
                    if (CellAsks.IsAsk(frame.Span))
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

    private static HashSet<(long Pid, string Key)> Reads(SliceCourse course) =>
        [.. course.LooksAround ? new HashSet<(long, string)> { BesideEnded.Everything } : course.Reads!, .. course.FilesRead.Select(path => (BesideEnded.Files, path))];

    /// <summary>What the host does for a cell is of no use once it is gone.</summary>
    private static async Task CancelAtDeathAsync(CellChannel channel, CancellationTokenSource ended)
    {
        await channel.Death.WaitAsync(ended.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
        await ended.CancelAsync();
    }
}
