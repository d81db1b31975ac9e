namespace Eddy.Sandbox;

/// <summary>
/// How far a slice has come, by the host's own book: the order of arrivals and runs follows from the change sets, so that whatever a
/// cell tells is either the next step or false, and another cell can go on from any point. Methods that take a cell's word
/// throw <see cref="CellLied"/> where it does not fit.
/// </summary>
internal sealed class SliceCourse
{
    /// <summary>Of so many runs that a stopped cascade owed it is kept what they were.</summary>
    private const int MostStopped = 1000;

    private readonly WakeTable _table;
    private readonly Slice _slice;
    private readonly SandboxOptions _limits;
    private readonly IReadOnlyDictionary<long, IReadOnlyList<long>> _below;
    private readonly Queue<Waking> _queue = new();
    private readonly List<Step> _steps = [];
    private readonly HashSet<(int Rule, long Pid)> _away;
    private readonly HashSet<int> _off;
    private readonly HashSet<(int Rule, long Pid)> _held;

    // What was read of processes that the slice did not name, as committed; and who stands above whom by this slice's changes.
    private readonly Dictionary<long, IReadOnlyDictionary<string, string>> _learned = [];
    private readonly Dictionary<long, long> _above = [];
    // The files that runs of this slice have saved; what the run under way has given to be saved; and of all runs, how much.
    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> _given = new(StringComparer.Ordinal);
    private long _saved;
    private int _cascade = -1;
    private int _cascadeRuns;
    private string _actor;
    private string? _acting;

    /// <param name="below">The processes below others that landings change in what wakes rules there.</param>
    public SliceCourse(WakeTable table, Slice slice, SandboxOptions limits, IReadOnlyDictionary<long, IReadOnlyList<long>>? below = null)
    {
        (_table, _slice, _limits, _below) = (table, slice, limits, below ?? new Dictionary<long, IReadOnlyList<long>>());
        Position = slice.Head;
        var sets = new Dictionary<(long, Again), ChangeSet>();
        for (var i = 0; i < slice.Owed.Count; i++)
        {
            var owed = slice.Owed[i];
            var rule = table.IndexOf(owed.Rule);
            if (rule < 0)
            {
                _steps.Add(new OwedDropped(i));
                continue;
            }

            if (!sets.TryGetValue((owed.SetPosition, owed.Again), out var set))
            {
                sets[(owed.SetPosition, owed.Again)] = set = new ChangeSet(owed.SetPosition, owed.Set.Count, owed, owed.IsQuiet);
            }

            _queue.Enqueue(new Waking(rule, owed.Pid, set, owed.Generation, Chain(owed.Chain), owed.Again));
        }

        _cascadeRuns = slice.Owed.Count > 0 ? slice.Owed[0].Cascade.Runs : 0;
        _actor = slice.Owed.Count > 0 ? slice.Owed[0].Cascade.Actor : "";
        _acting = slice.Owed.Count > 0 ? slice.Owed[0].Cascade.Acting : null;
        _away = [.. slice.Away.Select(away => (table.IndexOf(away.Rule), away.Pid)).Where(away => away.Item1 >= 0)];
        _off = [.. slice.Off.Select(table.IndexOf).Where(rule => rule >= 0)];
        _held = [.. slice.Held.Select(held => (table.IndexOf(held.Rule), held.Pid)).Where(held => held.Item1 >= 0)];
        _away.UnionWith(slice.Landings.Select(landing => (table.IndexOf(landing.Run.Rule), landing.Run.Pid)));
        Land();
    }

    /// <summary>A run that was woken and has not ended.</summary>
    public readonly record struct Waking(int Rule, long Pid, ChangeSet Set, int Generation, Link? Chain, Again Again = default);

    /// <summary>A change set by its first position: one of this slice, or one that an owed run brought along.</summary>
    public sealed record ChangeSet(long Position, int Count, OwedRun? Owed, bool IsQuiet);

    /// <summary>The rules that led to a run, the last first.</summary>
    public sealed record Link(string Rule, Link? Before);

    /// <summary>It is one run beside the line: whom it wakes is seen where it lands.</summary>
    public bool IsBeside { get; init; }

    /// <summary>It is a request of an API script: the run has an answer.</summary>
    public bool IsRequest { get; init; }

    public long Position { get; private set; }

    public int Taken { get; private set; }

    /// <summary>How many landings took their place.</summary>
    public int Landed { get; private set; }

    /// <summary>What the run beside the line has read; null until it was told.</summary>
    public IReadOnlySet<(long Pid, string Key)>? Reads { get; private set; }

    /// <summary>The paths of the files that were read, and their versions then; 0 where there was none.</summary>
    public Dictionary<string, long> FilesRead { get; } = new(StringComparer.Ordinal);

    public int Ran { get; private set; }

    /// <summary>The cell has begun the next run.</summary>
    public bool Begun { get; private set; }

    public int StepCount => _steps.Count;

    public IReadOnlyList<Step> Steps => _steps;

    public IReadOnlyCollection<Waking> Pending => _queue;

    public bool Exhausted => _queue.Count == 0 && Taken == _slice.Arrivals.Count;

    public int CascadeRuns => _cascadeRuns;

    public string Actor => _actor;

    /// <summary>As in <see cref="Cascade.Acting"/>.</summary>
    public string? Acting => _acting;

    /// <summary>Rules and processes of runs beside the line, those included that left in this slice.</summary>
    public IEnumerable<(int Rule, long Pid)> Away => _away.Concat(_off.Select(rule => (rule, 0L)));

    /// <summary>Rules and processes where runs wait for one that is in quarantine.</summary>
    public IReadOnlyCollection<(int Rule, long Pid)> Held => _held;

    public Transcript ToTranscript() => new(_steps, Taken, [.. _queue.Select(Left)], Landed) { Learned = _learned };

    /// <summary>The committed KVPs of the process are known here, and so what is changed in it can be.</summary>
    public bool Knows(long pid) => _slice.State.ContainsKey(pid) || _learned.ContainsKey(pid);

    /// <summary>What a run of this slice has saved in a file; null where none has.</summary>
    public byte[]? Saved(string path) => _files.GetValueOrDefault(path);

    /// <summary>What the run under way has given to be saved in a file; null for nothing.</summary>
    public byte[]? Given(string path) => _given.GetValueOrDefault(path);

    /// <summary>The run under way gives what a file shall be, once it has ended well.</summary>
    public void Save(string path, byte[] content)
    {
        _given[path] = content;
        _saved += content.Length;
        if (!Begun && !IsBeside || _given.Count > FileSaved.MostFiles || _given.Values.Sum(one => (long)one.Length) > FileSaved.MostOfRun || _saved > _limits.SliceBytes + (2L * _limits.FrameBytes))
        {
            throw new CellLied("It saves more than a run may, or out of turn.");
        }
    }

    public void Learn(long pid, IReadOnlyDictionary<string, string> kvps) => _learned.TryAdd(pid, kvps);

    /// <summary>Applies the next arrival.</summary>
    public void Apply()
    {
        if (_queue.Count > 0 || Taken == _slice.Arrivals.Count)
        {
            throw new CellLied("It applied an arrival out of turn.");
        }

        var arrival = _slice.Arrivals[Taken];
        _cascade = Taken++;
        _cascadeRuns = 0;
        (_actor, _acting) = (arrival.Actor, arrival.Waking?.Cascade.Acting);
        _steps.Add(new ArrivalApplied(_cascade));
        if (arrival.Waking is { } owed)
        {
            if (_table.IndexOf(owed.Rule) is >= 0 and var rule)
            {
                _queue.Enqueue(new Waking(rule, owed.Pid, new ChangeSet(owed.SetPosition, owed.Set.Count, owed, owed.IsQuiet), owed.Generation, Chain(owed.Chain), owed.Again));
            }
            else
            {
                _steps.Add(new WakingDropped(owed));
            }

            return;
        }

        if (_table.Reaches)
        {
            WakeAll([.. arrival.Changes.Select(change => new PidChange(arrival.Pid, change.Key, change.Value))], arrival.WakePid, 1, false, null);
            return;
        }

        int[]? woken = null;
        foreach (var change in arrival.Changes)
        {
            woken = _table.Woken(woken, arrival.Pid, change.Key);
        }

        Wake(woken, arrival.WakePid, arrival.Changes.Count, 1, false, null);
    }

    public bool WakesNobody(ArrivalSet arrival)
    {
        if (arrival.Waking is not null)
        {
            return false;
        }

        foreach (var change in arrival.Changes)
        {
            if (_table.Woken(arrival.Pid, change.Key).Length > 0 || _table.WokenAbove(change.Key).Length + _table.WokenBelow(change.Key).Length > 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The rule that it shall run, or -1 where that is gone.</summary>
    public int IndexOf(OwedRun run) => _table.IndexOf(run.Rule);

    public void Begin(int rule, long pid)
    {
        var next = Next(rule, pid);
        if (Begun || TooLong(next) || Waits(next))
        {
            throw new CellLied("It began a run twice, or one that its cascade may not have.");
        }

        Begun = true;
    }

    /// <param name="isRetried">It failed, and asks to be tried again later.</param>
    public void End(
        int rule, long pid, RunOutcome outcome, IReadOnlyList<PidChange> changes, string? log, RunError? error, TimeSpan elapsed, TimeSpan cpu, bool isRetried = false)
    {
        var next = Next(rule, pid);
        if (TooLong(next) || Waits(next))
        {
            throw new CellLied("It ran what its cascade may not have, or what is to wait.");
        }

        if (isRetried)
        {
            if (changes.Count > 0 || next.Again.Attempt >= _table.Rules[rule].Retries)
            {
                throw new CellLied("It puts off a run that may not be tried again.");
            }

            _cascadeRuns++;
            Record(_queue.Dequeue(), outcome, changes, log, error, elapsed, cpu, isRetried: true);
            return;
        }

        if (error is not null && !changes.SequenceEqual(Quarantined(next, error)))
        {
            throw new CellLied("A run that failed changed something, or does not say that it failed.");
        }

        _cascadeRuns++;
        End(_queue.Dequeue(), outcome, changes, log, error, elapsed, cpu);
    }

    private void End(Waking run, RunOutcome outcome, IReadOnlyList<PidChange> changes, string? log, RunError? error, TimeSpan elapsed, TimeSpan cpu)
    {
        Record(run, outcome, changes, log, error, elapsed, cpu);
        if (changes.Count > 0)
        {
            Wake(changes, run.Pid, run.Generation + 1, run.Set.IsQuiet || error is not null, () => new Link(_table.Rules[run.Rule].Id, run.Chain));
        }
    }

    /// <summary>What a run changes that failed: it says so in its process, unless what woke it comes of a quarantine.</summary>
    private IReadOnlyList<PidChange> Quarantined(Waking run, RunError error) => run.Set.IsQuiet ? [] : error.SaidIn(run.Pid, _table.Rules[run.Rule].Id);

    /// <summary>It has to leave the line before it begins.</summary>
    private bool Waits(Waking run) => !IsBeside && (_away.Contains((run.Rule, run.Pid)) || _off.Contains(run.Rule) || IsDeferred(run) || run.Again.Quarantine is null && _held.Contains((run.Rule, run.Pid)));

    private bool IsDeferred(Waking run) => run.Again is { Quarantine: null, IsDue: false } && _table.Rules[run.Rule].IsDeferred;

    /// <summary>What the run that has just ended tells people.</summary>
    public void Tell(IReadOnlyList<Effect> effects)
    {
        _steps[^1] = (RunEnded)_steps[^1] with { Effects = effects };
        _acting = ActorChosen.Among(effects) ?? _acting;
        Keep(effects);
    }

    private void Keep(IReadOnlyList<Effect> effects)
    {
        foreach (var file in effects.OfType<FileSaved>())
        {
            _files[file.Path] = file.Content;
        }
    }

    /// <summary>The next run leaves the line.</summary>
    public void Leave(int rule, long pid)
    {
        var next = Next(rule, pid);
        if (TooLong(next))
        {
            throw new CellLied("It let a run leave that its cascade may not have.");
        }

        _queue.Dequeue();
        Begun = false;
        _given.Clear();
        if (_off.Contains(rule) || IsDeferred(next) || next.Again.Quarantine is null && _held.Contains((rule, pid)))
        {
            _steps.Add(new RunPutAside(Left(next), _off.Contains(rule) ? Aside.Off : IsDeferred(next) ? Aside.Deferred : Aside.Held));
            return;
        }

        _away.Add((rule, pid));
        _steps.Add(new RunLeft(Left(next)));
    }

    public void Read(IReadOnlySet<(long Pid, string Key)> reads) => Reads = reads;

    /// <summary>What the run has read is not known after all.</summary>
    public void Forget() => Reads = null;

    /// <summary>If the next run fails, what is said of it wakes rules in the processes below its own.</summary>
    public long? FailureIsHeardBelow =>
        _queue.TryPeek(out var next) && _table.WokenBelow("quarantined_script").Length + _table.WokenBelow("quarantine_error").Length > 0 ? next.Pid : null;

    /// <summary>The processes below others, as they were told to the cell for the change set that comes next.</summary>
    public Dictionary<long, IReadOnlyList<long>> Below { get; } = [];

    /// <summary>The run beside the line has asked for other processes: whatever changes meanwhile may be what it saw.</summary>
    public bool LooksAround { get; set; }

    /// <summary>The next run is not begun, because its cascade is too long; the cascade ends.</summary>
    public void Stop()
    {
        if (_queue.Count == 0 || !TooLong(_queue.Peek()))
        {
            throw new CellLied("It stopped a cascade that may go on.");
        }

        var next = _queue.Dequeue();
        var chain = string.Join(" → ", Names(next.Chain).Append(_table.Rules[next.Rule].Id));
        var why = next.Generation > _limits.CascadeGenerations
            ? $"This would be generation {next.Generation} of the cascade, and {_limits.CascadeGenerations} is the limit"
            : $"The cascade has had {_cascadeRuns} runs, and {_limits.CascadeRuns} is the limit";
        var owed = _queue.Count switch { 0 => "Nothing else was owed", 1 => "1 more run was owed", var n => $"{n} more runs were owed" };
        var dropped = _queue.Take(MostStopped).ToList();
        _queue.Clear();
        var what = next.Generation > _limits.CascadeGenerations ? $"more than {_limits.CascadeGenerations} generations" : $"more than {_limits.CascadeRuns} runs";
        _cascadeRuns = 0;
        var says = next.Set.IsQuiet ? [] : RunError.Said(next.Pid, _table.Rules[next.Rule].Id, $"Cascade: Rules led to one another through {what}.");
        Record(next, RunOutcome.Killed, says, null, new RunError("Cascade", $"{why}; it was stopped. It came here by {chain}. {owed}.", null, null, null), default, default);
        if (says.Count > 0)
        {
            // A cascade of its own, which is quiet and so comes to an end.
            Wake(says, next.Pid, 1, true, () => new Link(_table.Rules[next.Rule].Id, next.Chain));
        }

        _steps.AddRange(dropped.Select(waking => new RunPutAside(Left(waking), Aside.Stopped)));
    }

    /// <summary>Blames the next run: it is over, and nothing of it is in force. The first arrivals are applied where no run is due.</summary>
    /// <returns>False if there is no run left to blame.</returns>
    public bool Blame(string kind, string message, TimeSpan elapsed, TimeSpan cpu)
    {
        while (_queue.Count == 0 || !TooLong(_queue.Peek()) && Waits(_queue.Peek()))
        {
            if (_queue.TryPeek(out var waits))
            {
                Leave(waits.Rule, waits.Pid);
            }
            else if (Taken == _slice.Arrivals.Count)
            {
                return false;
            }
            else
            {
                Apply();
            }
        }

        if (TooLong(_queue.Peek()))
        {
            Stop();
            return true;
        }

        _cascadeRuns++;
        if (kind == "CpuTime")
        {
            _off.Add(_queue.Peek().Rule);
        }

        var error = new RunError(kind, message, null, null, null);
        var blamed = _queue.Dequeue();
        End(blamed, RunOutcome.Killed, Quarantined(blamed, error), null, error, elapsed, cpu);
        return true;
    }

    /// <summary>The cell that had begun the next run is gone.</summary>
    public void Unbegin()
    {
        Begun = false;
        _given.Clear();
    }

    /// <summary>
    /// The KVPs as they are now, and the events of the change sets of this slice that are still needed: the steps so far, folded.
    /// </summary>
    public Fold Replay()
    {
        var fold = new Fold(pid => _slice.State.GetValueOrDefault(pid) ?? _learned.GetValueOrDefault(pid));
        var needed = _queue.Where(waking => waking.Set.Owed is null).Select(waking => waking.Set.Position).ToHashSet();
        var position = _slice.Head;
        foreach (var step in _steps)
        {
            switch (step)
            {
                case ArrivalApplied applied:
                    var arrival = _slice.Arrivals[applied.Index];
                    position = fold.Add(position, [.. arrival.Changes.Select(change => new PidChange(arrival.Pid, change.Key, change.Value))], arrival.Source, needed);
                    break;
                case RunEnded { Changes.Count: > 0 } ended:
                    position = fold.Add(position, ended.Changes, ended.Source, needed);
                    break;
            }
        }

        return fold;
    }

    /// <summary>The processes that are not as they are committed, once these changes are made too, with their KVPs.</summary>
    public IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>> Touched(IReadOnlyList<PidChange> soFar)
    {
        var fold = Replay();
        fold.Add(0, soFar, "rule", []);
        return fold.Touched;
    }

    /// <summary>Landings take their place as long as none of them wakes anything: what one wakes runs before the next.</summary>
    private void Land()
    {
        while (_queue.Count == 0 && Landed < _slice.Landings.Count)
        {
            var (run, ended) = _slice.Landings[Landed];
            if (!_slice.Away.Contains((run.Rule, run.Pid)))
            {
                _away.Remove((_table.IndexOf(run.Rule), run.Pid));
            }

            _steps.Add(new RunLanded(Landed++));
            (_cascadeRuns, _actor) = (run.Cascade.Runs + 1, run.Cascade.Actor);
            _acting = ActorChosen.Among(ended?.Effects ?? []) ?? run.Cascade.Acting;
            if (ended is null)
            {
                continue;
            }

            _steps.Add(ended);
            Keep(ended.Effects);
            if (ended is { Error: not null, IsRetried: false } && _table.IndexOf(run.Rule) is >= 0 and var failed && _table.Rules[failed].Holds)
            {
                _held.Add((failed, run.Pid));
            }

            Wake(ended.Changes, run.Pid, run.Generation + 1, run.IsQuiet || ended.Error is not null, () => Chain(run.Chain.Append(run.Rule)));
        }
    }

    /// <summary>What a run changed wakes rules in its own process, and, where it changed others, in these.</summary>
    private void Wake(IReadOnlyList<PidChange> changes, long pid, int generation, bool isQuiet, Func<Link?> chain)
    {
        var reaches = _table.Reaches;
        int[]? woken = null;
        foreach (var change in changes)
        {
            reaches |= change.Pid != pid && change.Pid != 0;
            woken = _table.Woken(woken, change.Pid, change.Key);
        }

        if (reaches)
        {
            WakeAll(changes, pid, generation, isQuiet, chain());
        }
        else
        {
            Wake(woken, pid, changes.Count, generation, isQuiet, woken is { Length: > 0 } ? chain() : null);
        }
    }

    private void WakeAll(IReadOnlyList<PidChange> changes, long pid, int generation, bool isQuiet, Link? chain)
    {
        var former = new Dictionary<long, long>();
        foreach (var change in changes)
        {
            if (change.Key == "PARENT" && change.Pid != 0)
            {
                // Who left a process, or is gone, is heard of there once more.
                former[change.Pid] = Above(change.Pid);
                _above[change.Pid] = Process(change.Value);
            }
        }

        var woken = new List<(int Rule, long Pid)>();
        var seen = new HashSet<(int, long)>();
        foreach (var change in changes)
        {
            Note(_table.Woken(change.Pid, change.Key), change.Pid == 0 ? pid : change.Pid);
            if (change.Pid != 0 && _table.WokenAbove(change.Key) is { Length: > 0 } rules
                && (Above(change.Pid) is var now and > 0 ? now : former.GetValueOrDefault(change.Pid)) is var above and > 0)
            {
                Note(rules, above);
            }

            if (change.Pid != 0 && _table.WokenBelow(change.Key) is { Length: > 0 } below)
            {
                foreach (var child in Below.GetValueOrDefault(change.Pid) ?? _below.GetValueOrDefault(change.Pid) ?? (IsBeside ? Array.Empty<long>() : null) ?? throw new CellLied("It changed what wakes rules below without asking who is there."))
                {
                    Note(below, child);
                }
            }
        }

        Below.Clear();

        var set = new ChangeSet(Position + 1, changes.Count, null, isQuiet);
        foreach (var (rule, of) in woken.OrderBy(one => one.Rule))
        {
            _queue.Enqueue(new Waking(rule, of, set, generation, chain));
        }

        Position += changes.Count;

        void Note(int[] rules, long of)
        {
            foreach (var rule in rules)
            {
                if (seen.Add((rule, of)))
                {
                    woken.Add((rule, of));
                }
            }
        }
    }

    /// <summary>The process above this one, or 0.</summary>
    private long Above(long pid) => _above.TryGetValue(pid, out var above) ? above
        : Process((_slice.State.GetValueOrDefault(pid) ?? _learned.GetValueOrDefault(pid))?.GetValueOrDefault("PARENT"));

    /// <summary>The number in a reference's canonical JSON, else 0.</summary>
    private static long Process(string? value) =>
        value is not null && value.StartsWith("{\"$process\":", StringComparison.Ordinal) && long.TryParse(value.AsSpan(12, value.Length - 13), out var pid) ? pid : 0;

    private static Link? Chain(IEnumerable<string> rules) => rules.Aggregate((Link?)null, static (before, rule) => new Link(rule, before));

    private LeftRun Left(Waking waking) =>
        new(_table.Rules[waking.Rule].Id, waking.Pid, waking.Set.Position, waking.Set.Count, waking.Generation, Names(waking.Chain))
        {
            IsQuiet = waking.Set.IsQuiet,
            Again = waking.Again,
            Loaded = _table.Rules[waking.Rule],
            Owed = waking.Set.Owed,
        };

    private Waking Next(int rule, long pid) =>
        _queue.TryPeek(out var next) && next.Rule == rule && next.Pid == pid ? next : throw new CellLied("It ran a rule out of turn.");

    private bool TooLong(Waking next) => next.Generation > _limits.CascadeGenerations || _cascadeRuns >= _limits.CascadeRuns;

    private void Wake(int[]? woken, long pid, int count, int generation, bool isQuiet, Link? chain)
    {
        if (woken is { Length: > 0 })
        {
            var set = new ChangeSet(Position + 1, count, null, isQuiet);
            foreach (var rule in woken)
            {
                _queue.Enqueue(new Waking(rule, pid, set, generation, chain));
            }
        }

        Position += count;
    }

    private void Record(
        Waking run, RunOutcome outcome, IReadOnlyList<PidChange> changes, string? log, RunError? error, TimeSpan elapsed, TimeSpan cpu, bool isRetried = false)
    {
        Begun = false;
        Ran++;
        _given.Clear();
        if (error is not null && !isRetried && _table.Rules[run.Rule].Holds)
        {
            _held.Add((run.Rule, run.Pid));
        }

        _steps.Add(new RunEnded(
            _table.Rules[run.Rule].Id, run.Pid, _cascade, run.Set.Position, run.Generation, outcome, changes, log, error, elapsed, cpu)
        {
            IsRetried = isRetried,
            Woken = error is null && run.Again.Quarantine is null ? null : Left(run),
        });
    }

    private static List<string> Names(Link? chain)
    {
        var names = new List<string>();
        for (; chain is not null && names.Count < 64; chain = chain.Before)
        {
            names.Add(chain.Rule);
        }

        names.Reverse();
        return names;
    }

    /// <summary>The slice's state with steps folded in.</summary>
    public sealed class Fold(Func<long, IReadOnlyDictionary<string, string>?> committed)
    {
        private readonly Dictionary<long, Dictionary<string, string>> _changed = [];

        public Dictionary<long, (string Source, List<SetEvent> Events)> Sets { get; } = [];

        public IReadOnlyDictionary<string, string>? Kvps(long pid) =>
            _changed.TryGetValue(pid, out var kvps) ? kvps : committed(pid);

        /// <summary>The processes that are not as they are committed, with their KVPs.</summary>
        public IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>> Touched =>
            _changed.Where(process => process.Key != 0).ToDictionary(process => process.Key, process => (IReadOnlyDictionary<string, string>)process.Value);

        public long Add(long position, IReadOnlyList<PidChange> changes, string source, HashSet<long> needed)
        {
            List<SetEvent>? events = needed.Contains(position + 1) ? [] : null;
            if (events is not null)
            {
                Sets[position + 1] = (source, events);
            }

            foreach (var change in changes)
            {
                position++;
                if (!_changed.TryGetValue(change.Pid, out var kvps))
                {
                    _changed[change.Pid] = kvps = committed(change.Pid) is { } before ? new(before, StringComparer.Ordinal) : new(StringComparer.Ordinal);
                }

                events?.Add(new SetEvent(position, change.Pid, change.Key, change.Value, kvps.GetValueOrDefault(change.Key)));
                if (change.Value is null)
                {
                    kvps.Remove(change.Key);
                }
                else
                {
                    kvps[change.Key] = change.Value;
                }
            }

            return position;
        }
    }
}

/// <summary>What a cell told can not be: it is broken, or its tenant has broken into it.</summary>
internal sealed class CellLied(string what) : Exception(what);
