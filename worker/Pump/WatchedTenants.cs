using System.Collections.Concurrent;

namespace Eddy.Pump;

/// <summary>
/// The tenants whose screens are open somewhere: webs tell it again and again (<c>eddy_watch</c>), and are told in turn of each commit that has something of these tenants
/// (<c>eddy_feed</c>). For all others a commit tells nobody, so nothing is paid where nobody looks.
/// </summary>
internal sealed class WatchedTenants(TimeProvider time)
{
    public const string Told = "eddy_feed";

    /// <summary>Webs tell three times within it.</summary>
    private static readonly TimeSpan Life = TimeSpan.FromSeconds(15);

    private readonly ConcurrentDictionary<Guid, long> _seen = new();

    /// <param name="payload">Ids of tenants, with commas.</param>
    public void Hear(string payload)
    {
        foreach (var part in payload.Split(','))
        {
            if (Guid.TryParse(part, out var tenant))
            {
                _seen[tenant] = time.GetTimestamp();
            }
        }
    }

    /// <summary>Adds to what a commit tells that it has something of tenants that are watched.</summary>
    public void Tell(SliceRows rows)
    {
        if (_seen.IsEmpty)
        {
            return;
        }

        List<string>? parts = null;
        foreach (var tenant in rows.Heads.Tenants)
        {
            if (_seen.TryGetValue(tenant, out var at))
            {
                if (time.GetElapsedTime(at) > Life)
                {
                    _seen.TryRemove(KeyValuePair.Create(tenant, at));
                }
                else
                {
                    (parts ??= []).Add(tenant.ToString());
                }
            }
        }

        if (parts is not null)
        {
            rows.Told[Told] = parts;
        }
    }
}
