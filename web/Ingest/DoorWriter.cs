using System.Diagnostics;
using Eddy.Tenants;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Ingest;

/// <summary>
/// A thread that writes arrivals: it takes all that waits and commits it together, so that throughput is not one fsync a request. A node has two, one of them for
/// tenants with many arrivals in the line (<see cref="Backlog.GoesApart"/>). Synchronous, for a thread of its own is faster at this than the pool. After a commit whose answer was lost, the door's row tells whether it happened.
/// <para>
/// A flush of nothing but <see cref="DoorRequest.IsWaitedFor">requests that are waited for</see> does not wait for the disk (<c>synchronous_commit</c> off): the commit of what they come to has its
/// place behind it in the write-ahead log, so that what is answered is on disk. Until then they are kept here: a database that broke off may have lost them, which the door's row
/// tells as well, and they are written again. Whoever is answered earlier asks for <see cref="MakeDurableAsync"/> first.
/// </para>
/// </summary>
internal sealed class DoorWriter(string name, NpgsqlDataSource source, DoorOptions options, TimeProvider time, DoorMeters meters, ILogger<DoorWriter> log) : IDisposable
{
    /// <summary>A wake-up of the pumps at most this often, unless somebody waits.</summary>
    private static readonly TimeSpan NotifyEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>A flush waits this long for half as many requests as the last one had.</summary>
    private static readonly TimeSpan LongestGathering = TimeSpan.FromMicroseconds(200);

    /// <summary>Between two tries to reach the database.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>So many flushes may be on their way to the disk.</summary>
    private const int MostUnflushed = 64;

    /// <summary>Longer than anybody may wait (<see cref="DoorOptions.LongestWait"/>), and than PostgreSQL takes to bring a commit to the disk by itself.</summary>
    private static readonly TimeSpan LongestKept = TimeSpan.FromMinutes(10);

    /// <summary>What append_arrivals says of a flush that was committed before.</summary>
    private const string IsCommitted = "ED003";

    private readonly Guid _door = Guid.CreateVersion7();
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly PidBlocks _pids = new();
    private readonly List<(long Number, List<DoorRequest> Batch)> _unflushed = [];
    private List<DoorRequest> _waiting = [];
    private HashSet<short> _unannounced = [];
    private long _announcedAt;
    private long _flush;
    private int _lastCount;
    private NpgsqlConnection? _connection;
    private NpgsqlCommand? _append;
    private NpgsqlCommand? _draw;
    private NpgsqlCommand? _notify;
    private Thread? _thread;
    private readonly CancellationTokenSource _stop = new();
    private bool _isOver;

    public void Start()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }
    public void Add(DoorRequest request)
    {
        lock (_gate)
        {
            _waiting.Add(request);
        }

        _wake.Set();
    }

    /// <summary>All that was committed before is on disk then; null, or why that can not be said.</summary>
    public Task<DoorAnswer?> MakeDurableAsync()
    {
        var nothing = new DoorRequest([], null, [], time.GetTimestamp());
        Add(nothing);
        return nothing.Stored;
    }

    /// <summary>Writes what waits, and ends.</summary>
    public void Dispose()
    {
        // The door is a service and a hosted one, so the container ends it twice.
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        _stop.Cancel();
        _wake.Set();
        _thread?.Join(TimeSpan.FromSeconds(15));
        _connection?.Dispose();
        _wake.Dispose();
        _stop.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            // What was not announced yet has its turn after the pause, even if nothing more comes.
            if (!_wake.WaitOne(_unannounced.Count > 0 ? NotifyEvery : Timeout.InfiniteTimeSpan) && _unannounced.Count > 0)
            {
                Announce();
            }

            while (Take() is { Count: > 0 } batch)
            {
                _lastCount = batch.Count;
                try
                {
                    Flush(batch);
                }
                catch (Exception fault)
                {
                    log.LogError(fault, "A flush of the door failed; its {Count} requests are answered with an error", batch.Count);
                    Complete(batch, new DoorAnswer.Unavailable("The request could not be stored."));
                }
            }

            if (_stop.IsCancellationRequested)
            {
                Complete(TakeAll(), new DoorAnswer.Unavailable("This node is stopping."));
                return;
            }
        }
    }

    /// <summary>What the next flush shall hold: in the order of the queue, and one request of an idempotency key at a time.</summary>
    private List<DoorRequest> Take()
    {
        Gather();
        List<DoorRequest> taken;
        lock (_gate)
        {
            taken = _waiting;
            _waiting = [];
        }

        var batch = new List<DoorRequest>(taken.Count);
        List<DoorRequest>? later = null;
        HashSet<(Guid, string)>? keys = null;
        var arrivals = 0;
        foreach (var request in taken)
        {
            var fits = batch.Count == 0 || arrivals + request.Arrivals.Count <= options.Flush;
            if (!fits || (request.Idempotency is { } key && !(keys ??= []).Add((request.Arrivals[0].Tenant.Value, key.Key))))
            {
                (later ??= []).Add(request);
                continue;
            }

            arrivals += request.Arrivals.Count;
            batch.Add(request);
        }

        if (later is not null)
        {
            lock (_gate)
            {
                later.AddRange(_waiting);
                _waiting = later;
            }
        }

        return batch;
    }

    /// <summary>Whoever was answered together comes back together, but one of them first: to write that one alone would hold up all others for a commit.</summary>
    private void Gather()
    {
        var began = time.GetTimestamp();
        // Read without the lock: a count that is a moment old does no harm.
        while (_waiting.Count > 0 && _waiting.Count < _lastCount / 2 && time.GetElapsedTime(began) < LongestGathering)
        {
            Thread.Yield();
        }
    }

    private List<DoorRequest> TakeAll()
    {
        lock (_gate)
        {
            var all = _waiting;
            _waiting = [];
            return all;
        }
    }

    /// <summary>Commits a batch, however often the database has to be asked; requests that waited too long are let go while nothing of them is stored.</summary>
    private void Flush(List<DoorRequest> batch)
    {
        var number = _flush + 1;
        var unknown = false;
        Settle();
        var isLeft = _unflushed.Count < MostUnflushed && batch.TrueForAll(request => request.IsWaitedFor);
        while (true)
        {
            try
            {
                Connect();
                if (unknown && LastFlush() == number)
                {
                    // It was committed, and which of its keys were known was in the lost answer.
                    ResolveKeys(batch.Where(request => request.Idempotency is not null));
                }
                else
                {
                    unknown = false;
                    GivePids(batch);
                    var started = Stopwatch.GetTimestamp();
                    unknown = true;
                    var known = Append(batch, number, isLeft);
                    meters.Flushed(batch.Sum(request => request.Arrivals.Count), Stopwatch.GetElapsedTime(started));
                    ResolveKeys(known);
                }

                _flush = number;
                if (isLeft)
                {
                    _unflushed.Add((number, batch));
                }
                else
                {
                    Flushed();
                    batch.ForEach(request => request.IsDurable = true);
                }

                Complete(batch, null);
                return;
            }
            catch (PostgresException twice) when (twice.SqlState == IsCommitted)
            {
                // The try before this one got there after all.
                unknown = true;
            }
            catch (PostgresException refusal) when (!IsPassing(refusal))
            {
                // The server looked at it and said no: nothing of it is stored. Half by half, the rest gets through.
                if (batch.Count == 1)
                {
                    log.LogError(refusal, "An arrival can not be stored");
                    Complete(batch, new DoorAnswer.Unavailable("The request can not be stored."));
                    return;
                }

                Flush(batch[..(batch.Count / 2)]);
                Flush(batch[(batch.Count / 2)..]);
                return;
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException or InvalidOperationException)
            {
                Disconnect();
                batch = LetGo(batch, unknown, fault);
                if (batch.Count == 0 || _stop.IsCancellationRequested)
                {
                    Complete(batch, new DoorAnswer.Unavailable("The database can not be reached."));
                    _flush = number;
                    return;
                }

                _stop.Token.WaitHandle.WaitOne(Pause);
            }
        }
    }

    /// <summary>A commit that waited for the disk took all before it along.</summary>
    private void Flushed()
    {
        _unflushed.ForEach(flush => flush.Batch.ForEach(request => request.IsDurable = true));
        _unflushed.Clear();
    }

    /// <summary>
    /// Lets go what is on disk, and what nobody waits for any more. The door's row tells of none that is as old as that: it is cleared away after a day without a flush, and would make them all seem lost.
    /// </summary>
    private void Settle() =>
        _unflushed.RemoveAll(flush => flush.Batch.TrueForAll(request => request.IsDurable || time.GetElapsedTime(request.EnqueuedAt) > LongestKept));

    /// <summary>After a connection that was lost: what did not get to the disk in time is written again, before anything else is.</summary>
    private void WriteAgain()
    {
        Settle();
        if (_unflushed.Count == 0)
        {
            return;
        }

        var last = LastFlush() ?? 0;
        foreach (var (number, batch) in _unflushed.FindAll(flush => flush.Number > last))
        {
            log.LogWarning("The database has lost {Count} requests that somebody waits for; they are written again", batch.Count);
            try
            {
                Append(batch, number, isLeft: false);
            }
            catch (PostgresException twice) when (twice.SqlState == IsCommitted)
            {
                // The first one got there after all.
            }
            catch (PostgresException refusal) when (!IsPassing(refusal))
            {
                log.LogError(refusal, "What the database has lost it does not take again");
                batch.ForEach(request => request.IsLost = true);
                _unflushed.Remove((number, batch));
            }
        }

        if (_unflushed.Count > 0 && _unflushed[^1].Number > last)
        {
            Flushed();
        }
    }

    /// <summary>
    /// Answers those that waited too long. Where a flush may still turn out to be committed, they stay in it for the sake of its number, and only their
    /// callers go.
    /// </summary>
    private List<DoorRequest> LetGo(List<DoorRequest> batch, bool unknown, Exception fault)
    {
        var late = batch.Where(request => time.GetElapsedTime(request.EnqueuedAt) > options.Patience).ToList();
        if (late.Count > 0)
        {
            log.LogWarning(fault, "The database does not answer; {Count} requests are told so", late.Count);
            Complete(late, new DoorAnswer.Unavailable("The database can not be reached."));
        }

        return unknown && late.Count < batch.Count ? batch : [.. batch.Except(late)];
    }

    private static bool IsPassing(PostgresException fault) =>
        fault.IsTransient || fault.SqlState.StartsWith("57", StringComparison.Ordinal) || fault.SqlState.StartsWith("08", StringComparison.Ordinal)
        || fault.SqlState.StartsWith("40", StringComparison.Ordinal) || fault.SqlState.StartsWith("53", StringComparison.Ordinal);

    private void GivePids(List<DoorRequest> batch)
    {
        foreach (var request in batch)
        {
            foreach (var arrival in request.Arrivals)
            {
                if (arrival.Pid is null or 0)
                {
                    _pids.Need(arrival.Tenant);
                }
            }
        }

        if (_pids.Lacking() is var (tenants, counts) && tenants.Length > 0)
        {
            _draw!.Parameters[0].Value = tenants;
            _draw.Parameters[1].Value = counts;
            using var rows = _draw.ExecuteReader();
            while (rows.Read())
            {
                _pids.Drawn(new TenantId(rows.GetGuid(0)), rows.GetInt64(1));
            }
        }

        foreach (var request in batch)
        {
            for (var i = 0; i < request.Arrivals.Count; i++)
            {
                var arrival = request.Arrivals[i];
                request.WakePids[i] = arrival.Pid is null or 0 ? _pids.Next(arrival.Tenant) : arrival.Pid.Value;
                request.Pids[i] = arrival.Pid ?? request.WakePids[i];
            }
        }
    }

    /// <summary>One transaction. Returns the requests whose idempotency key was known already.</summary>
    /// <param name="isLeft">It is left to a later commit to take it along to the disk.</param>
    private List<DoorRequest> Append(List<DoorRequest> batch, long number, bool isLeft)
    {
        var count = batch.Sum(request => request.Arrivals.Count);
        var (shards, tenants, ids, pids, wakes, fresh) = (new short[count], new Guid[count], new Guid[count], new long[count], new long[count], new bool[count]);
        var (kvps, actors, sources, tags, traces, requests) = (new string[count], new string[count], new string[count], new string?[count], new string?[count], new int[count]);
        var keyed = batch.Where(request => request.Idempotency is not null).ToList();
        var (at, keyedBefore, someoneWaits) = (0, 0, false);
        foreach (var request in batch)
        {
            var ordinal = request.Idempotency is null ? 0 : ++keyedBefore;
            for (var i = 0; i < request.Arrivals.Count; i++, at++)
            {
                var arrival = request.Arrivals[i];
                shards[at] = arrival.Tenant.Shard;
                tenants[at] = arrival.Tenant.Value;
                ids[at] = request.Ids[i];
                pids[at] = request.Pids[i];
                wakes[at] = request.WakePids[i];
                fresh[at] = arrival.Pid is null;
                kvps[at] = request.Kvps[i];
                actors[at] = arrival.Actor;
                sources[at] = arrival.Source;
                tags[at] = request.Tags[i];
                traces[at] = arrival.Trace;
                requests[at] = ordinal;
                someoneWaits |= tags[at] is not null;
                _unannounced.Add(shards[at]);
            }
        }

        var now = time.GetUtcNow().UtcDateTime;
        string? announcement = null;
        var announced = _unannounced;
        if (someoneWaits || time.GetElapsedTime(_announcedAt) >= NotifyEvery)
        {
            announcement = string.Join(',', _unannounced);
            _announcedAt = time.GetTimestamp();
            _unannounced = [];
        }

        var p = _append!.Parameters;
        (p[1].Value, p[2].Value, p[3].Value) = (number, now, (object?)announcement ?? DBNull.Value);
        (p[4].Value, p[5].Value, p[6].Value, p[7].Value, p[8].Value, p[9].Value) = (shards, tenants, ids, pids, wakes, fresh);
        (p[10].Value, p[11].Value, p[12].Value, p[13].Value, p[14].Value, p[15].Value) = (kvps, actors, sources, tags, traces, requests);
        p[16].Value = keyed.ConvertAll(request => request.Arrivals[0].Tenant.Value).ToArray();
        p[17].Value = keyed.ConvertAll(request => request.Idempotency!.Key).ToArray();
        p[18].Value = keyed.ConvertAll(request => request.Idempotency!.Fingerprint).ToArray();
        p[19].Value = keyed.ConvertAll(request => request.AnswerText()).ToArray();
        p[20].Value = isLeft;
        try
        {
            return [.. ((int[])_append.ExecuteScalar()!).Select(ordinal => keyed[ordinal - 1])];
        }
        catch
        {
            _unannounced.UnionWith(announced);
            throw;
        }
    }

    /// <summary>Gives requests whose key is known the answer of the first one, or a refusal if that was something else.</summary>
    private void ResolveKeys(IEnumerable<DoorRequest> known)
    {
        foreach (var request in known)
        {
            using var read = new NpgsqlCommand("select fingerprint, answer::text from idempotency_answer($1, $2)", _connection);
            read.Parameters.Add(new() { Value = request.Arrivals[0].Tenant.Value });
            read.Parameters.Add(new() { Value = request.Idempotency!.Key });
            using var row = read.ExecuteReader();
            if (!row.Read())
            {
                request.Complete(new DoorAnswer.Unavailable("The answer of this idempotency key is being cleared away; send the request again."));
            }
            else if (!row.GetFieldValue<byte[]>(0).AsSpan().SequenceEqual(request.Idempotency.Fingerprint))
            {
                request.Complete(new DoorAnswer.Mismatch());
            }
            else
            {
                request.TakeEarlier(row.GetString(1));
            }
        }
    }

    private void Announce()
    {
        try
        {
            Connect();
            _notify!.Parameters[0].Value = string.Join(',', _unannounced);
            _notify.ExecuteNonQuery();
            _unannounced.Clear();
            _announcedAt = time.GetTimestamp();
        }
        catch (Exception fault) when (fault is NpgsqlException or InvalidOperationException)
        {
            // The pumps look by themselves every now and then.
            _unannounced.Clear();
            Disconnect();
            log.LogWarning(fault, "The pumps could not be woken");
        }
    }

    private static void Complete(List<DoorRequest> batch, DoorAnswer? answer)
    {
        if (batch.Count > 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static work => work.batch.ForEach(request => request.Complete(work.answer)), (batch, answer), preferLocal: false);
        }
    }

    private long? LastFlush()
    {
        using var read = new NpgsqlCommand("select last_flush($1)", _connection) { Parameters = { new() { Value = _door } } };
        return read.ExecuteScalar() as long?;
    }

    private void Connect()
    {
        if (_connection is not null)
        {
            return;
        }

        var connection = source.OpenConnection();
        try
        {
            _append = Prepared(connection, "select append_arrivals($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20), case when $21 then set_config('synchronous_commit', 'off', true) end",
                NpgsqlDbType.Uuid, NpgsqlDbType.Bigint, NpgsqlDbType.TimestampTz, NpgsqlDbType.Text,
                NpgsqlDbType.Array | NpgsqlDbType.Smallint, NpgsqlDbType.Array | NpgsqlDbType.Uuid, NpgsqlDbType.Array | NpgsqlDbType.Uuid,
                NpgsqlDbType.Array | NpgsqlDbType.Bigint, NpgsqlDbType.Array | NpgsqlDbType.Bigint, NpgsqlDbType.Array | NpgsqlDbType.Boolean,
                NpgsqlDbType.Array | NpgsqlDbType.Text, NpgsqlDbType.Array | NpgsqlDbType.Text, NpgsqlDbType.Array | NpgsqlDbType.Text,
                NpgsqlDbType.Array | NpgsqlDbType.Text, NpgsqlDbType.Array | NpgsqlDbType.Text, NpgsqlDbType.Array | NpgsqlDbType.Integer,
                NpgsqlDbType.Array | NpgsqlDbType.Uuid, NpgsqlDbType.Array | NpgsqlDbType.Text, NpgsqlDbType.Array | NpgsqlDbType.Bytea,
                NpgsqlDbType.Array | NpgsqlDbType.Text, NpgsqlDbType.Boolean);
            _append.Parameters[0].Value = _door;
            _draw = Prepared(connection, "select tenant_id, first from draw_pids($1,$2)", NpgsqlDbType.Array | NpgsqlDbType.Uuid, NpgsqlDbType.Array | NpgsqlDbType.Integer);
            _notify = Prepared(connection, "select pg_notify('eddy_arrivals', $1)", NpgsqlDbType.Text);
            _connection = connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }

        WriteAgain();
    }

    private static NpgsqlCommand Prepared(NpgsqlConnection connection, string sql, params NpgsqlDbType[] types)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var type in types)
        {
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type });
        }

        command.Prepare();
        return command;
    }

    private void Disconnect()
    {
        _connection?.Dispose();
        _connection = null;
    }
}
