using System.Collections.Concurrent;
using System.Globalization;
using Eddy.Endpoints;
using Eddy.Postgres;
using Eddy.Runs;
using Eddy.Tenants;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Ingest;

/// <summary>
/// Where events come in, whoever brings them: makes arrivals durable, and tells those who wait when they are applied or settled. An answer
/// <see cref="DoorAnswer.Accepted"/> is given after a commit that is on disk, so nothing accepted is ever lost.
/// </summary>
public sealed class Door : BackgroundService
{
    private readonly NpgsqlDataSource _source;
    private readonly Backlog _backlog;
    private readonly IdleProcessors _processors;
    private readonly DoorWriter _writer;
    private readonly DoorWriter _bulkWriter;
    private readonly KnownProcesses _known;
    private readonly TimeProvider _time;
    private readonly ILogger<Door> _log;
    private readonly string _channel = "door_" + Guid.NewGuid().ToString("N")[..12];
    private readonly ConcurrentDictionary<long, Waiter> _waiters = new();
    private long _lastTag;

    public Door(NpgsqlDataSource source, Listener listener, DoorOptions options, Backlog backlog, IdleProcessors processors, DoorMeters meters, TimeProvider time, ILoggerFactory logs)
    {
        _source = source;
        _backlog = backlog;
        _processors = processors;
        _time = time;
        _log = logs.CreateLogger<Door>();
        _writer = new DoorWriter("door", source, options, time, meters, logs.CreateLogger<DoorWriter>());
        _bulkWriter = new DoorWriter("door for bulk", source, options, time, meters, logs.CreateLogger<DoorWriter>());
        _known = new KnownProcesses(source);
        listener.On(_channel, Hear);
        listener.On("eddy_backlog", backlog.Hear);
        _writer.Start();
        _bulkWriter.Start();
    }

    /// <summary>Makes all arrivals of a request durable, or none. They are of one tenant.</summary>
    public async Task<DoorAnswer> AcceptAsync(
        IReadOnlyList<NewArrival> arrivals, Idempotency? idempotency, WaitFor wait, TimeSpan upTo, CancellationToken cancel)
    {
        if (wait != WaitFor.Nothing)
        {
            _processors.StayAwake();
        }

        var tenant = arrivals[0].Tenant;
        foreach (var arrival in arrivals)
        {
            if (arrival.Pid is { } pid and not 0 && !await _known.IsKnownAsync(tenant, pid, cancel))
            {
                return new DoorAnswer.UnknownProcess(pid);
            }
        }

        if (!await _backlog.PassAsync(tenant, arrivals.Count, wait != WaitFor.Nothing, cancel))
        {
            return new DoorAnswer.TooMany(TimeSpan.FromSeconds(1));
        }

        var started = _time.GetTimestamp();
        var waiters = wait == WaitFor.Nothing ? [] : arrivals.Select(_ => new Waiter(Interlocked.Increment(ref _lastTag))).ToArray();
        var tags = new string?[arrivals.Count];
        for (var i = 0; i < waiters.Length; i++)
        {
            tags[i] = string.Create(CultureInfo.InvariantCulture, $"{_channel}:{(wait == WaitFor.Applied ? 'a' : 's')}{waiters[i].Tag}");
            _waiters[waiters[i].Tag] = waiters[i];
        }

        try
        {
            var request = new DoorRequest(arrivals, idempotency, tags, started);
            if (await StoreAsync(request) is { } refusal)
            {
                return refusal;
            }

            for (var i = 0; i < request.Pids.Length; i++)
            {
                _known.Add(tenant, request.Pids[i]);
            }

            var settled = new Settled?[request.Ids.Length];
            if (wait != WaitFor.Nothing)
            {
                if (!request.IsFirst || request.Ids.Length != waiters.Length)
                {
                    // The first request of this key took the tags; who asks again looks for itself.
                    Forget(waiters);
                    waiters = [.. request.Ids.Select(_ => new Waiter(Interlocked.Increment(ref _lastTag)))];
                }

                for (var i = 0; i < waiters.Length; i++)
                {
                    waiters[i].LookAfter(tenant, request.Ids[i], wait, isTold: request.IsFirst, request);
                    _waiters[waiters[i].Tag] = waiters[i];
                }

                if (!request.IsFirst)
                {
                    await LookForAsync(waiters, cancel);
                }

                await WaitAsync(waiters, upTo - _time.GetElapsedTime(started), cancel);
                settled = [.. waiters.Select(waiter => waiter.Done.IsCompletedSuccessfully ? waiter.Done.Result : (Settled?)null)];
                if (Array.TrueForAll(settled, one => one is not null))
                {
                    request.IsDurable = true;
                }
                else if (!request.IsDurable && await MakeDurableAsync() is { } broken)
                {
                    return broken;
                }

                if (request.IsLost)
                {
                    return new DoorAnswer.Unavailable("The database has lost the request, and does not take it again.");
                }

                if (waiters.Length == 1 && settled[0] is { IsRefused: true })
                {
                    return new DoorAnswer.Refused(await ReasonAsync(tenant, request.Ids[0], cancel));
                }
            }

            return new DoorAnswer.Accepted(
                [.. request.Ids.Select((id, i) => new AcceptedArrival(id, request.Pids[i], settled[i]?.Runs, settled[i]?.Came is { } came ? Settlement.Read(came) : null, settled[i] is { IsRefused: false }))]);
        }
        finally
        {
            Forget(waiters);
        }
    }

    /// <summary>Puts what a request of an API script came to into the line, and waits until it is in force, or is not to be.</summary>
    /// <param name="id">The request's: that of its arrival, which is not in the line already.</param>
    /// <param name="wakePid">The process in which what it shares wakes rules.</param>
    public async Task<LandingAnswer> LandAsync(TenantId tenant, Guid id, EndpointLanding landing, long wakePid, string actor, string? trace, CancellationToken cancel)
    {
        if (!await _backlog.PassAsync(tenant, 1, isWaitedFor: true, cancel))
        {
            return new LandingAnswer.TooMany(TimeSpan.FromSeconds(1));
        }

        _processors.StayAwake();
        var waiter = new Waiter(Interlocked.Increment(ref _lastTag));
        waiter.LookAfter(tenant, id, WaitFor.Applied, isTold: true);
        _waiters[waiter.Tag] = waiter;
        try
        {
            await using (var append = _source.CreateCommand("select append_call($1, $2, $3, $4, $5, $6, $7, $8, $9)"))
            {
                append.Parameters.Add(new() { Value = tenant.Shard });
                append.Parameters.Add(new() { Value = tenant.Value });
                append.Parameters.Add(new() { Value = id });
                append.Parameters.Add(new() { Value = wakePid });
                append.Parameters.Add(new() { Value = actor });
                append.Parameters.Add(new() { Value = _time.GetUtcNow() });
                append.Parameters.Add(new() { Value = string.Create(CultureInfo.InvariantCulture, $"{_channel}:a{waiter.Tag}") });
                append.Parameters.Add(new() { Value = (object?)trace ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
                append.Parameters.Add(new() { Value = landing.Write() });
                try
                {
                    await append.ExecuteNonQueryAsync(cancel);
                }
                finally
                {
                    _backlog.Arrived(tenant, 1);
                }
            }

            var settled = await waiter.Done.WaitAsync(cancel);
            if (settled.IsRefused)
            {
                return new LandingAnswer.Refused(await ReasonAsync(tenant, id, cancel));
            }

            return settled.IsConflict ?? !await IsLandedAsync(tenant, id, cancel) ? new LandingAnswer.Conflict() : new LandingAnswer.Landed();
        }
        finally
        {
            Forget([waiter]);
        }
    }

    /// <summary>The news was lost, and it is not in the line any more.</summary>
    private async Task<bool> IsLandedAsync(TenantId tenant, Guid id, CancellationToken cancel)
    {
        await using var ask = _source.CreateCommand("select call_landed($1, $2)");
        ask.Parameters.Add(new() { Value = tenant.Value });
        ask.Parameters.Add(new() { Value = id });
        return (bool)(await ask.ExecuteScalarAsync(cancel))!;
    }

    public override void Dispose()
    {
        _writer.Dispose();
        _bulkWriter.Dispose();
        base.Dispose();
    }

    /// <summary>Looks twice a second for what it waits for: news of it may have been lost.</summary>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => LookAsync(stoppingToken);

    private async Task<DoorAnswer?> StoreAsync(DoorRequest request)
    {
        try
        {
            (_backlog.GoesApart(request.Arrivals[0].Tenant) ? _bulkWriter : _writer).Add(request);
            return await request.Stored;
        }
        finally
        {
            _backlog.Arrived(request.Arrivals[0].Tenant, request.Arrivals.Count);
        }
    }

    private async Task<DoorAnswer?> MakeDurableAsync()
    {
        var answers = await Task.WhenAll(_writer.MakeDurableAsync(), _bulkWriter.MakeDurableAsync());
        return answers[0] ?? answers[1];
    }

    private void Hear(string payload)
    {
        foreach (var part in payload.Split(','))
        {
            // number, number:first-last, number:first-last;what it came to, number! where it was refused, or number~ where what it depends on has changed
            var (refused, conflict) = (part.EndsWith('!'), part.EndsWith('~'));
            var text = refused || conflict ? part.AsSpan(0, part.Length - 1) : part;
            string? came = null;
            if (text.IndexOf(';') is var mark and > 0)
            {
                came = text[(mark + 1)..].ToString();
                text = text[..mark];
            }

            var colon = text.IndexOf(':');
            if (!long.TryParse(colon < 0 ? text : text[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out var tag) || !_waiters.TryGetValue(tag, out var waiter))
            {
                continue;
            }

            RunRange? runs = null;
            if (colon >= 0 && text[(colon + 1)..] is var range && range.IndexOf('-') is var dash and > 0)
            {
                runs = new RunRange(long.Parse(range[..dash], CultureInfo.InvariantCulture), long.Parse(range[(dash + 1)..], CultureInfo.InvariantCulture));
            }

            waiter.Complete(new Settled(runs, came, refused, conflict));
        }
    }

    private async Task LookAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500), _time);
        while (await timer.WaitForNextTickAsync(cancel).AsTask().ContinueWith(static tick => tick.IsCompletedSuccessfully && tick.Result, TaskScheduler.Default))
        {
            try
            {
                await LookForWaitersAsync(cancel);
                if (_backlog.IsStale)
                {
                    _backlog.BeginLook();
                    _backlog.Set(await ReadBacklogAsync(cancel));
                }
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException)
            {
                _log.LogWarning(fault, "The door could not look for what it waits for");
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Those that wait since the last look: what is not pending any more is settled, though the news of it was lost.</summary>
    private async Task LookForWaitersAsync(CancellationToken cancel)
    {
        var due = _waiters.Values.Where(waiter => waiter.IsDueForALook()).ToList();
        if (due.Count > 0)
        {
            await LookForAsync(due, cancel);
        }
    }

    private async Task LookForAsync(IReadOnlyCollection<Waiter> due, CancellationToken cancel)
    {
        // Of what is on disk alone can be said that it is settled where it is not in the line: else the database may have lost it.
        if (due.Any(waiter => waiter.Request is { IsDurable: false }) && await MakeDurableAsync() is not null)
        {
            return;
        }

        await using var read = _source.CreateCommand("select arrival, is_line, is_refused from arrivals_left($1, $2)");
        read.Parameters.Add(new() { Value = due.Select(waiter => waiter.Tenant.Value).ToArray() });
        read.Parameters.Add(new() { Value = due.Select(waiter => waiter.Arrival).ToArray() });
        var pending = new Dictionary<Guid, (bool InLine, bool Refused)>();
        await using (var rows = await read.ExecuteReaderAsync(cancel))
        {
            while (await rows.ReadAsync(cancel))
            {
                pending[rows.GetGuid(0)] = (rows.GetBoolean(1), rows.GetBoolean(2));
            }
        }

        foreach (var waiter in due)
        {
            if (!pending.TryGetValue(waiter.Arrival, out var left) || left.Refused || (!left.InLine && waiter.For == WaitFor.Applied))
            {
                waiter.Complete(new Settled(null, null, left.Refused, null));
            }
        }
    }

    private async Task<Dictionary<TenantId, long>> ReadBacklogAsync(CancellationToken cancel)
    {
        await using var read = _source.CreateCommand("select tenant_id, waiting from backlogs(null, 256) where tenant_id is not null");
        await using var rows = await read.ExecuteReaderAsync(cancel);
        var counts = new Dictionary<TenantId, long>();
        while (await rows.ReadAsync(cancel))
        {
            counts[new TenantId(rows.GetGuid(0))] = rows.GetInt64(1);
        }

        return counts;
    }

    private async Task<string> ReasonAsync(TenantId tenant, Guid arrival, CancellationToken cancel)
    {
        await using var read = _source.CreateCommand("select refusal_reason($1, $2)");
        read.Parameters.Add(new() { Value = tenant.Value });
        read.Parameters.Add(new() { Value = arrival });
        return await read.ExecuteScalarAsync(cancel) as string ?? "It could not be applied.";
    }

    private async Task WaitAsync(Waiter[] waiters, TimeSpan upTo, CancellationToken cancel)
    {
        var all = waiters.Length == 1 ? (Task)waiters[0].Done : Task.WhenAll(waiters.Select(waiter => waiter.Done));
        try
        {
            await all.WaitAsync(upTo > TimeSpan.Zero ? upTo : TimeSpan.Zero, _time, cancel);
        }
        catch (TimeoutException)
        {
            // What is not settled yet is told so.
        }
    }

    private void Forget(Waiter[] waiters)
    {
        foreach (var waiter in waiters)
        {
            _waiters.TryRemove(waiter.Tag, out _);
        }
    }

    /// <param name="Came">As it was told; whoever waits reads it, and not the thread that hears for all.</param>
    /// <param name="IsConflict">Null where it was looked for, and is not known.</param>
    private sealed record Settled(RunRange? Runs, string? Came, bool IsRefused, bool? IsConflict);

    private sealed class Waiter(long tag)
    {
        private readonly TaskCompletionSource<Settled> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private bool _seen;

        public long Tag { get; } = tag;

        public TenantId Tenant { get; private set; }

        public Guid Arrival { get; private set; }

        public WaitFor For { get; private set; }

        /// <summary>What brought it; null where it is no request of the writers.</summary>
        public DoorRequest? Request { get; private set; }

        public Task<Settled> Done => _done.Task;

        /// <param name="isTold">News of it will come; else each look is due.</param>
        public void LookAfter(TenantId tenant, Guid arrival, WaitFor wait, bool isTold, DoorRequest? request = null) =>
            (_seen, Tenant, For, Request, Arrival) = (!isTold, tenant, wait, request, arrival);

        public void Complete(Settled settled) => _done.TrySetResult(settled);

        /// <summary>True from the second look on, so that news has had its time.</summary>
        public bool IsDueForALook() => Arrival != Guid.Empty && (_seen || !(_seen = true));
    }
}
