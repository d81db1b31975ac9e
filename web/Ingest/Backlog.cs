using System.Collections.Concurrent;
using System.Globalization;
using Eddy.Tenants;

namespace Eddy.Ingest;

/// <summary>
/// What this node knows of the arrivals that wait, so that accepting never starves applying. The pumps tell how many wait for each tenant with many, and
/// how many a second they clear; what this node has added since counts too. A tenant with more waiting than is cleared in
/// <see cref="DoorOptions.PaceLag"/> is slowed down: its requests pass a few at a time, at the pace at which the line is cleared, since a crowd that is let in at once takes the
/// machine from everybody for as long as it is. While somebody else waits for an answer, so are crowds: of a tenant with more than a few arrivals at the door at once as many pass as
/// <see cref="DoorOptions.CrowdPace"/> says, all together every now and then, so that whoever waits has the machine in between. One with more than <see cref="DoorOptions.TenantBacklog"/> is refused. Tenants with little waiting notice neither.
/// </summary>
public sealed class Backlog(DoorOptions options, TimeProvider time)
{
    /// <summary>The pumps tell of tenants with more waiting than this.</summary>
    private const int Many = 200;

    private const double SlowestPace = 4;

    /// <summary>More arrivals of a tenant at the door at once than this are a crowd.</summary>
    private const int Crowd = 8;

    /// <summary>Those that are slowed down pass a few at a time, for each flush has its price.</summary>
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(4);

    /// <summary>Crowds pass seldom: whoever waits meets few of them, and most not at all.</summary>
    private static readonly TimeSpan CrowdsTogether = TimeSpan.FromMilliseconds(20);

    /// <summary>So long after somebody began to wait crowds are slowed down.</summary>
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(20);

    private readonly ConcurrentDictionary<TenantId, Waiting> _tenants = new();
    private readonly ConcurrentDictionary<string, (double Rate, long At)> _pumps = new();
    private long _heardAt;
    private double _rate;
    private volatile LastWaits _waits = new(default, null, null);

    /// <summary>Nobody has told of the line for a second: the pumps are idle, or gone.</summary>
    public bool IsStale => time.GetElapsedTime(Volatile.Read(ref _heardAt)) > TimeSpan.FromSeconds(1);

    /// <summary>Lets a request of so many arrivals pass, now or a little later; false where the tenant has too many waiting.</summary>
    /// <param name="isWaitedFor">Somebody waits for what it comes to.</param>
    public async ValueTask<bool> PassAsync(TenantId tenant, int arrivals, bool isWaitedFor, CancellationToken cancel)
    {
        var waiting = _tenants.GetOrAdd(tenant, static _ => new Waiting());
        var count = Left(waiting);
        if (count + arrivals > options.TenantBacklog && count > 0)
        {
            return false;
        }

        var atTheDoor = waiting.AtTheDoor + arrivals;
        if (isWaitedFor && atTheDoor <= Crowd)
        {
            // Of two at the same moment one may be lost: the other says as much to all but its own tenant.
            _waits = _waits.And(tenant, time.GetTimestamp());
        }

        var (pace, together) = (double.PositiveInfinity, Together);
        // Where no pump clears anything, holding back helps nobody.
        if (count > Pace && Volatile.Read(ref _rate) is > 0 and var rate)
        {
            // With more waiting than the pace allows, for instance since there are other doors, more slowly.
            pace = rate / Math.Min(SlowestPace, count / Pace);
        }

        if (IsCrowdBesideWaits(tenant, atTheDoor))
        {
            (pace, together) = (Math.Min(pace, options.CrowdPace), CrowdsTogether);
        }

        if (pace < double.PositiveInfinity)
        {
            await waiting.HoldAsync(arrivals, pace, together, options.PaceHold, time, cancel);
        }

        while (!waiting.Add(arrivals))
        {
            waiting = _tenants.GetOrAdd(tenant, static _ => new Waiting());
        }

        return true;
    }

    /// <summary>Many arrivals of this tenant wait, or a crowd of them is at the door while somebody else waits for an answer: nobody else shall wait for their flush.</summary>
    public bool GoesApart(TenantId tenant) => _tenants.TryGetValue(tenant, out var waiting) && (waiting.Count > Many || IsCrowdBesideWaits(tenant, waiting.AtTheDoor));

    /// <summary>What has passed is committed, or will not be.</summary>
    public void Arrived(TenantId tenant, int arrivals)
    {
        if (_tenants.TryGetValue(tenant, out var waiting))
        {
            waiting.Arrived(arrivals);
        }
    }

    /// <summary>Takes in what a pump tells: its name, how many it clears a second, the shards that it holds as bits, then tenants and their counts.</summary>
    public void Hear(string news)
    {
        var parts = news.Split('|');
        if (parts.Length < 3 || !double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var rate)
            || !ulong.TryParse(parts[2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var shards))
        {
            return;
        }

        _pumps[parts[0]] = (rate, time.GetTimestamp());
        var counts = new Dictionary<TenantId, long>();
        foreach (var pair in parts.Skip(3))
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            if (at > 0 && Guid.TryParse(pair.AsSpan(0, at), out var tenant) && long.TryParse(pair.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            {
                counts[new TenantId(tenant)] = count;
            }
        }

        BeginLook();
        Set(counts, shards);
    }

    /// <summary>A look at the line begins: what is added from here on may be missing in what it finds.</summary>
    public void BeginLook()
    {
        foreach (var (_, waiting) in _tenants)
        {
            waiting.Mark();
        }
    }

    /// <summary>Takes in the counts of the tenants that have many waiting; all others of these shards (bits) have few.</summary>
    public void Set(IReadOnlyDictionary<TenantId, long> counts, ulong shards = ulong.MaxValue)
    {
        foreach (var (tenant, waiting) in _tenants)
        {
            if ((shards >> tenant.Shard & 1) != 0 && !counts.ContainsKey(tenant) && waiting.Reset(0))
            {
                // Quiet for two tellings: forgotten.
                _tenants.TryRemove(tenant, out _);
            }
        }

        foreach (var (tenant, count) in counts)
        {
            _tenants.GetOrAdd(tenant, static _ => new Waiting()).Reset(count);
        }

        Volatile.Write(ref _rate, Rate());
        Volatile.Write(ref _heardAt, time.GetTimestamp());
    }

    private bool IsCrowdBesideWaits(TenantId tenant, long atTheDoor) =>
        atTheDoor > Crowd && options.CrowdPace > 0 && _waits.Besides(tenant) is { } since && time.GetElapsedTime(since) < Moment;

    private double Pace => Math.Max(500, _rate * options.PaceLag.TotalSeconds);

    /// <summary>What waits of a tenant by now: the pumps have gone on since they told of it.</summary>
    private double Left(Waiting waiting)
    {
        var count = waiting.Count;
        return count == 0 ? 0 : Math.Max(0, count - (_rate * Math.Min(1, time.GetElapsedTime(Volatile.Read(ref _heardAt)).TotalSeconds)));
    }

    /// <summary>What all pumps that have told of themselves lately clear in a second.</summary>
    private double Rate()
    {
        var rate = 0.0;
        foreach (var (name, pump) in _pumps)
        {
            if (time.GetElapsedTime(pump.At) > TimeSpan.FromSeconds(3))
            {
                _pumps.TryRemove(name, out _);
            }
            else
            {
                rate += pump.Rate;
            }
        }

        return rate;
    }

    /// <summary>What was told last, and what this node has added since: a look finds what was committed before it, and not what was on its way then.</summary>
    private sealed class Waiting
    {
        private readonly Lock _lock = new();
        private long _told;
        private long _sinceMark;
        private long _onTheWay;
        private long _held;
        private long _slot;
        private bool _isForgotten;

        public long Count
        {
            get
            {
                lock (_lock)
                {
                    return _told + _sinceMark + _onTheWay;
                }
            }
        }

        /// <summary>Arrivals that have come and are not committed.</summary>
        public long AtTheDoor
        {
            get
            {
                lock (_lock)
                {
                    return _held + _onTheWay;
                }
            }
        }

        /// <summary>Waits until it is their turn at a pace (arrivals a second), and then for the next that pass together.</summary>
        public async Task HoldAsync(int arrivals, double pace, TimeSpan together, TimeSpan longest, TimeProvider time, CancellationToken cancel)
        {
            var now = time.GetTimestamp();
            var (step, latest, grid) = (Ticks(TimeSpan.FromSeconds(arrivals / pace)), now + Ticks(longest), Ticks(together));
            long slot;
            lock (_lock)
            {
                slot = _slot = Math.Clamp(_slot + step, now, latest);
                _held += arrivals;
            }

            try
            {
                if (slot > now)
                {
                    slot = Math.Min((slot + grid - 1) / grid * grid, latest);
                    await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(time.GetElapsedTime(now, slot).TotalMilliseconds)), time, cancel);
                }
            }
            finally
            {
                lock (_lock)
                {
                    _held -= arrivals;
                }
            }

            long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
        }

        /// <summary>False where it is forgotten by now, and another counts.</summary>
        public bool Add(int arrivals)
        {
            lock (_lock)
            {
                _onTheWay += _isForgotten ? 0 : arrivals;
                return !_isForgotten;
            }
        }

        public void Arrived(int arrivals)
        {
            lock (_lock)
            {
                _onTheWay -= arrivals;
                _sinceMark += arrivals;
            }
        }

        public void Mark()
        {
            lock (_lock)
            {
                _told += _sinceMark;
                _sinceMark = 0;
            }
        }

        /// <summary>True, and it is forgotten, where nothing waited and nothing came.</summary>
        public bool Reset(long count)
        {
            lock (_lock)
            {
                _isForgotten = _told == 0 && _sinceMark == 0 && _onTheWay == 0 && _held == 0 && count == 0;
                _told = count;
                return _isForgotten;
            }
        }
    }

    /// <summary>Who began to wait last and when, and when anybody else did before; as timestamps.</summary>
    private sealed record LastWaits(TenantId Tenant, long? At, long? OthersAt)
    {
        public LastWaits And(TenantId tenant, long at) => new(tenant, at, tenant == Tenant ? OthersAt : At);

        /// <summary>When somebody else than this tenant began to wait last.</summary>
        public long? Besides(TenantId tenant) => tenant == Tenant ? OthersAt : At;
    }
}
