using Eddy.Tenants;

namespace Eddy.Sites;

/// <summary>
/// A tenant's own host: its pages, cards and API scripts, an origin apart from the platform's and from that of every other tenant. Nothing of the platform answers there, and no cookie of the platform comes
/// there; what is ours on it lies below <see cref="Ours"/>.
/// </summary>
/// <param name="Slug">The tenant's name in addresses.</param>
/// <param name="Name">The tenant's name for people.</param>
/// <param name="Zone">The tenant's time zone, in which its pages tell the time.</param>
/// <param name="Origin">The host as it was asked for: a tenant may have several.</param>
public sealed record Site(TenantId Tenant, string Slug, string Name, TimeZoneInfo Zone, Uri Origin)
{
    public const string Ours = "/_eddy";
}

/// <summary>On endpoints of the tenants' hosts: the platform's host never has them.</summary>
public sealed record OnSite;

internal static class SiteOfRequest
{
    /// <summary>The tenant's host at which this request came in.</summary>
    public static Site Site(this HttpContext context) => context.Features.Get<Site>() ?? throw new InvalidOperationException("The request came in at no tenant's host.");
}
