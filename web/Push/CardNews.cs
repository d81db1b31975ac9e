using System.Collections.Immutable;
using Eddy.Tenants;

namespace Eddy.Push;

/// <summary>
/// Tells screens at once that a tenant's cards have come or gone; what there is they read for themselves. News that was lost while the database was away is made up for by a call when it is back.
/// </summary>
public sealed class CardNews
{
    private readonly Lock _lock = new();
    private ImmutableDictionary<TenantId, ImmutableList<Action>> _watched = ImmutableDictionary<TenantId, ImmutableList<Action>>.Empty;

    /// <summary>Calls <paramref name="hear"/>, which is quick and does not throw, until what it returns is disposed of. Subscribe first, then read.</summary>
    public IDisposable Watch(TenantId tenant, Action hear)
    {
        lock (_lock)
        {
            _watched = _watched.SetItem(tenant, (_watched.GetValueOrDefault(tenant) ?? []).Add(hear));
        }

        return new Watching(this, tenant, hear);
    }

    internal void Hear(string payload)
    {
        if (Guid.TryParse(payload, out var id) && _watched.TryGetValue(new TenantId(id), out var heard))
        {
            heard.ForEach(hear => hear());
        }
    }

    internal void LookAtAll()
    {
        foreach (var heard in _watched.Values)
        {
            heard.ForEach(hear => hear());
        }
    }

    private sealed class Watching(CardNews news, TenantId tenant, Action hear) : IDisposable
    {
        public void Dispose()
        {
            lock (news._lock)
            {
                if (news._watched.TryGetValue(tenant, out var heard))
                {
                    news._watched = heard.Remove(hear) is { Count: > 0 } left ? news._watched.SetItem(tenant, left) : news._watched.Remove(tenant);
                }
            }
        }
    }
}
