using System.Collections.Immutable;
using Eddy.Tenants;

namespace Eddy.Push;

/// <summary>
/// Tells screens at once that a tenant's cards have come or gone; what there is they read for themselves. News that was lost while the database was away is made up for by a call when it is back.
/// </summary>
public sealed class CardNews(TimeProvider time, ILogger<CardNews> log)
{
    /// <summary>Between two calls of one screen.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(200);

    private readonly Lock _lock = new();
    private ImmutableDictionary<TenantId, ImmutableList<Watching>> _watched = ImmutableDictionary<TenantId, ImmutableList<Watching>>.Empty;

    /// <summary>Calls <paramref name="hear"/> until what it returns is disposed of; never twice at a time, and for what came meanwhile once. Subscribe first, then read.</summary>
    public IDisposable Watch(TenantId tenant, Func<Task> hear)
    {
        var watching = new Watching(this, tenant, hear, time, log);
        lock (_lock)
        {
            _watched = _watched.SetItem(tenant, (_watched.GetValueOrDefault(tenant) ?? []).Add(watching));
        }

        return watching;
    }

    /// <summary>Quick, for it is called on the listener's thread.</summary>
    internal void Hear(string payload)
    {
        if (Guid.TryParse(payload, out var id) && _watched.TryGetValue(new TenantId(id), out var heard))
        {
            heard.ForEach(one => one.Hear());
        }
    }

    internal void LookAtAll()
    {
        foreach (var heard in _watched.Values)
        {
            heard.ForEach(one => one.Hear());
        }
    }

    private sealed class Watching(CardNews news, TenantId tenant, Func<Task> hear, TimeProvider time, ILogger log) : IDisposable
    {
        private int _heard;
        private volatile bool _isEnded;

        public void Hear()
        {
            if (Interlocked.Increment(ref _heard) == 1)
            {
                _ = Task.Run(TellAsync);
            }
        }

        public void Dispose()
        {
            _isEnded = true;
            lock (news._lock)
            {
                if (news._watched.TryGetValue(tenant, out var heard))
                {
                    news._watched = heard.Remove(this) is { Count: > 0 } left ? news._watched.SetItem(tenant, left) : news._watched.Remove(tenant);
                }
            }
        }

        private async Task TellAsync()
        {
            int heard;
            do
            {
                heard = Volatile.Read(ref _heard);
                try
                {
                    await hear();
                }
                catch (Exception fault)
                {
                    // A screen that fails must not take the news after this along.
                    log.LogError(fault, "A screen failed at news of its tenant's cards");
                }

                await Task.Delay(Rest, time);
            }
            while (!_isEnded && Interlocked.CompareExchange(ref _heard, 0, heard) != heard);
        }
    }
}
