using System.Diagnostics;
using Eddy.Sandbox;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Pump;

/// <summary>
/// A thread that takes slices: reads a shard's line, starts the turns of its tenants, and commits those that have ended. Synchronous, with a
/// connection of its own. A shard is with one lane at a time.
/// </summary>
internal sealed class Lane(Pump pump, NpgsqlDataSource source, TurnRunner turns, PumpOptions options, PumpMeters meters, TimeProvider time, ILogger log, CancellationToken stop)
    : IDisposable
{
    /// <summary>Between two tries to reach the database.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private NpgsqlConnection? _connection;

    public void Run()
    {
        while (pump.Next() is { } shard)
        {
            shard.Begin();
            var again = false;
            try
            {
                if (!shard.IsLost)
                {
                    again = Work(shard);
                }
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException or InvalidOperationException)
            {
                // Nothing was being committed: the line is where it was.
                Disconnect();
                log.LogWarning(fault, "A slice of shard {Shard} could not be read", shard.Shard);
                stop.WaitHandle.WaitOne(Pause);
                again = true;
            }
            catch (Exception fault)
            {
                log.LogError(fault, "A slice of shard {Shard} failed", shard.Shard);
                pump.AskLater(shard);
            }

            if (again)
            {
                shard.Ask();
            }

            if (shard.End())
            {
                pump.Queue(shard);
            }
        }
    }

    public void Dispose() => Disconnect();

    /// <summary>One slice. True where there is more to do at once.</summary>
    private bool Work(ShardLine shard)
    {
        Connect();
        var more = false;
        if (!shard.IsLeaving)
        {
            more = Start(shard);
        }

        var ended = new List<Turn>();
        while (shard.Finished.TryDequeue(out var turn))
        {
            ended.Add(turn);
        }

        if (ended.Count > 0)
        {
            shard.Running -= ended.Count;
            more |= Commit(shard, ended);
        }

        shard.Trim();
        if (shard is { IsLeaving: true, Running: 0 })
        {
            pump.Leave(shard);
            return false;
        }

        return more && !shard.IsLost;
    }

    /// <summary>Reads the line and starts turns; waits a little for them. True where the line had more than a slice holds.</summary>
    private bool Start(ShardLine shard)
    {
        var busy = shard.Tenants.Values.Where(line => line.IsRunning).Select(line => line.Tenant).ToHashSet();
        busy.UnionWith(Resting(shard));
        var owed = shard.MayOwe ? SliceReader.Owed(_connection!, shard.Shard) : [];
        shard.MayOwe = owed.Count > 0;
        owed.RemoveAll(cascade => busy.Contains(cascade.Tenant));
        var arrivals = Line(shard, busy, owed, out var more);
        if (arrivals.Count == 0 && owed.Count == 0)
        {
            return false;
        }

        var started = Turns(shard, owed, arrivals);
        shard.Running += started.Count;
        using var slice = new SliceWait(started.Count);
        foreach (var turn in started)
        {
            if (turn.Transcript is not null)
            {
                shard.Finished.Enqueue(turn);
                slice.Ended();
                continue;
            }

            turn.Line.IsRunning = true;
            _ = FinishAsync(shard, turn, slice);
        }

        slice.Wait(options.Grace, stop);
        return more;
    }

    /// <summary>Tenants whose turn could not be taken just now: the next try comes after a pause (<see cref="Pump.AskLater"/>), whatever else the shard has to do.</summary>
    private Dictionary<TenantId, long>.KeyCollection Resting(ShardLine shard)
    {
        foreach (var (tenant, since) in shard.Resting)
        {
            if (time.GetElapsedTime(since) >= options.Poll / 2)
            {
                shard.Resting.Remove(tenant);
            }
        }

        return shard.Resting.Keys;
    }

    private List<LineArrival> Line(ShardLine shard, HashSet<TenantId> busy, List<OwedCascade> owed, out bool more)
    {
        var without = busy.Concat(owed.Select(cascade => cascade.Tenant)).ToList();
        var limit = shard.Alone > 0 ? 1 : options.Slice;
        var line = SliceReader.Line(_connection!, shard.Shard, without, limit);
        more = line.Count == limit;
        if (more && limit > 1)
        {
            // Whoever fills the slice does not push out the others.
            var heavy = line.CountBy(arrival => arrival.Tenant).Where(tenant => tenant.Value > limit / 2).Select(tenant => tenant.Key).ToList();
            if (heavy.Count > 0)
            {
                line.AddRange(SliceReader.Line(_connection!, shard.Shard, without.Concat(line.Select(arrival => arrival.Tenant).Distinct()), limit / 2));
            }
        }

        return line;
    }

    private List<Turn> Turns(ShardLine shard, List<OwedCascade> owed, List<LineArrival> arrivals)
    {
        var owing = owed.ToDictionary(cascade => cascade.Tenant);
        var waiting = arrivals.GroupBy(arrival => arrival.Tenant).ToDictionary(tenant => tenant.Key, tenant => tenant.ToList());
        var tenants = owing.Keys.Concat(waiting.Keys).Distinct().ToList();
        try
        {
            SliceReader.Tenants(_connection!, [.. tenants.Where(tenant => !shard.Tenants.ContainsKey(tenant)).Select(shard.Tenant)]);
            var wanted = new HashSet<(TenantLine, long)>();
            foreach (var tenant in tenants)
            {
                Want(shard.Tenant(tenant), owing.GetValueOrDefault(tenant), waiting.GetValueOrDefault(tenant) ?? [], wanted);
            }

            SliceReader.State(_connection!, [.. wanted]);
        }
        catch
        {
            // What was read halfway would pass for a tenant without a past and for processes without KVPs.
            tenants.ForEach(tenant => shard.Tenants.Remove(tenant));
            throw;
        }

        var now = Microseconds(time.GetUtcNow().UtcDateTime);
        return tenants.ConvertAll(tenant => Turn(shard.Tenant(tenant), owing.GetValueOrDefault(tenant), waiting.GetValueOrDefault(tenant) ?? [], now));
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

    private Turn Turn(TenantLine line, OwedCascade? owed, List<LineArrival> arrivals, DateTime now)
    {
        var refused = new List<(LineArrival, string)>();
        var taken = new List<LineArrival>(arrivals.Count);
        Dictionary<long, (int Kvps, long Bytes)>? sizes = null;
        foreach (var arrival in arrivals)
        {
            if ((arrival.Fault ?? ProcessSize.Fault(line, arrival, ref sizes, options)) is { } fault)
            {
                refused.Add((arrival, fault));
            }
            else
            {
                taken.Add(arrival);
            }
        }

        var turn = new Turn(line, now > line.At ? now : line.At, owed, taken, refused);
        if (owed is null && !taken.Exists(arrival => line.MayWake(arrival.Set)))
        {
            turn.Transcript = TurnRunner.WakesNobody(taken.Count);
            turns.Unknow(turn);
        }

        return turn;
    }

    private async Task FinishAsync(ShardLine shard, Turn turn, SliceWait slice)
    {
        await Task.Run(() => turns.RunAsync(turn, stop), CancellationToken.None);
        shard.Finished.Enqueue(turn);
        if (!slice.Ended())
        {
            pump.Ask(shard);
        }
    }

    /// <summary>Commits the turns that ended. True where there is more to do at once.</summary>
    private bool Commit(ShardLine shard, List<Turn> ended)
    {
        foreach (var turn in ended)
        {
            turn.Line.IsRunning = false;
        }

        foreach (var turn in ended.Where(turn => turn.Transcript is null))
        {
            if (turn.Fault is not OperationCanceledException)
            {
                log.LogWarning(turn.Fault, "A turn of tenant {Tenant} could not be taken; it is tried again", turn.Line.Tenant);
            }

            shard.Tenants.Remove(turn.Line.Tenant);
            shard.Resting[turn.Line.Tenant] = time.GetTimestamp();
            shard.MayOwe = true;
            pump.AskLater(shard);
        }

        var applied = ended.FindAll(turn => turn.Transcript is not null);
        if (applied.Count == 0)
        {
            return false;
        }

        if (shard.Alone == 0)
        {
            return TryCommit(shard, applied);
        }

        foreach (var turn in applied)
        {
            shard.Alone = Math.Max(0, shard.Alone - 1);
            TryCommit(shard, [turn]);
        }

        return true;
    }

    private bool TryCommit(ShardLine shard, List<Turn> turnsEnded)
    {
        var started = Stopwatch.GetTimestamp();
        var rows = new SliceRows();
        var outcomes = new int[4];
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

            if (!Execute(shard, rows))
            {
                Forget(shard, turnsEnded);
                stop.WaitHandle.WaitOne(Pause);
                return true;
            }
        }
        catch (PostgresException lost) when (lost.SqlState == SliceCommit.LeaseLost)
        {
            log.LogWarning("The lease of shard {Shard} under epoch {Epoch} is lost", shard.Shard, shard.Epoch);
            Forget(shard, turnsEnded);
            pump.Lost(shard);
            return false;
        }
        catch (PostgresException stale) when (stale.SqlState == SliceCommit.OutOfDate)
        {
            log.LogError(stale, "What is known of {Turns} tenants of shard {Shard} does not hold; it is read again", turnsEnded.Count, shard.Shard);
            Forget(shard, turnsEnded);
            pump.AskLater(shard);
            return false;
        }
        catch (Exception refusal)
        {
            // The database will not have it, or it can not even be written down.
            log.LogError(refusal, "The commit of {Turns} turns of shard {Shard} was refused", turnsEnded.Count, shard.Shard);
            Forget(shard, turnsEnded);
            if (refusal is not PostgresException)
            {
                Disconnect();
                Connect();
            }

            return Isolate(shard, turnsEnded, refusal);
        }

        shard.Slice++;
        shard.MayOwe |= rows.Wakings.Tenants.Count > 0;
        meters.Committed(rows, turnsEnded, outcomes, Stopwatch.GetElapsedTime(started));
        // What a turn did not come to waits in the line.
        return shard.MayOwe || turnsEnded.Exists(turn => turn.Transcript!.ArrivalsTaken < turn.Arrivals.Count);
    }

    /// <summary>What is known of these tenants was not committed, and does not hold.</summary>
    private void Forget(ShardLine shard, List<Turn> turnsEnded)
    {
        shard.MayOwe = true;
        shard.Drop(turnsEnded);
        turnsEnded.ForEach(turns.Drop);
    }

    /// <summary>Commits. False where it turned out, after a lost answer, that nothing was written.</summary>
    private bool Execute(ShardLine shard, SliceRows rows)
    {
        try
        {
            SliceCommit.Execute(_connection!, pump.Worker, shard, rows);
            return true;
        }
        catch (Exception fault) when (fault is NpgsqlException and not PostgresException or TimeoutException or IOException
            || fault is PostgresException refusal && IsPassing(refusal))
        {
            log.LogWarning(fault, "The answer to a commit of shard {Shard} was lost", shard.Shard);
            return WasCommitted(shard);
        }
    }

    /// <summary>Asks until the database answers whether the last slice was committed.</summary>
    private bool WasCommitted(ShardLine shard)
    {
        while (true)
        {
            Disconnect();
            try
            {
                Connect();
                using var read = new NpgsqlCommand("select last_slice($1, $2, $3)", _connection);
                read.Parameters.Add(new() { Value = pump.Worker });
                read.Parameters.Add(new() { Value = shard.Shard });
                read.Parameters.Add(new() { Value = shard.Epoch });
                if (read.ExecuteScalar() is not long last)
                {
                    pump.Lost(shard);
                    return false;
                }

                return last == shard.Slice + 1;
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException or InvalidOperationException)
            {
                if (stop.WaitHandle.WaitOne(Pause))
                {
                    // Whoever takes the shard next reads what is there.
                    pump.Lost(shard);
                    return false;
                }
            }
        }
    }

    /// <summary>
    /// What the database refuses is tried again one arrival at a time; what alone can not be applied is put aside with the reason, so that it does not hold up
    /// its tenant for good.
    /// </summary>
    private bool Isolate(ShardLine shard, List<Turn> refusedTurns, Exception refusal)
    {
        var arrivals = refusedTurns.Sum(turn => turn.Arrivals.Count);
        if (refusedTurns.Count > 1 || arrivals > 1 || (refusedTurns[0].Owed is not null && arrivals > 0))
        {
            shard.Alone = Math.Max(1, arrivals);
            return true;
        }

        var turn = refusedTurns[0];
        var line = new TenantLine(turn.Line.Tenant);
        SliceReader.Tenants(_connection!, [line]);
        var reason = refusal is PostgresException said ? $"The database refused it: {said.MessageText}" : $"It could not be written down: {refusal.Message}";
        var aside = turn.Owed is { } owed
            ? new Turn(line, turn.At, owed, [], [])
            {
                TreeVersion = turn.TreeVersion,
                Transcript = new Transcript([.. owed.Runs.Select(run => RefusedRun(run, reason))], 0, []),
            }
            : new Turn(line, turn.At, null, [], [.. turn.Arrivals.Select(arrival => (arrival, reason))]) { Transcript = TurnRunner.WakesNobody(0) };
        return TryCommit(shard, [aside]);
    }

    private static RunEnded RefusedRun(OwedRun run, string reason) => new(
        run.Rule, run.Pid, -1, run.Set[0].Position, run.Generation, RunOutcome.Failed, [], null, new RunError("Refused", reason, null, null, null), TimeSpan.Zero, TimeSpan.Zero);

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
        // Statements prepared while the tables are empty would scan for ever after (docs/operations.md, "The pump's connections").
        using var set = new NpgsqlCommand("set jit = off; set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off", _connection);
        set.ExecuteNonQuery();
    }

    private void Disconnect()
    {
        _connection?.Dispose();
        _connection = null;
    }
}
