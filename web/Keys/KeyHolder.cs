using Eddy.Tenants;

namespace Eddy.Keys;

/// <summary>Who calls: a machine with an API key in force, and the tenant for which it acts.</summary>
/// <param name="TimeZone">The tenant's IANA time zone.</param>
public sealed record KeyHolder(TenantId Tenant, string Slug, string TimeZone, Guid KeyId, string Name, IReadOnlyList<string> Scopes)
{
    private long _usedAt;

    /// <summary>The actor of what it causes.</summary>
    public string Actor { get; } = $"key:{Name}";

    public bool May(string scope) => Scopes.Contains(scope);

    /// <summary>When the key was used last, in UTC ticks; 0 where that has been noted.</summary>
    internal long UsedAt => Volatile.Read(ref _usedAt);

    internal void Use(DateTimeOffset now) => Volatile.Write(ref _usedAt, now.UtcTicks);

    internal long TakeUse() => Interlocked.Exchange(ref _usedAt, 0);
}
