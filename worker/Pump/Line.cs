using System.Collections.Concurrent;
using Eddy.Endpoints;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Pump;

/// <summary>An arrival that waits in the line.</summary>
/// <param name="Id">Its place in its shard.</param>
/// <param name="Fresh">Its process is new: there is no state to read.</param>
/// <param name="Tag">Who waits for it; null for nobody.</param>
/// <param name="Trace">W3C traceparent, or null.</param>
/// <param name="Fault">Why it can not be applied, whatever the state; null where it can.</param>
public sealed record LineArrival(
    long Id, TenantId Tenant, ArrivalSet Set, bool Fresh, string Kvps, DateTime ReceivedAt, string? Tag, string? Trace, long TreeVersion, string? Fault = null)
{
    /// <summary>The arrival that all comes of in the end: another where this one wakes a run again.</summary>
    public Guid Root { get; init; } = Set.Arrival;

    /// <summary>What a request of an API script came to; null for any other arrival.</summary>
    public EndpointLanding? Call { get; init; }
}

/// <summary>A cascade that an earlier slice left unfinished, with the runs that it owes.</summary>
/// <param name="Wakings">The ids of the rows that this pays.</param>
/// <param name="FirstRun">The number of its first run.</param>
public sealed record OwedCascade(
    TenantId Tenant, long[] Wakings, IReadOnlyList<OwedRun> Runs, Cascade Cascade, long FirstRun, string? Tag, string? Trace, long TreeVersion);

/// <summary>A tenant as its pump knows it while it holds the lease. There is one writer, so what was read once stays right.</summary>
public sealed class TenantLine(TenantId tenant)
{
    /// <summary>With more processes than this, all are forgotten and read again when they are needed.</summary>
    private const int Remembered = 4000;

    private static long _last;

    private readonly Dictionary<long, Dictionary<string, string>> _state = [];
    private readonly Dictionary<(long Pid, string Key), long> _changedAt = [];

    // By which of the tenant's saves a file was saved last.
    private readonly Dictionary<string, long> _savedAt = new(StringComparer.Ordinal);
    private readonly HashSet<long> _watched = [];

    public TenantId Tenant => tenant;

    /// <summary>Tells it from other lines of the same tenant, before and after it.</summary>
    public long Number { get; } = Interlocked.Increment(ref _last);

    /// <summary>The last position of its log.</summary>
    public long Position { get; set; }

    /// <summary>The number of its last run.</summary>
    public long Run { get; set; }

    /// <summary>The moment of its last change, which never falls.</summary>
    public DateTime At { get; set; }

    public string TimeZone { get; set; } = "UTC";

    /// <summary>The files in force, as last read; null before.</summary>
    public CellTree? Tree { get; set; }

    /// <summary>What its rules listen to, and for which version of its tree that is known.</summary>
    public (long Version, IReadOnlySet<string> Keys)? Wakes { get; set; }

    /// <summary>Rules that are switched off. Known with its <see cref="Tree"/>.</summary>
    public HashSet<string> Off { get; set; } = [];

    /// <summary>How many runs of a rule that keeps their order are in quarantine for a process. Known with its <see cref="Tree"/>.</summary>
    public Dictionary<(string Rule, long Pid), int> Held { get; set; } = [];

    /// <summary>How often a rule has used up its time, one run after the other.</summary>
    public Dictionary<string, int> Strikes { get; } = [];

    /// <summary>A cell of it is alive and remembers processes.</summary>
    public bool HasCell { get; set; }

    /// <summary>Its runs beside the line, in the order in which they left it.</summary>
    public List<Flight> Flights { get; } = [];

    /// <summary>Roots of runs that left the line and are not among <see cref="Flights"/> yet.</summary>
    public HashSet<Guid> Left { get; } = [];

    /// <summary>Nothing is applied before a flight has landed that had too many conflicts.</summary>
    public bool IsHeld => Flights.Exists(flight => flight.IsAwaited);

    /// <summary>The request for which nothing else is applied, since what it depends on changes all the time; and until when, as a timestamp. Null for none.</summary>
    public (Guid Request, long Until)? Waits { get; set; }

    /// <summary>Something of this arrival's cascade is still beside the line.</summary>
    public bool HasBeside(Guid root) => Left.Contains(root) || Flights.Exists(flight => flight.Run.Cascade.Root == root);

    /// <summary>From now on it is noted when KVPs of this process change.</summary>
    public void Watch(long pid) => _watched.Add(pid);

    public void NoteChange(long pid, string key, long position)
    {
        if (_watched.Contains(pid))
        {
            _changedAt[(pid, key)] = position;
        }
    }

    /// <summary>Whether one of these KVPs changed after a position since which their processes are watched; where more was read than single KVPs, whether anything did.</summary>
    public bool HasChanged(IReadOnlySet<(long Pid, string Key)> kvps, long position) =>
        kvps.Contains(BesideEnded.Everything) ? Position > position : kvps.Any(kvp => _changedAt.TryGetValue(kvp, out var at) && at > position);

    /// <summary>How many files runs have saved since this worker has the tenant.</summary>
    public long Saves { get; private set; }

    public void NoteSave(string path) => _savedAt[path] = ++Saves;

    /// <summary>Whether one of the files among these was saved since there were so many saves.</summary>
    public bool HasSaved(IReadOnlySet<(long Pid, string Key)> reads, long saves) =>
        reads.Any(read => read.Pid == BesideEnded.Files && _savedAt.TryGetValue(read.Key, out var at) && at > saves);

    /// <summary>Nothing is beside the line any more.</summary>
    public void Unwatch()
    {
        _watched.Clear();
        _changedAt.Clear();
        _savedAt.Clear();
    }

    public bool Knows(long pid) => _state.ContainsKey(pid);

    public bool IsFull => _state.Count > Remembered;

    public void Forget() => _state.Clear();

    /// <summary>What was read of a process when the log was where it is now.</summary>
    public void Learn(long pid, IReadOnlyDictionary<string, string> kvps)
    {
        if (!Knows(pid))
        {
            _state[pid] = new Dictionary<string, string>(kvps, StringComparer.Ordinal);
        }
    }

    public Dictionary<string, string> State(long pid)
    {
        if (!_state.TryGetValue(pid, out var kvps))
        {
            _state[pid] = kvps = new Dictionary<string, string>(StringComparer.Ordinal);
        }

        return kvps;
    }

    /// <summary>Whether this change set can wake a rule.</summary>
    public bool MayWake(ArrivalSet set)
    {
        if (Wakes is not { } wakes)
        {
            return true;
        }

        if (set.Waking is not null)
        {
            return wakes.Version > 0;
        }

        if (wakes.Keys.Count == 0)
        {
            return false;
        }

        if (set.Pid != 0 && wakes.Keys.Contains("*"))
        {
            return true;
        }

        foreach (var change in set.Changes)
        {
            if (wakes.Keys.Contains(set.Pid == 0 ? "shared." + change.Key : change.Key))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>
/// A shard that this worker holds: its lease, and the tenants that it has met under it. These may be thousands, so no slice looks through all of them: they are asked for by name, and what a slice has to
/// know of others is in sets of few.
/// </summary>
public sealed class ShardLine(short shard, long epoch, long slice)
{
    /// <summary>With more tenants than this, those at rest are forgotten.</summary>
    private const int Remembered = 5000;

    private readonly Lock _gate = new();
    private readonly Dictionary<TenantId, TenantLine> _tenants = [];
    private Place _place;
    private bool _isAskedFor;

    public short Shard => shard;

    public long Epoch => epoch;

    /// <summary>The number of the last commit under this lease.</summary>
    public long Slice { get; set; } = slice;

    /// <summary>Tenants whose last turn could not be taken, and since when.</summary>
    public Dictionary<TenantId, long> Resting { get; } = [];

    /// <summary>Turns that ended after their slice had been committed. Filled by any thread, emptied by the lane that has the shard.</summary>
    public ConcurrentQueue<Turn> Finished { get; } = new();

    /// <summary>Flights that are back. Filled by any thread, emptied by the lane that has the shard.</summary>
    public ConcurrentQueue<Flight> Landed { get; } = new();

    /// <summary>Tenants with a turn under way.</summary>
    public HashSet<TenantLine> Busy { get; } = [];

    /// <summary>Tenants whose line may wait for a request (<see cref="TenantLine.Waits"/>).</summary>
    public HashSet<TenantLine> Waiting { get; } = [];

    /// <summary>Tenants with runs beside the line.</summary>
    public HashSet<TenantLine> Aloft { get; } = [];

    /// <summary>There are runs beside the line that are not among the flights, or it is not known whether there are.</summary>
    public bool MayBeBeside { get; set; } = true;

    /// <summary>Ends with the lease, or when it is given back.</summary>
    public CancellationTokenSource Held { get; } = new();

    /// <summary>There are owed runs, or it is not known whether there are.</summary>
    public bool MayOwe { get; set; } = true;

    /// <summary>So many slices more hold one arrival each, so that one that can not be applied stands alone.</summary>
    public int Alone { get; set; }

    /// <summary>The lease is gone, or shall go once nothing is under way.</summary>
    public bool IsLost { get; set; }

    public bool IsLeaving { get; set; }

    /// <summary>Turns under way.</summary>
    public int Running { get; set; }

    /// <summary>There is more to do at once. The lane's.</summary>
    public bool HasMore { get; set; }

    /// <summary>It has more than a slice holds, so it gets slices of its own and does not hold up the others.</summary>
    public bool IsHeavy { get; set; }

    /// <summary>There is something to do. True where the caller shall put it into the queue of the lanes; while a lane has it, it comes back by itself.</summary>
    public bool Ask()
    {
        lock (_gate)
        {
            _isAskedFor |= _place == Place.Lane;
            if (_place != Place.Rest)
            {
                return false;
            }

            _place = Place.Queue;
            return true;
        }
    }

    /// <summary>A lane takes it out of the queue. Until <see cref="End"/> nobody else touches it.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            (_place, _isAskedFor) = (Place.Lane, false);
        }
    }

    /// <summary>The lane is done with it. True where it shall be queued again, for it was asked for in the meantime.</summary>
    public bool End()
    {
        lock (_gate)
        {
            _place = _isAskedFor ? Place.Queue : Place.Rest;
            return _isAskedFor;
        }
    }

    /// <summary>It has met this tenant under its lease, and remembers it.</summary>
    public bool Knows(TenantId tenant) => _tenants.ContainsKey(tenant);

    public TenantLine Tenant(TenantId tenant)
    {
        if (!_tenants.TryGetValue(tenant, out var line))
        {
            _tenants[tenant] = line = new TenantLine(tenant);
        }

        return line;
    }

    /// <summary>What was just read of a tenant.</summary>
    public void Meet(TenantLine line) => _tenants[line.Tenant] = line;

    /// <summary>What is known of a tenant does not hold. Its runs beside the line take off again with what is read anew.</summary>
    public void Forget(TenantLine line)
    {
        _tenants.Remove(line.Tenant);
        Busy.Remove(line);
        Waiting.Remove(line);
        line.Flights.ForEach(flight => flight.Control?.Cancel());
        MayBeBeside |= Aloft.Remove(line) || line.Left.Count > 0;
    }

    public void Trim()
    {
        if (_tenants.Count > Remembered)
        {
            foreach (var (tenant, line) in _tenants)
            {
                if (!Busy.Contains(line) && line.Flights.Count == 0 && line.Left.Count == 0)
                {
                    _tenants.Remove(tenant);
                    Waiting.Remove(line);
                }
            }
        }
    }
}

/// <summary>Where a shard is: at rest, in the queue of the lanes, or with a lane.</summary>
internal enum Place
{
    Rest,
    Queue,
    Lane,
}

/// <summary>What one tenant does in a slice: what goes in, and what came out once it has ended.</summary>
/// <param name="At">The moment of all that it writes.</param>
public sealed record Turn(
    ShardLine Shard, TenantLine Line, DateTime At, OwedCascade? Owed, IReadOnlyList<LineArrival> Arrivals, IReadOnlyList<(LineArrival Arrival, string Reason)> Refused)
{
    /// <summary>Flights that land before the arrivals. None where there is something owed.</summary>
    public IReadOnlyList<(Flight Flight, Landing Landing)> Landings { get; init; } = [];

    /// <summary>What it takes out of the line: its arrivals, and the requests among what lands.</summary>
    public IEnumerable<LineArrival> Taken => Arrivals.Concat(Landings.Select(landing => landing.Flight.Arrival).OfType<LineArrival>());

    /// <summary>Requests that are not applied, because what they depend on has changed. Whoever made them tries again.</summary>
    public IReadOnlyList<LineArrival> Conflicts { get; init; } = [];

    /// <summary>What the cell did; null where it could not be asked.</summary>
    public Transcript? Transcript { get; set; }

    /// <summary>What those of its runs that tell people something tell them, written out. A run is known by being itself.</summary>
    public IReadOnlyDictionary<RunEnded, IReadOnlyList<WrittenEffect>> Written { get; set; } = new Dictionary<RunEnded, IReadOnlyList<WrittenEffect>>();

    /// <summary>The version of the tree that the rules were of.</summary>
    public long TreeVersion { get; set; }

    /// <summary>The CPU time that the tenant's cells have used, as far as it was not yet counted.</summary>
    public TimeSpan Cpu { get; set; }

    /// <summary>Why the cell could not be asked. Nobody is blamed, and the turn is taken again.</summary>
    public Exception? Fault { get; set; }
}
