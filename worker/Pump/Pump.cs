using System.Collections.Concurrent;
using System.Globalization;
using Eddy.Postgres;
using Eddy.Sandbox;
using Npgsql;

namespace Eddy.Pump;

/// <summary>
/// Applies what was accepted: holds leases on shards of the line, and lets its lanes take slices of those where something waits. It looks where it is told
/// to by the doors, and everywhere every now and then. Stopped, it finishes or leaves what is under way and gives its shards back.
/// </summary>
public sealed class Pump(NpgsqlDataSource source, TurnRunner turns, FlightRunner flights, SandboxOptions limits, PumpOptions options, PumpMeters meters, TimeProvider time, ILogger<Pump> log)
    : IDisposable
{
    private static readonly short[] Every = [.. Enumerable.Range(0, 64).Select(shard => (short)shard)];

    private readonly ConcurrentDictionary<short, ShardLine> _shards = new();
    private readonly ShardQueue _queue = new(time);
    private readonly CancellationTokenSource _halt = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // What is asked of the leases, one at a time: an answer that was overtaken would take shards for lost that were just won.
    private readonly SemaphoreSlim _leases = new(1, 1);
    private long _claimedAt;
    private int _isClaimAsked;
    private volatile bool _isStopping;

    /// <summary>Its name in the leases, new at each start.</summary>
    public Guid Worker { get; } = Guid.CreateVersion7();

    /// <summary>The shards that it holds.</summary>
    public IReadOnlyCollection<short> Shards => [.. _shards.Keys];

    /// <summary>It has leases that are good.</summary>
    public bool IsAlive => time.GetElapsedTime(Volatile.Read(ref _claimedAt)) < options.Lease;

    /// <summary>Whose screens are open somewhere.</summary>
    internal WatchedTenants Watched { get; } = new(time);

    public async Task RunAsync(CancellationToken stop)
    {
        var lanes = Enumerable.Range(0, options.Lanes).Select(number =>
        {
            var lane = new Lane(this, _queue, source, turns, new Flights(this, flights, limits, options, time, log), options, meters, time, log, _halt.Token);
            var thread = new Thread(() =>
            {
                using (lane)
                {
                    lane.Run();
                }
            }) { IsBackground = true, Name = $"lane {number}" };
            thread.Start();
            return thread;
        }).ToList();
        using var all = CancellationTokenSource.CreateLinkedTokenSource(stop, _halt.Token);
        using var listener = new Listener(source, log);
        listener.On("eddy_arrivals", Hear);
        listener.On("eddy_leases", _ => ClaimSoon(all.Token));
        listener.On("eddy_watch", Watched.Hear);
        listener.OnConnected(AskAll);
        listener.Start();
        Task[] parts = [ClaimAsync(all.Token), PollAsync(all.Token), new BacklogMeter(this, source, meters, time, log).RunAsync(all.Token)];
        // They end when they are told to; one that ends by a fault takes the pump along, and its host starts another.
        var first = await Task.WhenAny(parts);
        if (first.Exception is { } fault)
        {
            log.LogError(fault, "A part of the pump failed; the pump stops, and another is started");
        }

        await all.CancelAsync();
        // A part whose connection is past help does not hold up the others' end.
        await Task.WhenAll(parts).WaitAsync(options.StopPatience, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        await StopAsync();
        _queue.Complete();
        foreach (var lane in lanes)
        {
            lane.Join(options.StopPatience);
        }

        await first;
    }

    public void Dispose()
    {
        // A lane that did not end in time still looks at the other parts: only what nobody waits for is disposed of.
        _leases.Dispose();
    }

    /// <summary>Something may wait in this shard.</summary>
    internal void Ask(ShardLine shard)
    {
        if (shard.Ask())
        {
            _queue.Add(shard);
        }
    }

    /// <summary>As <see cref="Ask"/>, after a pause: what failed shall not be tried without one.</summary>
    internal void AskLater(ShardLine shard) => AskAfter(shard, options.Retry);

    internal void AskAfter(ShardLine shard, TimeSpan pause) =>
        _ = Task.Delay(pause, time, _halt.Token).ContinueWith(_ => Ask(shard), TaskContinuationOptions.OnlyOnRanToCompletion);

    /// <summary>Some leases may be lost and others not: it is looked at once.</summary>
    internal void ClaimSoon() => ClaimSoon(_halt.Token);

    /// <summary>Somebody else has the shard: what is under way in it can not be committed.</summary>
    internal void Lost(ShardLine shard)
    {
        if (!shard.IsLost)
        {
            log.LogWarning("The lease of shard {Shard} under epoch {Epoch} is lost", shard.Shard, shard.Epoch);
        }

        Forget(shard);
    }

    /// <summary>What is known of it does not hold; if the lease does, the next claim begins it anew.</summary>
    internal void Forget(ShardLine shard)
    {
        shard.IsLost = true;
        shard.Held.Cancel();
        _shards.TryRemove(new KeyValuePair<short, ShardLine>(shard.Shard, shard));
        if (_isStopping && _shards.IsEmpty)
        {
            _empty.TrySetResult();
        }
    }

    /// <summary>Nothing is under way in a shard that shall be given back.</summary>
    internal void Leave(ShardLine shard)
    {
        _leases.Wait();
        try
        {
            Release([shard.Shard], leave: false);
            Forget(shard);
        }
        finally
        {
            _leases.Release();
        }
    }

    private async Task ClaimAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(options.Lease / 3, time);
        do
        {
            try
            {
                await ClaimOnceAsync(cancel);
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException)
            {
                log.LogWarning(fault, "The leases could not be renewed");
                await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                timer.Period = options.Lease / 10;
                continue;
            }
            catch (OperationCanceledException)
            {
                return;
            }

            timer.Period = options.Lease / 3;
        }
        while (await TickAsync(timer, cancel));
    }

    private async Task ClaimOnceAsync(CancellationToken cancel)
    {
        await _leases.WaitAsync(cancel);
        try
        {
            // Whoever asks from here on wants a newer answer than this one.
            Volatile.Write(ref _isClaimAsked, 0);
            if (!_isStopping)
            {
                await ClaimSharesAsync(cancel);
            }
        }
        finally
        {
            _leases.Release();
        }
    }

    private async Task ClaimSharesAsync(CancellationToken cancel)
    {
        var asked = time.GetTimestamp();
        await using var claim = source.CreateCommand("select shard, epoch, slice, fair from claim_shards($1, $2)");
        claim.Parameters.Add(new() { Value = Worker });
        claim.Parameters.Add(new() { Value = options.Lease });
        var held = new HashSet<short>();
        var fair = 64;
        await using (var rows = await claim.ExecuteReaderAsync(cancel))
        {
            while (await rows.ReadAsync(cancel))
            {
                var (shard, epoch, slice) = (rows.GetInt16(0), rows.GetInt64(1), rows.GetInt64(2));
                fair = rows.GetInt32(3);
                held.Add(shard);
                if (!_shards.TryGetValue(shard, out var line) || line.Epoch != epoch)
                {
                    if (line is not null)
                    {
                        Lost(line);
                    }

                    _shards[shard] = line = new ShardLine(shard, epoch, slice);
                    Ask(line);
                }
            }
        }

        Volatile.Write(ref _claimedAt, asked);
        foreach (var (shard, line) in _shards)
        {
            if (!held.Contains(shard))
            {
                Lost(line);
            }
        }

        // Shards above the fair share go to the worker that came.
        var above = held.Count - fair - _shards.Values.Count(line => line.IsLeaving);
        foreach (var line in _shards.Values.Where(line => !line.IsLeaving).OrderByDescending(line => line.Shard).Take(Math.Max(0, above)))
        {
            line.IsLeaving = true;
            Ask(line);
        }
    }

    private void ClaimSoon(CancellationToken cancel)
    {
        if (Interlocked.Exchange(ref _isClaimAsked, 1) == 0)
        {
            _ = ClaimOnceAsync(cancel).ContinueWith(static claim => _ = claim.Exception, TaskContinuationOptions.OnlyOnFaulted);
        }
    }

    private void Hear(string payload)
    {
        foreach (var part in payload.AsSpan().Split(','))
        {
            if (short.TryParse(payload.AsSpan(part), NumberStyles.None, CultureInfo.InvariantCulture, out var shard) && _shards.TryGetValue(shard, out var line))
            {
                Ask(line);
            }
        }
    }

    private void AskAll()
    {
        foreach (var line in _shards.Values)
        {
            Ask(line);
        }
    }

    private async Task PollAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(options.Poll, time);
        while (await TickAsync(timer, cancel))
        {
            try
            {
                await using var look = source.CreateCommand("select waiting_shards($1)");
                look.Parameters.Add(new() { Value = _shards.Keys.ToArray() });
                await using var rows = await look.ExecuteReaderAsync(cancel);
                while (await rows.ReadAsync(cancel))
                {
                    if (_shards.TryGetValue(rows.GetInt16(0), out var line))
                    {
                        (line.MayOwe, line.MayBeBeside) = (true, true);
                        Ask(line);
                    }
                }
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException)
            {
                log.LogDebug(fault, "The line could not be looked at");
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Lets turns under way end, for a while, and gives the shards back.</summary>
    private async Task StopAsync()
    {
        await _leases.WaitAsync(CancellationToken.None);
        _isStopping = true;
        // The others' share grows now, so that they take what is given back as it comes.
        Release([], leave: true);
        _leases.Release();
        foreach (var line in _shards.Values)
        {
            line.IsLeaving = true;
            Ask(line);
        }

        if (!_shards.IsEmpty)
        {
            await _empty.Task.WaitAsync(options.StopPatience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _halt.CancelAsync();
        Release(Every, leave: true);
    }

    private void Release(short[] shards, bool leave)
    {
        try
        {
            using var release = source.CreateCommand("select release_shards($1, $2, $3)");
            release.Parameters.Add(new() { Value = Worker });
            release.Parameters.Add(new() { Value = shards });
            release.Parameters.Add(new() { Value = leave });
            release.ExecuteNonQuery();
        }
        catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException)
        {
            // The leases run out by themselves.
            log.LogWarning(fault, "Shards could not be given back");
        }
    }

    private static async Task<bool> TickAsync(PeriodicTimer timer, CancellationToken cancel)
    {
        try
        {
            return await timer.WaitForNextTickAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
