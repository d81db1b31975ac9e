using System.Collections.Concurrent;
using System.Globalization;
using Eddy.Tenants;

namespace Eddy.Ingest;

/// <summary>
/// What this node knows of the arrivals that wait, so that accepting never starves applying. The pumps tell how many wait for each tenant with many, and
/// how many a second they clear; what this node has added since counts too. A tenant with more waiting than is cleared in
/// <see cref="DoorOptions.PaceLag"/> is slowed down: its requests pass a few at a time, at the pace at which the line is cleared, since a crowd that is let in at once takes the
/// machine from everybody for as long as it is. One with more than <see cref="DoorOptions.TenantBacklog"/> is refused. Tenants with little waiting notice neither.
/// </summary>
public sealed class Backlog(DoorOptions options, TimeProvider time)
{
    /// <summary>The pumps tell of tenants with more waiting than this.</summary>
    private const int Many = 200;

    private const double SlowestPace = 4;

    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(4);

    private readonly ConcurrentDictionary<TenantId, Waiting> _tenants = new();
    private readonly ConcurrentDictionary<string, (double Rate, long At)> _pumps = new();
    private long _heardAt;
    private double _rate;

    /// <summary>Nobody has told of the line for a second: the pumps are idle, or gone.</summary>
    public bool IsStale => time.GetElapsedTime(Volatile.Read(ref _heardAt)) > TimeSpan.FromSeconds(1);

    /// <summary>Lets a request of so many arrivals pass, now or a little later; false where the tenant has too many waiting.</summary>
    public async ValueTask<bool> PassAsync(TenantId tenant, int arrivals, CancellationToken cancel)
    {
        var waiting = _tenants.GetOrAdd(tenant, static _ => new Waiting());
        var count = Left(waiting);
        if (count + arrivals > options.TenantBacklog && count > 0)
        {
            return false;
        }

        // Where no pump clears anything, holding back helps nobody.
        if (count > Pace && Volatile.Read(ref _rate) is > 0 and var rate)
        {
            var now = time.GetTimestamp();
            // With more waiting than the pace allows, for instance since there are other doors, more slowly.
            var step = arrivals / rate * Math.Min(SlowestPace, count / Pace);
            var latest = now + (long)(options.PaceHold.TotalSeconds * time.TimestampFrequency);
            var slot = waiting.Slot(now, (long)(step * time.TimestampFrequency), latest);
            if (slot > now)
            {
                // A few go together, for each flush has its price.
                var together = (long)(Together.TotalSeconds * time.TimestampFrequency);
                slot = Math.Min((slot + together - 1) / together * together, latest);
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(time.GetElapsedTime(now, slot).TotalMilliseconds)), time, cancel);
            }
        }

        while (!waiting.Add(arrivals))
        {
            waiting = _tenants.GetOrAdd(tenant, static _ => new Waiting());
        }

        return true;
    }

    /// <summary>Many arrivals of this tenant wait.</summary>
    public bool HasMany(TenantId tenant) => _tenants.TryGetValue(tenant, out var waiting) && waiting.Count > Many;

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

        /// <summary>When the next one of a tenant that is slowed down passes: so long after the one before.</summary>
        public long Slot(long now, long step, long latest)
        {
            lock (_lock)
            {
                return _slot = Math.Clamp(_slot + step, now, latest);
            }
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
                _isForgotten = _told == 0 && _sinceMark == 0 && _onTheWay == 0 && count == 0;
                _told = count;
                return _isForgotten;
            }
        }
    }
}
