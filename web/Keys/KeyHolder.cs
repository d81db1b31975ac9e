using Eddy.Access;
using Eddy.Tenants;

namespace Eddy.Keys;

/// <summary>Who calls: a machine with an API key in force, the tenant that it is of, and who acts by it.</summary>
/// <param name="TimeZone">The tenant's IANA time zone.</param>
public sealed record KeyHolder(TenantId Tenant, string Slug, string TimeZone, Guid KeyId, string Name, IReadOnlyList<string> Scopes, Actor Who)
{
    private long _usedAt;

    /// <summary>The actor of what it causes, as events have it.</summary>
    public string Actor => Who.Name;

    /// <summary>What the tenant itself may. Of a person <see cref="KeyGate"/> asks what they may.</summary>
    internal ActorAccess? Unbound { get; } = Who is Actor.ForTenant ? ActorAccess.OfTenant(Who) : null;

    public bool May(string scope) => Scopes.Contains(scope);

    /// <summary>When the key was used last, in UTC ticks; 0 where that has been noted.</summary>
    internal long UsedAt => Volatile.Read(ref _usedAt);

    internal void Use(DateTimeOffset now) => Volatile.Write(ref _usedAt, now.UtcTicks);

    internal long TakeUse() => Interlocked.Exchange(ref _usedAt, 0);
}
