using System.Diagnostics;
using Eddy.Endpoints;
using Eddy.Sandbox;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Pump;

/// <summary>
/// A thread that takes slices: reads the line of the shards where something waits, starts the turns of its tenants, and commits those that have ended. Synchronous, with a
/// connection of its own. A shard is with one lane at a time.
/// </summary>
internal sealed class Lane(Pump pump, ShardQueue queue, NpgsqlDataSource source, TurnRunner turns, Flights flights, PumpOptions options, PumpMeters meters, TimeProvider time, ILogger log, CancellationToken stop)
    : IDisposable
{
    /// <summary>Between two tries to reach the database.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>However many shards a slice has, so many arrivals of each.</summary>
    private const int LeastOfShard = 16;

    /// <summary>Of a flood so many are taken at a time: whoever comes meanwhile finds a processor that much sooner.</summary>
    private const int SliceOfFlood = 100;

    /// <summary>With fewer arrivals than this a shard holds up nobody.</summary>
    private const int Crowd = 32;

    /// <summary>However long a slice of a flood took.</summary>
    private static readonly TimeSpan LongestRest = TimeSpan.FromMilliseconds(50);

    private readonly AutoResetEvent _wake = new(false);
    private readonly Requests _requests = new(options, time);
    private int _taken;
    private NpgsqlConnection? _connection;

    public void Run()
    {
        while (queue.Take(_wake) is { } shards)
        {
            shards.ForEach(shard => shard.Begin());
            var rest = TimeSpan.Zero;
            try
            {
                rest = Work(shards);
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException or InvalidOperationException)
            {
                // Nothing was being committed: the line is where it was.
                Disconnect();
                log.LogWarning(fault, "A slice of shards {Shards} could not be read", string.Join(", ", shards.Select(shard => shard.Shard)));
                stop.WaitHandle.WaitOne(Pause);
                shards.ForEach(shard => shard.HasMore = true);
            }
            catch (Exception fault)
            {
                log.LogError(fault, "A slice of shards {Shards} failed", string.Join(", ", shards.Select(shard => shard.Shard)));
                shards.ForEach(pump.AskLater);
            }

            foreach (var shard in shards)
            {
                if (shard is { HasMore: true, IsLost: false })
                {
                    shard.Ask();
                }

                if (shard.End())
                {
                    AddAfter(rest, shard);
                }
            }
        }
    }

    private void AddAfter(TimeSpan rest, ShardLine shard)
    {
        if (rest == TimeSpan.Zero)
        {
            queue.Add(shard);
        }
        else
        {
            _ = Task.Delay(rest, time, stop).ContinueWith(_ => queue.Add(shard), TaskScheduler.Default);
        }
    }

    public void Dispose()
    {
        Disconnect();
        _wake.Dispose();
    }

    /// <summary>Returns how long these shards shall rest before they come again.</summary>
    private TimeSpan Work(List<ShardLine> shards)
    {
        var started = time.GetTimestamp();
        var (isHeavy, before) = (shards is [{ IsHeavy: true }], _taken);
        Connect();
        shards.ForEach(shard => shard.HasMore = false);
        var held = shards.FindAll(shard => !shard.IsLost);
        foreach (var shard in held.Where(shard => shard.Alone > 0))
        {
            Slice([shard]);
        }

        Slice(held.FindAll(shard => shard.Alone == 0));
        foreach (var shard in held)
        {
            shard.Trim();
            if (shard is { IsLeaving: true, Running: 0 })
            {
                pump.Leave(shard);
            }
        }

        return queue.Took(_taken - before, isHeavy) && isHeavy
            ? TimeSpan.FromTicks(Math.Min(time.GetElapsedTime(started).Ticks, LongestRest.Ticks))
            : TimeSpan.Zero;
    }

    /// <summary>One slice of these shards: commits what has ended since the last one, takes what waits, and commits what of that ends soon.</summary>
    private void Slice(List<ShardLine> shards)
    {
        CommitEnded(shards);
        if (shards.FindAll(shard => !shard.IsLeaving && !shard.IsLost) is { Count: > 0 } open)
        {
            Start(open);
            CommitEnded(shards);
        }
    }

    private void CommitEnded(List<ShardLine> shards)
    {
        var ended = new List<Turn>();
        foreach (var shard in shards)
        {
            while (shard.Finished.TryDequeue(out var turn))
            {
                shard.Running--;
                ended.Add(turn);
            }
        }

        if (ended.Count == 0)
        {
            return;
        }

        try
        {
            Commit(ended);
        }
        catch
        {
            // Their cells have gone on, and what did not come to its commit is run again.
            Forget(ended);
            throw;
        }
    }

    /// <summary>Reads the line and starts turns; waits a little for them.</summary>
    private void Start(List<ShardLine> shards)
    {
        flights.Collect(_connection!, shards);
        var busy = new HashSet<TenantId>();
        foreach (var shard in shards)
        {
            busy.UnionWith(shard.Busy.Select(line => line.Tenant));
            busy.UnionWith(Resting(shard));
            busy.UnionWith(Flights.Held(shard));
        }

        var owing = shards.FindAll(shard => shard.MayOwe);
        var owed = owing.Count > 0 ? SliceReader.Owed(_connection!, owing) : [];
        owing.ForEach(shard => shard.MayOwe = false);
        var byNumber = shards.ToDictionary(shard => shard.Shard);
        owed.ForEach(cascade => byNumber[cascade.Tenant.Shard].MayOwe = true);
        owed.RemoveAll(cascade => busy.Contains(cascade.Tenant));
        var arrivals = Line(shards, busy, owed);
        var aloft = shards.SelectMany(shard => shard.Aloft.Where(line => !shard.Busy.Contains(line) && !shard.Resting.ContainsKey(line.Tenant)).Select(line => (shard, line))).ToList();
        if (arrivals.Count == 0 && owed.Count == 0 && aloft.Count == 0)
        {
            return;
        }

        var started = Turns(byNumber, owed, arrivals, aloft);
        if (started.Count == 0)
        {
            return;
        }

        using var slice = new SliceWait(started.Count);
        foreach (var turn in started)
        {
            turn.Shard.Running++;
            if (turn.Transcript is not null)
            {
                turn.Shard.Finished.Enqueue(turn);
                slice.Ended();
                continue;
            }

            turn.Shard.Busy.Add(turn.Line);
            _ = FinishAsync(turn, slice);
        }

        slice.Wait(options.Grace, stop);
    }

    /// <summary>Tenants whose turn could not be taken just now: the next try comes after a pause (<see cref="Pump.AskLater"/>), whatever else the shard has to do.</summary>
    private Dictionary<TenantId, long>.KeyCollection Resting(ShardLine shard)
    {
        foreach (var (tenant, since) in shard.Resting)
        {
            if (time.GetElapsedTime(since) >= options.Retry / 2)
            {
                shard.Resting.Remove(tenant);
            }
        }

        return shard.Resting.Keys;
    }

    private List<LineArrival> Line(List<ShardLine> shards, HashSet<TenantId> busy, List<OwedCascade> owed)
    {
        var without = busy.Concat(owed.Select(cascade => cascade.Tenant)).ToList();
        var limit = shards is [{ Alone: > 0 }] ? 1 : shards is [{ IsHeavy: true }] && queue.IsFlood ? Math.Min(SliceOfFlood, options.Slice) : Math.Max(LeastOfShard, options.Slice / shards.Count);
        shards.ForEach(shard => shard.Waiting.RemoveWhere(line => !_requests.IsWaitedFor(line)));
        var held = shards.SelectMany(shard => shard.Waiting).Select(line => line.Tenant).ToList();
        var line = SliceReader.Line(_connection!, shards, without, held, limit);
        if (shards is [{ Alone: > 0 }])
        {
            // A commit with it was refused: what is there is read, and not taken for granted.
            line = line.ConvertAll(arrival => arrival with { Fresh = false });
        }

        if (limit == 1 && line.Count > 1)
        {
            // Requests come beside the rest, and what is to stand alone would not.
            shards.ForEach(shard => shard.HasMore = true);
            line.RemoveRange(1, line.Count - 1);
        }

        if (line.Count >= Math.Min(limit, Crowd))
        {
            var counts = line.CountBy(arrival => arrival.Tenant.Shard).ToDictionary();
            shards.ForEach(shard => shard.HasMore |= counts.GetValueOrDefault(shard.Shard) == limit);
            // Whoever brings more than all others together goes alone from now on, or their commit would wait for its rows.
            shards.ForEach(shard => shard.IsHeavy = shard.HasMore || (counts.GetValueOrDefault(shard.Shard) is var own && own >= Crowd && own > line.Count / 2));
        }
        else
        {
            shards.ForEach(shard => shard.IsHeavy = false);
        }

        if (shards is [{ HasMore: true, Alone: 0 }] && line.CountBy(arrival => arrival.Tenant).Any(tenant => tenant.Value > limit / 2))
        {
            // Whoever fills the slice does not push out the others.
            line.AddRange(SliceReader.Line(_connection!, shards, without.Concat(line.Select(arrival => arrival.Tenant).Distinct()), held, limit / 2));
        }

        _taken += line.Count;
        return line;
    }

    private List<Turn> Turns(Dictionary<short, ShardLine> shards, List<OwedCascade> owed, List<LineArrival> arrivals, List<(ShardLine Shard, TenantLine Line)> aloft)
    {
        var owing = owed.ToDictionary(cascade => cascade.Tenant);
        var waiting = arrivals.GroupBy(arrival => arrival.Tenant).ToDictionary(tenant => tenant.Key, tenant => tenant.ToList());
        var tenants = owing.Keys.Concat(waiting.Keys).Concat(aloft.Where(one => Flights.IsBack(one.Line)).Select(one => one.Line.Tenant)).Distinct().ToList();
        var lines = new Dictionary<TenantId, TenantLine>(tenants.Count);
        HashSet<Guid> outdated;
        try
        {
            var unknown = tenants.FindAll(tenant => !shards[tenant.Shard].Knows(tenant));
            tenants.ForEach(tenant => lines[tenant] = shards[tenant.Shard].Tenant(tenant));
            SliceReader.Tenants(_connection!, unknown.ConvertAll(tenant => lines[tenant]));
            var wanted = new HashSet<(TenantLine, long)>();
            foreach (var (tenant, line) in lines)
            {
                Want(line, owing.GetValueOrDefault(tenant), waiting.GetValueOrDefault(tenant) ?? [], wanted);
            }

            foreach (var (_, line) in aloft)
            {
                wanted.UnionWith(Flights.Wanted(line).Where(pid => !line.Knows(pid)).Select(pid => (line, pid)));
            }

            foreach (var call in arrivals.Where(arrival => arrival.Call is not null))
            {
                wanted.UnionWith(Requests.Wanted(call.Call!).Where(pid => !lines[call.Tenant].Knows(pid)).Select(pid => (lines[call.Tenant], pid)));
            }

            SliceReader.State(_connection!, [.. wanted]);
            outdated = SliceReader.Conflicts(_connection!, arrivals.FindAll(arrival => arrival.Call is { } call && (call.Snapshot < lines[arrival.Tenant].Position || call.Reads.Any(read => read.Pid == BesideEnded.Files))));
        }
        catch
        {
            // What was read halfway would pass for a tenant without a past and for processes without KVPs.
            foreach (var line in lines.Values.Concat(aloft.Select(one => one.Line)).Distinct())
            {
                shards[line.Tenant.Shard].Forget(line);
            }

            throw;
        }

        var now = Microseconds(time.GetUtcNow().UtcDateTime);
        var turnsOfSlice = new List<Turn>(tenants.Count);
        foreach (var tenant in tenants)
        {
            var line = lines[tenant];
            var owes = owing.GetValueOrDefault(tenant);
            var landings = owes is null && line.Flights.Count > 0 ? flights.Land(line) : [];
            var others = waiting.GetValueOrDefault(tenant) ?? [];
            var calls = others.FindAll(arrival => arrival.Call is not null);
            others.RemoveAll(calls.Contains);
            var verdict = calls.Count > 0 && owes is null ? _requests.Judge(line, calls, outdated, landings) : new([], [], []);
            if (line.Waits is not null)
            {
                // What waits comes when the line goes on, should the one that it waits for never come.
                shards[tenant.Shard].Waiting.Add(line);
                pump.AskAfter(shards[tenant.Shard], EndpointLanding.MostHeld);
            }

            shards[tenant.Shard].HasMore |= calls.Count > 0 && owes is not null;
            if (owes is not null || landings.Count > 0 || others.Count + calls.Count > 0)
            {
                turnsOfSlice.Add(Turn(shards[tenant.Shard], line, owes, others, [.. landings, .. verdict.Landings], verdict, now));
            }
        }

        aloft.ForEach(one => flights.TakeOff(one.Shard, one.Line));
        return turnsOfSlice;
    }

    /// <summary>Notes what the turn needs to know and does not.</summary>
    private static void Want(TenantLine line, OwedCascade? owed, List<LineArrival> arrivals, HashSet<(TenantLine, long)> wanted)
    {
        if (line.IsFull)
        {
            line.Forget();
        }

        var version = Math.Max(owed?.TreeVersion ?? 0, arrivals.Count > 0 ? arrivals.Max(arrival => arrival.TreeVersion) : 0);
        if (version == 0)
        {
            line.Wakes = (0, new HashSet<string>());
        }
        else if (line.Tree is { } tree && tree.Version < version)
        {
            line.Tree = null;
        }

        if (line.Wakes is { } wakes && wakes.Version < version)
        {
            line.Wakes = null;
        }

        foreach (var arrival in arrivals)
        {
            if (arrival.Fresh)
            {
                line.State(arrival.Set.Pid);
            }
            else if (arrival.Call is not null)
            {
                // The process in which what it shares wakes rules is new.
                line.State(arrival.Set.WakePid);
            }
            else if (!line.Knows(arrival.Set.Pid))
            {
                wanted.Add((line, arrival.Set.Pid));
            }
        }

        foreach (var run in owed?.Runs ?? [])
        {
            if (!line.Knows(run.Pid))
            {
                wanted.Add((line, run.Pid));
            }
        }

        if (!line.Knows(0) && (owed is not null || arrivals.Any(arrival => line.MayWake(arrival.Set))))
        {
            wanted.Add((line, 0));
        }
    }

    private Turn Turn(
        ShardLine shard, TenantLine line, OwedCascade? owed, List<LineArrival> arrivals, List<(Flight Flight, Landing Landing)> landings, Requests.Verdict requests, DateTime now)
    {
        var refused = new List<(LineArrival, string)>(requests.Refused);
        var taken = new List<LineArrival>(arrivals.Count);
        Dictionary<long, (int Kvps, long Bytes)>? sizes = null;
        foreach (var arrival in arrivals)
        {
            if ((arrival.Fault ?? ProcessSize.Fault(line, arrival.Set.Pid, arrival.Set.Changes, ref sizes, options)) is { } fault)
            {
                refused.Add((arrival, fault));
            }
            else
            {
                taken.Add(arrival);
            }
        }

        var turn = new Turn(shard, line, now > line.At ? now : line.At, owed, taken, refused) { Landings = landings, Conflicts = requests.Conflicts };
        if (owed is null && landings.Count == 0 && !taken.Exists(arrival => line.MayWake(arrival.Set)))
        {
            turn.Transcript = TurnRunner.WakesNobody(taken.Count);
            turns.Unknow(turn);
        }

        return turn;
    }

    private async Task FinishAsync(Turn turn, SliceWait slice)
    {
        // As far as the cell's socket on this thread: a hop to another costs more than the writing.
        await turns.RunAsync(turn, stop);
        turn.Shard.Finished.Enqueue(turn);
        if (!slice.Ended())
        {
            pump.Ask(turn.Shard);
        }
    }

    /// <summary>Commits the turns that ended.</summary>
    private void Commit(List<Turn> ended)
    {
        ended.ForEach(turn => turn.Shard.Busy.Remove(turn.Line));
        foreach (var turn in ended.Where(turn => turn.Transcript is null))
        {
            if (turn.Fault is not OperationCanceledException)
            {
                log.LogWarning(turn.Fault, "A turn of tenant {Tenant} could not be taken; it is tried again", turn.Line.Tenant);
            }

            turn.Shard.Forget(turn.Line);
            turn.Shard.Resting[turn.Line.Tenant] = time.GetTimestamp();
            turn.Shard.MayOwe = true;
            pump.AskLater(turn.Shard);
        }

        var applied = ended.FindAll(turn => turn.Transcript is not null);
        var alone = applied.FindAll(turn => turn.Shard.Alone > 0);
        foreach (var turn in alone)
        {
            turn.Shard.Alone = Math.Max(0, turn.Shard.Alone - 1);
            turn.Shard.HasMore = true;
            TryCommit([turn]);
        }

        applied.RemoveAll(alone.Contains);
        if (applied.Count > 0)
        {
            TryCommit(applied);
        }
    }

    private void TryCommit(List<Turn> turnsEnded)
    {
        var started = Stopwatch.GetTimestamp();
        var rows = new SliceRows();
        var outcomes = new int[4];
        var shards = turnsEnded.Select(turn => turn.Shard).Distinct().ToList();
        try
        {
            foreach (var turn in turnsEnded)
            {
                var counts = Fold.Into(rows, turn);
                for (var i = 0; i < outcomes.Length; i++)
                {
                    outcomes[i] += counts[i];
                }
            }

            if (!Execute(shards, rows))
            {
                Forget(turnsEnded);
                stop.WaitHandle.WaitOne(Pause);
                return;
            }
        }
        catch (PostgresException lost) when (lost.SqlState == SliceCommit.LeaseLost)
        {
            log.LogWarning("A lease of shards {Shards} is lost: {Message}", string.Join(", ", shards.Select(shard => shard.Shard)), lost.MessageText);
            Forget(turnsEnded);
            // Those of them that are still held come back with the next claim, and are read anew.
            shards.ForEach(pump.Forget);
            pump.ClaimSoon();
            return;
        }
        catch (PostgresException stale) when (stale.SqlState == SliceCommit.OutOfDate)
        {
            log.LogError(stale, "What is known of {Turns} tenants does not hold; it is read again", turnsEnded.Count);
            Forget(turnsEnded);
            shards.ForEach(shard => shard.HasMore = false);
            shards.ForEach(pump.AskLater);
            return;
        }
        catch (Exception refusal)
        {
            // The database will not have it, or it can not even be written down.
            log.LogError(refusal, "The commit of {Turns} turns was refused", turnsEnded.Count);
            Forget(turnsEnded);
            if (refusal is not PostgresException)
            {
                Disconnect();
                Connect();
            }

            Isolate(turnsEnded, refusal);
            return;
        }

        shards.ForEach(shard => shard.Slice++);
        foreach (var turn in turnsEnded)
        {
            turn.Shard.MayOwe |= turn.Transcript!.Owed.Count > 0;
            // What a turn did not come to waits in the line.
            turn.Shard.HasMore |= turn.Shard.MayOwe || turn.Shard.MayBeBeside || turn.Landings.Count > 0 || turn.Transcript.ArrivalsTaken < turn.Arrivals.Count;
        }

        meters.Committed(rows, turnsEnded, outcomes, Stopwatch.GetElapsedTime(started));
    }

    /// <summary>What is known of these tenants was not committed, and does not hold.</summary>
    private void Forget(List<Turn> turnsEnded)
    {
        foreach (var turn in turnsEnded)
        {
            (turn.Shard.MayOwe, turn.Shard.HasMore) = (true, true);
            turn.Shard.Forget(turn.Line);
            turns.Drop(turn);
        }
    }

    /// <summary>Commits. False where it turned out, after a lost answer, that nothing was written.</summary>
    private bool Execute(List<ShardLine> shards, SliceRows rows)
    {
        try
        {
            pump.Watched.Tell(rows);
            SliceCommit.Execute(_connection!, pump.Worker, shards, rows);
            return true;
        }
        catch (Exception fault) when (fault is NpgsqlException and not PostgresException or TimeoutException or IOException
            || fault is PostgresException refusal && IsPassing(refusal))
        {
            log.LogWarning(fault, "The answer to a commit was lost");
            return WasCommitted(shards);
        }
    }

    /// <summary>Asks until the database answers whether the last slice was committed. One shard tells of all, for it was one transaction.</summary>
    private bool WasCommitted(List<ShardLine> shards)
    {
        while (true)
        {
            Disconnect();
            try
            {
                Connect();
                using var read = new NpgsqlCommand("select last_slice($1, $2, $3)", _connection);
                read.Parameters.Add(new() { Value = pump.Worker });
                read.Parameters.Add(new() { Value = shards[0].Shard });
                read.Parameters.Add(new() { Value = shards[0].Epoch });
                if (read.ExecuteScalar() is long last)
                {
                    return last == shards[0].Slice + 1;
                }
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException or InvalidOperationException)
            {
                if (!stop.WaitHandle.WaitOne(Pause))
                {
                    continue;
                }
            }

            // Whoever takes the shards next reads what is there.
            shards.ForEach(pump.Lost);
            pump.ClaimSoon();
            return false;
        }
    }

    /// <summary>
    /// What the database refuses is tried again one arrival at a time; what alone can not be applied is put aside with the reason, so that it does not hold up
    /// its tenant for good.
    /// </summary>
    private void Isolate(List<Turn> refusedTurns, Exception refusal)
    {
        var arrivals = refusedTurns.Sum(turn => turn.Taken.Count());
        if (refusedTurns.Count > 1 || arrivals > 1 || (refusedTurns[0].Owed is not null && arrivals > 0))
        {
            foreach (var shard in refusedTurns.GroupBy(turn => turn.Shard))
            {
                shard.Key.Alone = Math.Max(1, shard.Sum(turn => turn.Taken.Count()));
            }

            return;
        }

        var turn = refusedTurns[0];
        var line = new TenantLine(turn.Line.Tenant);
        SliceReader.Tenants(_connection!, [line]);
        var reason = refusal is PostgresException said ? $"The database refused it: {said.MessageText}" : $"It could not be written down: {refusal.Message}";
        var aside = turn.Owed is { } owed
            ? new Turn(turn.Shard, line, turn.At, owed, [], [])
            {
                TreeVersion = turn.TreeVersion,
                Transcript = new Transcript([.. owed.Runs.Select(run => RefusedRun(run, reason))], 0, []),
            }
            : new Turn(turn.Shard, line, turn.At, null, [], [.. turn.Taken.Select(arrival => (arrival, reason))]) { Transcript = TurnRunner.WakesNobody(0) };
        TryCommit([aside]);
    }

    private static RunEnded RefusedRun(OwedRun run, string reason) => new(
        run.Rule, run.Pid, -1, run.SetPosition, run.Generation, RunOutcome.Failed, [], null, new RunError("Refused", reason, null, null, null), TimeSpan.Zero, TimeSpan.Zero)
    {
        Woken = LeftRun.Of(run),
    };

    private static bool IsPassing(PostgresException fault) =>
        fault.IsTransient || fault.SqlState.StartsWith("57", StringComparison.Ordinal) || fault.SqlState.StartsWith("08", StringComparison.Ordinal);

    /// <summary>As the database keeps it.</summary>
    private static DateTime Microseconds(DateTime at) => new(at.Ticks - (at.Ticks % TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc);

    private void Connect()
    {
        if (_connection is not null)
        {
            return;
        }

        _connection = source.OpenConnection();
        // Statements prepared while the tables are empty would scan for ever after (docs/operations.md, "Plans").
        using var set = new NpgsqlCommand("set enable_bitmapscan = off; set enable_sort = off", _connection);
        set.ExecuteNonQuery();
    }

    private void Disconnect()
    {
        _connection?.Dispose();
        _connection = null;
    }
}
