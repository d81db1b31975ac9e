using Eddy.Access;

namespace Eddy.Sites;

/// <summary>Who asks at a tenant's host: a member who signed in there, or nobody of whom anything is known.</summary>
/// <param name="Person">Null for nobody.</param>
/// <param name="Access">That of <see cref="Actor.OfMember"/> or <see cref="Actor.Anybody"/>.</param>
public sealed record Visitor(Site Site, Guid? Person, ActorAccess Access)
{
    /// <summary>The member's mail address; null for nobody.</summary>
    public string? Address => Person is null ? null : Access.Actor.Name;
}
