using Eddy.Files;
using Eddy.Processes;
using Eddy.Tenants;

namespace Eddy.Sandbox;

/// <summary>
/// Takes one slice through a tenant's cells: as many as it needs, since a run that ends its cell is blamed and the rest goes on in a fresh
/// one. A cell tells of runs in batches; where one ends between two, what it had not told is done again run by run. Nothing of a slice is
/// in force before its transcript is stored, so that doing it again is safe.
/// </summary>
internal sealed class SliceRunner(Deadlines deadlines, SignForTenant? sign, ProcessFinder? processes, FileStore? files, SandboxOptions options, TimeProvider time)
{
    private readonly FrameReader _reader = new(options);
    private long _started;
    private bool _careful;
    private int _diedAt = -1;
    private int _blanks;

    private long MostLength => ((long)options.MemoryMiB << 20) / 8;

    public async Task<Transcript> RunAsync(TenantCell tenant, Slice slice, Func<Task<Cell>> obtain, Action<Cell> retire, CancellationToken ct)
    {
        _started = time.GetTimestamp();
        var cell = await obtain();
        var course = new SliceCourse(cell.Table, slice, options, await LandingsBelowAsync(cell, slice, ct));
        Unknow(cell, slice, course);
        while (!course.Exhausted)
        {
            var before = course.StepCount;
            await LearnAsync(cell.Tree.Tenant, course, ct);
            CellEnding? ending;
            try
            {
                ending = await ConverseAsync(cell, slice, course, ct);
            }
            catch
            {
                retire(cell);
                throw;
            }

            if (ending is null)
            {
                return course.ToTranscript();
            }

            var waited = cell.Channel.Waiting ?? TimeSpan.Zero;
            var cpu = cell.Channel.Cpu;
            var dropped = tenant.Cell != cell;
            retire(cell);
            ct.ThrowIfCancellationRequested();
            if (dropped)
            {
                throw new SandboxUnavailable("The tenant's cell was dropped.");
            }

            if (course.FailureIsHeardBelow is { } pid)
            {
                course.Below[pid] = processes is null ? [] : await ProcessAsks.BelowAsync(processes, cell.Tree.Tenant, pid, course.Touched([]), options.CascadeRuns + 1, ct);
            }

            Judge(course, ending, before, waited, cpu);
            if (IsOver(slice, course))
            {
                return course.ToTranscript();
            }

            var next = await obtain();
            if (!next.Table.Rules.Select(rule => rule.Id).SequenceEqual(cell.Table.Rules.Select(rule => rule.Id)))
            {
                // A file that loaded before does not now. What was done stands; the rest is for the rules that are in force from here.
                if (course.StepCount > 0)
                {
                    return course.ToTranscript();
                }

                course = new SliceCourse(next.Table, slice, options, await LandingsBelowAsync(next, slice, ct));
                Unknow(next, slice, course);
            }

            cell = next;
        }

        return course.ToTranscript();
    }

    /// <summary>Where a cell takes over in the middle, runs may be due in processes that the one before had asked for.</summary>
    private async Task LearnAsync(TenantId tenant, SliceCourse course, CancellationToken ct)
    {
        foreach (var pid in course.Pending.Select(waking => waking.Pid).Distinct().Where(pid => !course.Knows(pid)).ToList())
        {
            course.Learn(pid, processes is null ? new Dictionary<string, string>() : await processes.ReadAsync(tenant, pid, ct) ?? new Dictionary<string, string>());
        }
    }

    /// <summary>The processes below those in which landings change what wakes rules there.</summary>
    private async Task<IReadOnlyDictionary<long, IReadOnlyList<long>>> LandingsBelowAsync(Cell cell, Slice slice, CancellationToken ct)
    {
        var below = new Dictionary<long, IReadOnlyList<long>>();
        var fold = new SliceCourse.Fold(slice.State.GetValueOrDefault);
        foreach (var ended in slice.Landings.Select(landing => landing.Ended).OfType<RunEnded>())
        {
            fold.Add(0, ended.Changes, "rule", []);
            foreach (var change in ended.Changes.Where(change => change.Pid != 0 && processes is not null && cell.Table.WokenBelow(change.Key).Length > 0))
            {
                below[change.Pid] = await ProcessAsks.BelowAsync(processes!, cell.Tree.Tenant, change.Pid, fold.Touched, options.CascadeRuns + 1, ct);
            }
        }

        return below;
    }

    /// <summary>What landed has changed processes without the cell.</summary>
    private static void Unknow(Cell cell, Slice slice, SliceCourse course)
    {
        foreach (var change in slice.Landings.Take(course.Landed).SelectMany(landing => landing.Ended?.Changes ?? []))
        {
            cell.Known.Remove(change.Pid);
        }
    }

    private bool IsOver(Slice slice, SliceCourse course) =>
        course.Exhausted || course.StepCount > 0 && !_careful && (course.Ran >= slice.Runs || time.GetElapsedTime(_started) >= slice.Time);

    /// <summary>Decides what a cell's end means for the run that was next.</summary>
    private void Judge(SliceCourse course, CellEnding ending, int before, TimeSpan waited, TimeSpan cpu)
    {
        var begun = course.Begun;
        course.Unbegin();
        if (!begun && course.StepCount > before && course.Steps[^1] is RunEnded { Error.Kind: "Memory" })
        {
            // It has told of that run itself; the rest deserves a cell that has its memory.
            _careful = false;
        }
        else if (begun && (ending.Explained || _diedAt == course.StepCount))
        {
            course.Blame(ending.Kind, ending.Message, waited, ending.Kind == "CpuTime" ? options.CpuTime : cpu);
            _careful = false;
            _blanks = 0;
        }
        else if (begun)
        {
            _diedAt = course.StepCount;
        }
        else if (!_careful || course.StepCount > before)
        {
            _careful = true;
        }
        else if (++_blanks > 1)
        {
            // No cell comes as far as the next run: nothing must hold the line for good.
            course.Blame(ending.Kind, $"Its cell ended before the run could begin. {ending.Message}", waited, cpu);
            _careful = false;
            _blanks = 0;
        }
    }

    /// <summary>Tells a cell where the slice is, and hears what comes of it; null if that is done.</summary>
    private async Task<CellEnding?> ConverseAsync(Cell cell, Slice slice, SliceCourse course, CancellationToken ct)
    {
        var channel = cell.Channel;
        var number = cell.NextNumber();
        var before = course.StepCount;
        var told = 0L;
        await using var stop = ct.Register(() => channel.Kill(null));
        using var writer = new SliceWriter();
        Write(writer, number, cell, slice, course);
        var asks = new CellAsks(channel, cell.Tree.Tenant, call: null, sign, new ProcessAsks(channel, cell.Tree.Tenant, processes, course, cell.Known, _reader, options.CascadeRuns + 1), new FileAsks(cell.Tree.Tenant, files, course), options);
        channel.StartWaiting();
        deadlines.Watch(channel);
        try
        {
            if (await channel.SendAsync(writer.Frames))
            {
                while (await channel.ReceiveAsync() is { } frame)
                {
                    // The clock of a run that asks goes on.
                    if (CellAsks.IsAsk(frame.Span))
                    {
                        await asks.AnswerAsync(frame, ct);
                        continue;
                    }

                    var (steps, begun) = (course.StepCount, course.Begun);
                    var done = _reader.Read(frame.Span, number, course);
                    if (!done && (steps, begun) == (course.StepCount, course.Begun))
                    {
                        // Each frame sets the clock of the run under way back: one that tells nothing would hold the line for good.
                        throw new CellLied("It told nothing.");
                    }

                    told += frame.Length;
                    if (course.Ran > slice.Runs || told > options.SliceBytes + (2L * options.FrameBytes))
                    {
                        // A cell that never came to an end would fill the host.
                        throw new CellLied("It told more than a slice may have.");
                    }

                    if (done)
                    {
                        channel.StopWaiting();
                        channel.SampleCpu();
                        return course.StepCount > before || course.Exhausted || slice.Runs <= course.Ran
                            ? null
                            : CellEnding.Of(new CellLied("It did nothing."));
                    }

                    channel.StartWaiting();
                }
            }

            // One that only closed its channel would live on.
            channel.Kill(null);
            return await CellEnding.OfAsync(channel, options, time);
        }
        catch (CellLied lie)
        {
            return CellEnding.Of(lie);
        }
        finally
        {
            deadlines.Forget(channel);
        }
    }

    private void Write(SliceWriter writer, long number, Cell cell, Slice slice, SliceCourse course)
    {
        var fresh = course.Steps.All(step => step is OwedDropped);
        var fold = fresh ? null : course.Replay();
        var forget = cell.IsFull(MostLength);
        if (forget)
        {
            cell.Known.Clear();
            cell.KnownLength = 0;
        }

        var states = new List<(long, IReadOnlyDictionary<string, string>?)>();
        Need(0);
        foreach (var waking in course.Pending)
        {
            Need(waking.Pid);
        }

        // As many arrivals as fit a frame and the cell's memory; the others stay in the line.
        var arrivals = 0;
        var length = 0L;
        for (var i = course.Taken; i < slice.Arrivals.Count; i++, arrivals++)
        {
            var arrival = slice.Arrivals[i];
            length += 100;
            foreach (var change in arrival.Changes)
            {
                length += change.Key.Length + (change.Value?.Length ?? 4);
            }

            if (arrivals > 0 && (length > options.FrameBytes / 8 || cell.KnownLength > MostLength * 2))
            {
                break;
            }

            Need(arrival.Pid);
            if (arrival.WakePid != arrival.Pid)
            {
                Need(arrival.WakePid);
            }
        }

        cell.KnownLength += length;
        if (states.Count > 0 || forget)
        {
            writer.State(forget, states);
        }

        var sets = course.Pending.Select(waking => waking.Set).Distinct().ToList();
        foreach (var set in sets)
        {
            if (set.Owed is { } owed)
            {
                writer.Set(set.Position, owed.SetAt, owed.SetSource, owed.IsQuiet, owed.Again, owed.Set);
            }
            else
            {
                var (source, events) = fold!.Sets[set.Position];
                writer.Set(set.Position, slice.At, source, set.IsQuiet, default, events);
            }
        }

        foreach (var waking in slice.Arrivals.Skip(course.Taken).Take(arrivals).Select(arrival => arrival.Waking).OfType<OwedRun>())
        {
            writer.Set(waking.SetPosition, waking.SetAt, waking.SetSource, waking.IsQuiet, waking.Again, waking.Set);
        }

        var left = slice.Time - time.GetElapsedTime(_started);
        writer.Slice(number, slice, course, left > TimeSpan.Zero ? left : TimeSpan.Zero, _careful, sets, arrivals);

        void Need(long pid)
        {
            // What else a cascade reaches is asked for.
            if (course.Knows(pid) && cell.Known.Add(pid))
            {
                var kvps = fold is null ? slice.State.GetValueOrDefault(pid) : fold.Kvps(pid);
                states.Add((pid, kvps));
                if (kvps is not null)
                {
                    foreach (var (key, value) in kvps)
                    {
                        cell.KnownLength += key.Length + value.Length;
                    }
                }
            }
        }
    }
}
