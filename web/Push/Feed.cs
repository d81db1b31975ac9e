using System.Collections.Concurrent;
using Eddy.Events;
using Eddy.Runs;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Push;

/// <summary>
/// Tells screens what is committed, while it is: one reader of the log's tail for each tenant that is looked at, whatever number of screens does. Pumps are told which tenants
/// these are (<c>eddy_watch</c>) and tell of each commit (<c>eddy_feed</c>); a look every second makes up for news that was lost. Each screen hears twenty times a second at most. Screens draw by turns, on half of the processors: many of them draw
/// less often, with more in it each time, and the doors have the other half.
/// What is told is everything: who shows it asks what its reader may see.
/// </summary>
public sealed class Feed(EventStore events, RunStore runs, NpgsqlDataSource source, TimeProvider time, ILogger<Feed> log) : BackgroundService
{
    private const int Page = 500;

    /// <summary>With more than this to catch up with, the reader goes to the end of the log and says so.</summary>
    private const int MostBehind = 4 * Page;

    private const int PayloadTenants = 200;

    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(50);
    /// <summary>However long a screen takes, the next has its turn after this.</summary>
    private static readonly TimeSpan LongestTurn = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Renewal = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<TenantId, Tail> _tails = new();
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _turns = new(Math.Max(1, Environment.ProcessorCount / 2));

    /// <summary>Calls <paramref name="hear"/> with news until what it returns is disposed of; never twice at a time. Subscribe first, then read.</summary>
    public IDisposable Watch(TenantId tenant, Func<FeedNews, Task> hear)
    {
        lock (_lock)
        {
            var isNew = !_tails.TryGetValue(tenant, out var tail);
            tail ??= _tails[tenant] = new Tail(tenant);
            var subscription = new Subscription(this, tail, hear, time, log);
            tail.Add(subscription);
            if (isNew)
            {
                _ = Task.Run(() => FollowAsync(tail), CancellationToken.None);
            }

            return subscription;
        }
    }

    /// <summary>What a pump has told: ids of tenants, with commas. Quick, for it is called on the listener's thread.</summary>
    internal void Hear(string payload)
    {
        foreach (var part in payload.Split(','))
        {
            if (Guid.TryParse(part, out var id) && _tails.TryGetValue(new TenantId(id), out var tail))
            {
                tail.Wake();
            }
        }
    }

    /// <summary>News may have been lost.</summary>
    internal void LookAtAll()
    {
        foreach (var tail in _tails.Values)
        {
            tail.Wake();
        }
    }

    /// <summary>Tells pumps again and again what is looked at.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Renewal, time);
        do
        {
            foreach (var some in _tails.Keys.Chunk(PayloadTenants))
            {
                await AskAsync(some, stoppingToken);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).AsTask().ContinueWith(static tick => tick.IsCompletedSuccessfully && tick.Result, TaskScheduler.Default));
    }

    private async Task AskAsync(TenantId[] tenants, CancellationToken cancel)
    {
        try
        {
            await using var tell = source.CreateCommand("select pg_notify('eddy_watch', $1)");
            tell.Parameters.Add(new() { Value = string.Join(',', tenants) });
            await tell.ExecuteNonQueryAsync(cancel);
        }
        catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException or OperationCanceledException)
        {
            // The look every second is there.
        }
    }

    private async Task FollowAsync(Tail tail)
    {
        await AskAsync([tail.Tenant], CancellationToken.None);
        while (!tail.IsEnded)
        {
            try
            {
                await ReadAsync(tail);
                await Task.Delay(Rest, time);
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException)
            {
                log.LogDebug(fault, "The log's tail could not be read");
            }

            await tail.WokenAsync(Poll, time);
        }
    }

    private async Task ReadAsync(Tail tail)
    {
        var (position, run, _) = await runs.ReadUsageAsync(tail.Tenant, CancellationToken.None);
        if (!tail.IsBegun || position + run - tail.Position - tail.Run > MostBehind)
        {
            // Whoever subscribed before this reads the log after it.
            tail.Tell(new FeedNews([], [], true, position, run));
            (tail.IsBegun, tail.Position, tail.Run) = (true, position, run);
            return;
        }

        for (var more = position > tail.Position || run > tail.Run; more;)
        {
            var (newEvents, moreEvents) = await events.ReadAfterAsync(tail.Tenant, tail.Position, Page, CancellationToken.None);
            var (newRuns, moreRuns) = await runs.ReadAfterAsync(tail.Tenant, tail.Run, Page, CancellationToken.None);
            more = moreEvents || moreRuns;
            tail.Position = newEvents.Count > 0 ? newEvents[^1].Position : tail.Position;
            tail.Run = newRuns.Count > 0 ? newRuns[^1].Id : tail.Run;
            if (newEvents.Count + newRuns.Count > 0)
            {
                tail.Tell(new FeedNews(newEvents, newRuns, false, tail.Position, tail.Run));
            }
        }
    }

    private void End(Subscription subscription)
    {
        lock (_lock)
        {
            var tail = subscription.Tail;
            if (!tail.Remove(subscription))
            {
                _tails.TryRemove(tail.Tenant, out _);
                tail.IsEnded = true;
                tail.Wake();
            }
        }
    }

    /// <summary>A tenant that is looked at, and how far its log has been read.</summary>
    private sealed class Tail(TenantId tenant)
    {
        private TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile Subscription[] _subscriptions = [];

        public TenantId Tenant => tenant;

        public bool IsBegun { get; set; }

        public long Position { get; set; }

        public long Run { get; set; }

        public volatile bool IsEnded;

        public void Wake() => Volatile.Read(ref _woken).TrySetResult();

        /// <summary>Waits until it is woken, or this long; a wake since the last wait counts.</summary>
        public async Task WokenAsync(TimeSpan upTo, TimeProvider time)
        {
            await Volatile.Read(ref _woken).Task.WaitAsync(upTo, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Volatile.Write(ref _woken, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        // Under the feed's lock; they are told without it.
        public void Add(Subscription one) => _subscriptions = [.. _subscriptions, one];

        /// <summary>False where it was the last.</summary>
        public bool Remove(Subscription one) => (_subscriptions = [.. _subscriptions.Where(other => other != one)]).Length > 0;

        public void Tell(FeedNews news)
        {
            foreach (var subscription in _subscriptions)
            {
                subscription.Offer(news);
            }
        }
    }

    /// <summary>Hands news on, one after another; what comes meanwhile is put together.</summary>
    private sealed class Subscription(Feed feed, Tail tail, Func<FeedNews, Task> hear, TimeProvider time, ILogger log) : IDisposable
    {
        private readonly Lock _lock = new();
        private FeedNews? _waiting;
        private bool _isBusy;
        private bool _isEnded;

        public Tail Tail => tail;

        public void Offer(FeedNews news)
        {
            lock (_lock)
            {
                _waiting = _waiting is { } before ? before.Then(news) : news;
                if (_isBusy || _isEnded)
                {
                    return;
                }

                _isBusy = true;
            }

            _ = Task.Run(HandOnAsync);
        }

        public void Dispose()
        {
            lock (_lock)
            {
                _isEnded = true;
            }

            feed.End(this);
        }

        private async Task HandOnAsync()
        {
            while (true)
            {
                Task told;
                await feed._turns.WaitAsync();
                try
                {
                    if (Take() is not { } news)
                    {
                        return;
                    }

                    told = TellAsync(news);
                    if (!told.IsCompleted)
                    {
                        await told.WaitAsync(LongestTurn, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    }
                }
                finally
                {
                    feed._turns.Release();
                }

                await told;
            }
        }

        private async Task TellAsync(FeedNews news)
        {
            try
            {
                await hear(news);
            }
            catch (Exception fault)
            {
                // A screen that fails must not take the others' news along.
                log.LogError(fault, "A screen failed at news of its tenant");
            }
        }

        /// <summary>What waits; null where that is nothing, or the screen is gone, and then nobody hands on any more.</summary>
        private FeedNews? Take()
        {
            lock (_lock)
            {
                (var news, _waiting) = (_isEnded ? null : _waiting, null);
                _isBusy = news is not null;
                return news;
            }
        }
    }
}
