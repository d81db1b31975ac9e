using Eddy.Access;
using Eddy.Tenants;

namespace Eddy.Identity;

/// <summary>
/// A person who is signed in, in one of their tenants: who acts on its screens, and what they may. It is true of the moment at which it was found; <see cref="Seats"/> finds
/// it again.
/// </summary>
/// <param name="Slug">The tenant's name in addresses.</param>
/// <param name="Name">The tenant's name for people.</param>
/// <param name="Zone">The tenant's time zone, in which its screens tell the time.</param>
/// <param name="Role">As <see cref="Member.Role"/>.</param>
/// <param name="Access">What the person may do with KVPs. Its actor's name is the person's address, as events have it.</param>
/// <param name="Names">What those members are called, by address, who have said so.</param>
public sealed record Seat(TenantId Tenant, string Slug, string Name, TimeZoneInfo Zone, Guid Person, string Role, ActorAccess Access, IReadOnlyDictionary<string, string> Names)
{
    /// <summary>As events have it: the person's address.</summary>
    public string Actor => Access.Actor.Name;

    /// <summary>Whom people read of where an actor is written down: a member's own name, else the actor.</summary>
    public string NameOf(string actor) => Names.GetValueOrDefault(actor, actor);

    /// <summary>May change files and secrets, and sees what rules print: owners, editors and admins.</summary>
    public bool MayChangeRules => Access.MayChangeRules;

    /// <summary>May change who may, and everything else: owners and admins.</summary>
    public bool MayAll => Access.MayAll;
}

/// <summary>A tenant to which a person belongs.</summary>
public sealed record Place(TenantId Tenant, string Slug, string Name, string TimeZone, string Role);
