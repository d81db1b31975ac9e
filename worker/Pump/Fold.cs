using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Eddy.Hindsight;
using Eddy.Kvps;
using Eddy.Processes;
using Eddy.Runs;
using Eddy.Sandbox;

namespace Eddy.Pump;

/// <summary>
/// Folds what a turn came to into the tenant's state and into the rows of the commit: each change gets its place in the log, in the transcript's order, and the runs
/// their numbers. No I/O. If the commit fails, the state is worthless and dropped with the lease's caches.
/// </summary>
public sealed class Fold
{
    /// <summary>A rule that uses up its wall time so often, one run after the other, is switched off.</summary>
    private const int MostStrikes = 3;

    private readonly Turn _turn;
    private readonly SliceRows _rows;
    private readonly TenantLine _line;
    private readonly Guid _tenant;
    private readonly long _positionBefore;

    // The last value of each KVP that changed, with its position; null where it is removed.
    private readonly Dictionary<(long Pid, string Key), (string? Value, long Position)> _changed = [];
    private readonly HashSet<long> _shaped = [];

    // Processes that arrivals of this turn make: the database has nothing of them.
    private readonly HashSet<long> _made = [];
    private readonly Dictionary<(long Set, long Pid), int> _saidNo = [];
    private readonly Dictionary<int, List<string>> _saidNoRules = [];

    // Cascades that have ended, whose callers wait: their runs' numbers, and where all of them are here, the process of their arrival and the rows of their runs.
    private readonly List<(string Tag, long First, long Last, (long Pid, Range Rows)? Here)> _settled = [];

    // The cascade that the steps belong to.
    private Guid _root;
    private string _actor = "";
    private string? _acting;
    private string? _tag;
    private string? _trace;
    private long _firstRun;
    private int _runs;

    // The process of its arrival and its first row, where it began in this turn.
    private (long Pid, int Row)? _begun;

    // Of the run that lands next: it may be another than that of the turn; and what woke it.
    private long? _tree;
    private OwedRun? _landed;

    private Fold(Turn turn, SliceRows rows)
    {
        (_turn, _rows, _line) = (turn, rows, turn.Line);
        (_tenant, _positionBefore) = (_line.Tenant.Value, _line.Position);
    }

    /// <summary>How many runs of each outcome the turn had.</summary>
    public static int[] Into(SliceRows rows, Turn turn)
    {
        var fold = new Fold(turn, rows);
        return fold.Apply();
    }

    private int[] Apply()
    {
        var outcomes = new int[4];
        var transcript = _turn.Transcript!;
        var isOpen = false;
        if (_turn.Owed is { } owed)
        {
            _rows.Paid.Tenants.AddRange(owed.Wakings.Select(_ => _tenant));
            _rows.Paid.Ids.AddRange(owed.Wakings);
            (_root, _actor, _tag, _trace, _firstRun, _runs) = (owed.Cascade.Root, owed.Cascade.Actor, owed.Tag, owed.Trace, owed.FirstRun, owed.Cascade.Runs);
            _acting = owed.Cascade.Acting;
            isOpen = true;
        }

        foreach (var (pid, kvps) in transcript.Learned)
        {
            _line.Learn(pid, kvps);
        }

        foreach (var step in transcript.Steps)
        {
            switch (step)
            {
                case ArrivalApplied applied:
                    if (isOpen)
                    {
                        Settle();
                    }

                    isOpen = true;
                    ApplyArrival(_turn.Arrivals[applied.Index]);
                    break;
                case RunLanded landed:
                    if (isOpen)
                    {
                        Settle();
                    }

                    isOpen = true;
                    Land(_turn.Landings[landed.Index]);
                    break;
                case RunPutAside aside:
                    PutAside(aside.Run, aside.Why);
                    break;
                case WakingDropped dropped:
                    Stay(dropped.Run);
                    break;
                case RunLeft left:
                    _line.Left.Add(_root);
                    _turn.Shard.MayBeBeside = true;
                    Owe(left.Run, beside: true);
                    break;
                case RunEnded run:
                    _runs++;
                    outcomes[(int)run.Outcome]++;
                    ApplyRun(run);
                    break;
            }
        }

        if (transcript.Owed.Count > 0)
        {
            foreach (var run in transcript.Owed)
            {
                Owe(run, beside: false);
            }
        }
        else if (isOpen)
        {
            Settle();
        }

        foreach (var (arrival, reason) in _turn.Refused)
        {
            Refuse(arrival, reason);
        }

        foreach (var request in _turn.Conflicts)
        {
            _rows.DoneShards.Add(request.Tenant.Shard);
            _rows.Done.Add(request.Id);
            if (request.Tag is { } tag)
            {
                Tell(tag, "~");
            }
        }

        WriteState();
        TellSettled();
        _line.At = _turn.At;
        _rows.Heads.Tenants.Add(_tenant);
        _rows.Heads.Before.Add(_positionBefore);
        _rows.Heads.Positions.Add(_line.Position);
        _rows.Heads.Runs.Add(_line.Run);
        _rows.Heads.At.Add(_line.At);
        _rows.Heads.Cpu.Add((long)_turn.Cpu.TotalMicroseconds);
        return outcomes;
    }

    private void ApplyArrival(LineArrival arrival)
    {
        var set = arrival.Set;
        _acting = set.Waking?.Cascade.Acting;
        if (set.Waking is { Set.Count: 0 })
        {
            // What woke it has no position of its own to tell the checks apart by.
            _saidNo.Clear();
        }

        (_root, _actor, _tag, _trace, _firstRun, _runs) = (arrival.Root, set.Actor, arrival.Tag, arrival.Trace, _line.Run + 1, 0);
        _begun = (set.Pid, _rows.Runs.Ids.Count);
        if (arrival.Fresh)
        {
            _made.Add(set.Pid);
        }

        _rows.DoneShards.Add(arrival.Tenant.Shard);
        _rows.Done.Add(arrival.Id);
        var first = _line.Position + 1;
        foreach (var change in set.Changes)
        {
            Append(set.Pid, change.Key, change.Value, set.Source, cause: null, first);
        }

        if (_tag is { } tag && tag.Contains(":a", StringComparison.Ordinal))
        {
            Tell(tag, "");
            _tag = null;
        }
    }

    private void Land((Flight Flight, Landing Landing) landed)
    {
        _begun = null;
        var flight = landed.Flight;
        var cascade = flight.Run.Cascade;
        _acting = cascade.Acting;
        (_root, _actor, _tag, _trace, _firstRun, _runs) = (cascade.Root, cascade.Actor, flight.Tag, flight.Trace, flight.FirstRun, cascade.Runs);
        if (flight.Arrival is { } request)
        {
            _rows.DoneShards.Add(request.Tenant.Shard);
            _rows.Done.Add(request.Id);
            _firstRun = _line.Run + 1;
            if (_tag is { } tag && tag.Contains(":a", StringComparison.Ordinal))
            {
                Tell(tag, "");
                _tag = null;
            }
        }
        else
        {
            _rows.Paid.Tenants.Add(_tenant);
            _rows.Paid.Ids.Add(flight.Waking);
        }

        _line.Flights.Remove(flight);
        if (landed.Landing.Ended is null)
        {
            Stay(flight.Run);
        }
        else
        {
            (_tree, _landed) = (flight.TreeVersion, flight.Run);
        }
    }

    private void ApplyRun(RunEnded run)
    {
        var landed = _landed;
        _landed = null;
        var woken = landed is null ? run.Woken : LeftRun.Of(landed) with { Loaded = run.Woken?.Loaded };
        if (run is { Outcome: RunOutcome.No, Log: null, Calls.Count: 0 } && woken is null && _saidNo.TryGetValue((run.SetPosition, run.Pid), out var at))
        {
            _saidNoRules[at].Add(run.Rule);
            return;
        }

        var id = ++_line.Run;
        var first = run.Changes.Count > 0 ? _line.Position + 1 : (long?)null;
        foreach (var change in run.Changes)
        {
            Append(change.Pid, change.Key, change.Value, run.Source, id, first!.Value);
        }

        Judge(run, woken, id);

        var log = run.Log;
        if (run.Effects.Count > 0)
        {
            var written = _turn.Written[run];
            if (Replay.IsQuiet(_root))
            {
                log = string.Join('\n', new[] { log?.TrimEnd('\n'), Replay.Withheld(written.OfType<WrittenMail>().Count(), written.OfType<WrittenCard>().Count()) }.OfType<string>()) is { Length: > 0 } said ? said : null;
                written = [.. written.OfType<WrittenFile>()];
            }

            _rows.Effects.Add(_tenant, id, _turn.At, written);
            _acting = ActorChosen.Among(run.Effects) ?? _acting;
            foreach (var file in run.Effects.OfType<FileSaved>())
            {
                _line.NoteSave(file.Path);
            }
        }

        var rows = _rows.Runs;
        rows.Tenants.Add(_tenant);
        rows.Ids.Add(id);
        rows.At.Add(_turn.At);
        rows.Trees.Add(_tree ?? _turn.TreeVersion);
        // What it wakes runs in the line.
        _tree = null;
        rows.Pids.Add(run.Pid);
        rows.Sets.Add(run.SetPosition);
        rows.Roots.Add(_root);
        rows.Generations.Add(run.Generation);
        rows.Outcomes.Add((short)run.Outcome);
        rows.First.Add(first);
        rows.Changes.Add(run.Changes.Count);
        rows.Elapsed.Add((long)run.Elapsed.TotalMicroseconds);
        rows.Cpu.Add((long)run.Cpu.TotalMicroseconds);
        rows.Logs.Add(log);
        rows.Errors.Add(run.Error is null ? null : JsonSerializer.Serialize(run.Error, JsonSerializerOptions.Web));
        rows.Traces.Add(_trace);
        rows.Calls.Add(run.Calls.Count == 0 ? null : JsonSerializer.Serialize(run.Calls, JsonSerializerOptions.Web));
        if (run.Outcome == RunOutcome.No)
        {
            rows.Rules.Add(null);
            rows.SaidNo.Add(null);
            var row = rows.SaidNo.Count - 1;
            if (run is { Log: null, Calls.Count: 0 })
            {
                _saidNo[(run.SetPosition, run.Pid)] = row;
            }

            _saidNoRules[row] = [run.Rule];
        }
        else
        {
            rows.Rules.Add(run.Rule);
            rows.SaidNo.Add(null);
        }
    }

    /// <summary>A run that failed goes into quarantine; one that ended well leaves it. What uses up its limits is switched off.</summary>
    private void Judge(RunEnded run, LeftRun? woken, long id)
    {
        if (run.Error is { } error)
        {
            if (error.Kind == "Cascade")
            {
                // What comes of its quarantine is counted anew.
                _runs = 0;
            }

            if (run.IsRetried)
            {
                // After 10 seconds, 40, 160, and so on, an hour at the most.
                Defer(woken! with { Again = woken.Again with { Attempt = woken.Again.Attempt + 1, IsDue = true } }, "retry",
                    TimeSpan.FromSeconds(Math.Min(3600, 10 * Math.Pow(4, woken.Again.Attempt))), 0);
                return;
            }

            Quarantine(woken!, "failed", id, error);
            Strike(run.Rule, error.Kind);
            return;
        }

        _line.Strikes.Remove(run.Rule);
        if (woken?.Again.Quarantine is { } place)
        {
            _rows.Released.Tenants.Add(_tenant);
            _rows.Released.Ids.Add(place);
            if (_line.Held.TryGetValue((woken.Rule, woken.Pid), out var held))
            {
                _line.Held[(woken.Rule, woken.Pid)] = held - 1;
                if (held <= 1)
                {
                    _line.Held.Remove((woken.Rule, woken.Pid));
                }

                // The next of them is put into the line by the commit.
                _turn.Shard.HasMore = true;
            }
        }
    }

    private void Strike(string rule, string kind)
    {
        var strikes = kind == "WallTime" ? _line.Strikes.GetValueOrDefault(rule) + 1 : 0;
        _line.Strikes[rule] = strikes;
        if (kind != "CpuTime" && strikes < MostStrikes || !_line.Off.Add(rule))
        {
            return;
        }

        _line.Strikes.Remove(rule);
        _rows.Off.Tenants.Add(_tenant);
        _rows.Off.Rules.Add(rule);
        _rows.Off.At.Add(_turn.At);
        _rows.Off.Reasons.Add(kind == "CpuTime" ? "It used up its CPU time." : $"It used up its time {MostStrikes} times running.");
    }

    private void PutAside(LeftRun run, Aside why)
    {
        if (why != Aside.Deferred)
        {
            Quarantine(run, why switch { Aside.Off => "off", Aside.Held => "held", _ => "stopped" }, null, null);
            return;
        }

        var rule = run.Loaded!;
        var isDebounced = rule.Debounce > TimeSpan.Zero;
        Defer(run with { Again = run.Again with { IsDue = true } }, isDebounced ? "debounce" : "throttle", isDebounced ? rule.Debounce : rule.ThrottleTime, rule.Throttle);
    }

    /// <param name="wait">How long it waits; of a rule that is throttled, the time within which it runs no more than <paramref name="most"/> times.</param>
    private void Defer(LeftRun run, string kind, TimeSpan wait, int most)
    {
        var rows = _rows.Deferred;
        rows.Tenants.Add(_tenant);
        rows.Rules.Add(run.Rule);
        rows.Pids.Add(run.Pid);
        rows.Streams.Add(Stream(run));
        rows.Kinds.Add(kind);
        rows.Waits.Add((long)wait.TotalMicroseconds);
        rows.Most.Add(most);
        rows.Wakings.Add(Stored(run).Write());
        rows.At.Add(_turn.At);
        // What is due at once goes into the line again.
        _turn.Shard.HasMore |= kind == "throttle";
    }

    /// <summary>What tells the streams of a rule apart: the process, or what a KVP of it says now.</summary>
    private string Stream(LeftRun run)
    {
        if (run.Loaded?.Per is not { } key)
        {
            return string.Create(CultureInfo.InvariantCulture, $"process {run.Pid}");
        }

        var value = _line.State(run.Pid).GetValueOrDefault(key, "null");
        return value.Length <= 200 ? value : "sha256 " + Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(value)));
    }

    private StoredWaking Stored(LeftRun run) => new(
        run.Rule, run.Pid, run.SetPosition, run.SetCount, run.Owed?.SetAt.UtcDateTime ?? _turn.At, run.Generation, run.Chain, _root, _actor, run.IsQuiet, _trace,
        run.Again.Quarantine, run.Again.Attempt, run.Again.IsDue, _acting);

    /// <summary>What was to be tried again is not: its rule is gone.</summary>
    private void Stay(OwedRun run)
    {
        if (run.Again.Quarantine is not null)
        {
            Quarantine(LeftRun.Of(run), null, null, null);
        }
    }

    private void Quarantine(LeftRun run, string? kind, long? id, RunError? error)
    {
        var holds = run.Loaded?.Holds ?? false;
        if (holds && run.Again.Quarantine is null)
        {
            _line.Held[(run.Rule, run.Pid)] = _line.Held.GetValueOrDefault((run.Rule, run.Pid)) + 1;
        }

        var rows = _rows.Quarantined;
        rows.Tenants.Add(_tenant);
        rows.Ids.Add(run.Again.Quarantine);
        rows.Rules.Add(run.Rule);
        rows.Pids.Add(run.Pid);
        // Whoever tries it again has all attempts before him.
        rows.Wakings.Add(Stored(run with { Again = default }).Write());
        rows.Kinds.Add(kind);
        rows.Holds.Add(kind is null ? null : holds);
        rows.At.Add(_turn.At);
        rows.Runs.Add(id);
        rows.Errors.Add(error is null ? null : JsonSerializer.Serialize(error, JsonSerializerOptions.Web));
    }

    private void Append(long pid, string key, string? value, string source, long? cause, long set)
    {
        var state = _line.State(pid);
        state.TryGetValue(key, out var previous);
        if (value is null)
        {
            state.Remove(key);
        }
        else
        {
            state[key] = value;
        }

        var position = ++_line.Position;
        _changed[(pid, key)] = (value, position);
        _line.NoteChange(pid, key, position);
        if (pid != 0 && (key is "kind" or "PARENT" || (previous is null && state.Count == 1) || state.Count == 0))
        {
            // A process is made by its first KVP, and gone with its last; what is there already is left alone by the statement.
            _shaped.Add(pid);
        }

        var rows = _rows.Events;
        rows.Tenants.Add(_tenant);
        rows.Positions.Add(position);
        rows.At.Add(_turn.At);
        rows.Pids.Add(pid);
        rows.Keys.Add(key);
        rows.Values.Add(value);
        rows.Previous.Add(previous);
        rows.Actors.Add(_actor);
        rows.Sources.Add(source);
        rows.Causes.Add(cause);
        rows.Sets.Add(set);
        rows.Roots.Add(_root);
    }

    private void Settle()
    {
        if (_tag is { } tag && !_line.HasBeside(_root))
        {
            _settled.Add((tag, _firstRun, _line.Run, _begun is (var pid and not 0, var row) ? (pid, row.._rows.Runs.Ids.Count) : null));
        }
    }

    /// <summary>Who waits is told the numbers of the runs, and where it is short, what it came to.</summary>
    private void TellSettled()
    {
        foreach (var (tag, first, last, here) in _settled)
        {
            var came = here is var (pid, rows) ? Came(pid, rows)?.Write() : null;
            Tell(tag, string.Create(CultureInfo.InvariantCulture, $":{first}-{last}{(came is null ? "" : ";")}{came}"));
        }
    }

    private Settlement? Came(long pid, Range range)
    {
        var (state, rows) = (_line.State(pid), _rows.Runs);
        var (first, count) = range.GetOffsetAndLength(rows.Ids.Count);
        if (Math.Max(state.Count, count) > Settlement.MostTold)
        {
            return null;
        }

        var runs = Enumerable.Range(first, count).Select(row => new StoredRun(
            rows.Ids[row], rows.At[row], rows.Rules[row], _saidNoRules.GetValueOrDefault(row), rows.Trees[row], rows.Pids[row], rows.Sets[row], rows.Roots[row], rows.Generations[row],
            (RunOutcome)rows.Outcomes[row], rows.First[row], rows.Changes[row], TimeSpan.FromMicroseconds(rows.Elapsed[row]), TimeSpan.FromMicroseconds(rows.Cpu[row]), null,
            rows.Errors[row], rows.Traces[row]));
        return new Settlement(
            Kind(state), [.. state.OrderBy(kvp => kvp.Key, StringComparer.Ordinal).Select(kvp => new StoredKvp(kvp.Key, kvp.Value))], [.. runs]);
    }

    private static string? Kind(Dictionary<string, string> state) => state.GetValueOrDefault("kind") is { } kind ? KvpLookup.Of(kind).Txt : null;

    private void Owe(LeftRun run, bool beside)
    {
        var rows = _rows.Wakings;
        rows.Tenants.Add(_tenant);
        rows.Rules.Add(run.Rule);
        rows.Pids.Add(run.Pid);
        rows.Sets.Add(run.SetPosition);
        rows.Counts.Add(run.SetCount);
        rows.SetAt.Add(run.Owed?.SetAt.UtcDateTime ?? _turn.At);
        rows.Generations.Add(run.Generation);
        rows.Chains.Add(ArrayText(run.Chain));
        rows.Roots.Add(_root);
        rows.Actors.Add(_actor);
        rows.Runs.Add(_runs);
        rows.FirstRuns.Add(_firstRun);
        rows.LastRuns.Add(_line.Run);
        rows.Tags.Add(_tag);
        rows.Traces.Add(_trace);
        rows.Beside.Add(beside);
        rows.Quiet.Add(run.IsQuiet);
        rows.Acting.Add(_acting);
        rows.Quarantine.Add(run.Again.Quarantine);
        rows.Attempts.Add(run.Again.Attempt);
        rows.Due.Add(run.Again.IsDue);
    }

    private void Refuse(LineArrival arrival, string reason)
    {
        _rows.DoneShards.Add(arrival.Tenant.Shard);
        _rows.Done.Add(arrival.Id);
        if (arrival.Set.Waking is { } waking)
        {
            Stay(waking);
        }

        var rows = _rows.Refused;
        rows.Tenants.Add(_tenant);
        rows.Arrivals.Add(arrival.Set.Arrival);
        rows.Pids.Add(arrival.Set.Pid);
        rows.Kvps.Add(arrival.Kvps);
        rows.Actors.Add(arrival.Set.Actor);
        rows.Sources.Add(arrival.Set.Source);
        rows.ReceivedAt.Add(arrival.ReceivedAt);
        rows.Reasons.Add(reason);
        if (arrival.Tag is { } tag)
        {
            Tell(tag, "!");
        }
    }

    private void WriteState()
    {
        foreach (var (row, rules) in _saidNoRules)
        {
            _rows.Runs.SaidNo[row] = ArrayText(rules);
        }

        foreach (var pid in _shaped)
        {
            var state = _line.State(pid);
            if (state.Count == 0)
            {
                _rows.Gone.Tenants.Add(_tenant);
                _rows.Gone.Pids.Add(pid);
                continue;
            }

            var rows = _made.Contains(pid) ? _rows.NewProcesses : _rows.Processes;
            rows.Tenants.Add(_tenant);
            rows.Pids.Add(pid);
            rows.Kinds.Add(Kind(state));
            rows.Parents.Add(state.GetValueOrDefault("PARENT") is { } parent && long.TryParse(KvpLookup.Of(parent).Txt, CultureInfo.InvariantCulture, out var above) ? above : null);
            rows.At.Add(_turn.At);
        }

        foreach (var ((pid, key), (value, position)) in _changed)
        {
            if (value is null)
            {
                _rows.Removed.Tenants.Add(_tenant);
                _rows.Removed.Pids.Add(pid);
                _rows.Removed.Keys.Add(key);
                continue;
            }

            var lookup = KvpLookup.Of(value);
            var rows = _made.Contains(pid) ? _rows.NewKvps : _rows.Kvps;
            rows.Tenants.Add(_tenant);
            rows.Pids.Add(pid);
            rows.Keys.Add(key);
            rows.Values.Add(value);
            rows.Txt.Add(lookup.Txt);
            rows.Num.Add(lookup.Num);
            rows.At.Add(lookup.At);
            rows.Positions.Add(position);
        }
    }

    /// <summary>A tag is the door's channel, a colon, a letter for what is waited for, and the door's number.</summary>
    private void Tell(string tag, string what)
    {
        var colon = tag.IndexOf(':', StringComparison.Ordinal);
        if (!_rows.Told.TryGetValue(tag[..colon], out var payloads))
        {
            _rows.Told[tag[..colon]] = payloads = [];
        }

        payloads.Add(string.Concat(tag.AsSpan(colon + 2), what));
    }

    /// <summary>PostgreSQL's text form of an array.</summary>
    private static string ArrayText(IEnumerable<string> texts)
    {
        var array = new StringBuilder("{");
        foreach (var text in texts)
        {
            array.Append(array.Length > 1 ? ",\"" : "\"").Append(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"');
        }

        return array.Append('}').ToString();
    }
}
