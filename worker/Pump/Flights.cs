using Eddy.Kvps;
using Eddy.Sandbox;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Pump;

/// <summary>
/// What a lane does for runs beside the line (<see cref="Flight"/>): finds those that left, lets them take off, and judges whether what they bring back may land. A flight lands
/// if nothing that it read has changed since it took off; else it takes off again, its calls answered from the record. After three conflicts the tenant's line waits for it, as
/// long as it needs no answer that is not on record; after twelve it waits whatever it needs.
/// </summary>
internal sealed class Flights(Pump pump, FlightRunner runner, SandboxOptions limits, PumpOptions options, TimeProvider time, ILogger log)
{
    /// <summary>After so many conflicts the line waits for answers on record.</summary>
    private const int MostConflicts = 3;

    /// <summary>After so many it waits for the call itself: what is called out with changes all the time.</summary>
    private const int HopelessConflicts = 12;

    /// <summary>Takes in what left the line, and what came back. Reads tenants that are not known yet.</summary>
    public void Collect(NpgsqlConnection connection, List<ShardLine> shards)
    {
        var asking = shards.FindAll(shard => shard.MayBeBeside);
        if (asking.Count > 0)
        {
            Read(connection, asking);
        }

        foreach (var shard in shards)
        {
            while (shard.Landed.TryDequeue(out var flight))
            {
                Return(shard, flight);
            }
        }
    }

    /// <summary>Tenants that wait for a flight.</summary>
    public static IEnumerable<TenantId> Held(ShardLine shard) => shard.Aloft.Where(line => line.IsHeld).Select(line => line.Tenant);

    public static bool IsBack(TenantLine line) => line.Flights.Exists(flight => flight.State == FlightState.Landed);

    /// <summary>The flights of a tenant that may land now, in the order of their leaving. The others take off again, or wait for a later slice.</summary>
    public List<(Flight Flight, Landing Landing)> Land(TenantLine line)
    {
        var landings = new List<(Flight, Landing)>();
        var changed = new Dictionary<(long Pid, string Key), string?>();
        Dictionary<long, (int Kvps, long Bytes)>? sizes = null;
        foreach (var flight in line.Flights.Where(flight => flight.State == FlightState.Landed))
        {
            var result = flight.Result!;
            if (result.Reads is { } reads)
            {
                if (line.HasChanged(reads, flight.Snapshot) || line.HasSaved(reads, flight.Saves))
                {
                    (flight.State, flight.IsAwaited) = (FlightState.Waiting, ++flight.Conflicts >= MostConflicts);
                    continue;
                }

                if (reads.Overlaps(changed.Keys) || changed.Count > 0 && reads.Contains(BesideEnded.Everything))
                {
                    // Whether it may land is judged once those before it are in force.
                    continue;
                }
            }

            var ended = result.Ended is { } run ? run with { Changes = run.Error is null ? Different(line, run.Changes, changed) : run.Changes, Calls = flight.Calls.Trail.Records } : null;
            if (ended is not null && Overflow(line, ended.Changes, ref sizes) is { } fault)
            {
                var error = new RunError("ValueError", fault, null, null, null);
                ended = ended with { Outcome = RunOutcome.Failed, Changes = flight.Run.IsQuiet ? [] : error.SaidIn(ended.Pid, ended.Rule), Effects = [], Error = error };
            }

            foreach (var change in ended?.Changes ?? [])
            {
                changed[(change.Pid, change.Key)] = change.Value;
            }

            foreach (var file in ended?.Effects.OfType<FileSaved>() ?? [])
            {
                changed[(BesideEnded.Files, file.Path)] = null;
            }

            landings.Add((flight, new Landing(flight.Run, ended)));
        }

        return landings;
    }

    /// <summary>The processes that have to be known for flights of this tenant to take off or to land.</summary>
    public static IEnumerable<long> Wanted(TenantLine line) => line.Flights.Where(flight => flight.State != FlightState.Flying)
        .SelectMany(flight => flight.Result?.Ended is { } run ? run.Changes.Select(change => change.Pid).Concat(run.Effects.Select(effect => effect.Pid)).Append(flight.Run.Pid) : [flight.Run.Pid]).Append(0).Distinct();

    /// <summary>Lets take off what may: the first of each rule and process, as many as the tenant may have.</summary>
    public void TakeOff(ShardLine shard, TenantLine line)
    {
        foreach (var flight in Ready(line))
        {
            flight.State = FlightState.Flying;
            (flight.Snapshot, flight.Saves) = (line.Position, line.Saves);
            flight.Begin();
            line.Watch(flight.Run.Pid);
            line.Watch(0);
            flight.Control = CancellationTokenSource.CreateLinkedTokenSource(shard.Held.Token);
            var state = new Dictionary<long, IReadOnlyDictionary<string, string>>
            {
                [0] = new Dictionary<string, string>(line.State(0), StringComparer.Ordinal),
                [flight.Run.Pid] = new Dictionary<string, string>(line.State(flight.Run.Pid), StringComparer.Ordinal),
            };
            _ = FlyAsync(shard, line, flight, new BesideRun(flight.Run, new DateTimeOffset(line.At), state));
        }

        if (line.Flights.Count == 0)
        {
            line.Unwatch();
            shard.Aloft.Remove(line);
        }
    }

    private static void Read(NpgsqlConnection connection, List<ShardLine> shards)
    {
        var byNumber = shards.ToDictionary(shard => shard.Shard);
        var flights = SliceReader.Beside(connection, shards);
        var unknown = flights.Select(flight => flight.Tenant).Distinct().Where(tenant => !byNumber[tenant.Shard].Knows(tenant)).ToList();
        var lines = unknown.ConvertAll(tenant => new TenantLine(tenant));
        SliceReader.Tenants(connection, lines);
        lines.ForEach(line => byNumber[line.Tenant.Shard].Meet(line));
        foreach (var flight in flights)
        {
            var shard = byNumber[flight.Tenant.Shard];
            var line = shard.Tenant(flight.Tenant);
            shard.Aloft.Add(line);
            if (line.Flights.Find(known => known.Waking == flight.Waking) is { } known)
            {
                known.TreeVersion = Math.Max(known.TreeVersion, flight.TreeVersion);
            }
            else
            {
                line.Flights.Add(flight);
            }
        }

        foreach (var shard in shards)
        {
            shard.MayBeBeside = false;
            foreach (var line in shard.Aloft)
            {
                line.Left.Clear();
            }
        }
    }

    private void Return(ShardLine shard, Flight flight)
    {
        flight.Control?.Dispose();
        flight.Control = null;
        if (flight.Fault is null)
        {
            flight.State = FlightState.Landed;
            return;
        }

        if (flight.Fault is not OperationCanceledException)
        {
            log.LogWarning(flight.Fault, "A run of tenant {Tenant} beside the line could not be done; it is tried again", flight.Tenant);
        }

        flight.State = FlightState.Waiting;
        flight.NotBefore = time.GetTimestamp() + (long)(options.Retry.TotalSeconds * time.TimestampFrequency);
        pump.AskLater(shard);
    }

    private async Task FlyAsync(ShardLine shard, TenantLine line, Flight flight, BesideRun run)
    {
        await runner.RunAsync(flight, line.Tree, line.TimeZone, run, Missed, flight.Control!.Token);
        shard.Landed.Enqueue(flight);
        pump.Ask(shard);

        void Missed()
        {
            if (flight.IsAwaited && flight.Conflicts < HopelessConflicts)
            {
                flight.IsAwaited = false;
                pump.Ask(shard);
            }
        }
    }

    private List<Flight> Ready(TenantLine line)
    {
        var room = limits.TenantBeside - line.Flights.Count(flight => flight.State == FlightState.Flying);
        var taken = new HashSet<(string, long)>();
        var ready = new List<Flight>();
        foreach (var flight in line.Flights)
        {
            if (taken.Add((flight.Run.Rule, flight.Run.Pid)) && room > 0 && flight.State == FlightState.Waiting && flight.NotBefore <= time.GetTimestamp())
            {
                ready.Add(flight);
                room--;
            }
        }

        return ready;
    }

    /// <summary>Setting a KVP to what it is already is no event.</summary>
    private static List<PidChange> Different(TenantLine line, IReadOnlyList<PidChange> changes, Dictionary<(long Pid, string Key), string?> changed) =>
        [.. changes.Where(change => (changed.TryGetValue((change.Pid, change.Key), out var value) ? value : line.State(change.Pid).GetValueOrDefault(change.Key)) != change.Value)];

    private string? Overflow(TenantLine line, IReadOnlyList<PidChange> changes, ref Dictionary<long, (int Kvps, long Bytes)>? sizes)
    {
        foreach (var pid in changes.Select(change => change.Pid).Distinct().ToList())
        {
            if (ProcessSize.Fault(line, pid, [.. changes.Where(change => change.Pid == pid).Select(change => new Change(change.Key, change.Value))], ref sizes, options) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }
}
