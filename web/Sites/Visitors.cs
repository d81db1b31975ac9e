using System.Collections.Concurrent;
using Eddy.Access;
using Eddy.Identity;

namespace Eddy.Sites;

/// <summary>Finds out who asks at a tenant's host. Ask again whenever it matters: it is true of that moment, and whoever was removed is nobody within a second.</summary>
public sealed class Visitors(SiteCookie cookie, EndedSiteCookies ended, Sessions sessions, AccessStore accesses)
{
    private const int MostKnown = 10_000;

    private readonly ConcurrentDictionary<(Guid Session, Guid Tenant), (string Mark, Guid Person, ActorAccess Access)> _known = new();

    public async Task<Visitor> OfAsync(HttpContext context, CancellationToken cancel)
    {
        var site = context.Site();
        return (cookie.Read(context, site.Tenant) is { } pass && !await ended.HasAsync(site.Tenant, pass, cancel) ? await MemberAsync(site, pass.Session, cancel) : null)
            ?? new Visitor(site, null, await accesses.OfAsync(site.Tenant, new Actor.Anybody(), cancel));
    }

    /// <summary>The member whose session this is; null where it has ended, or they do not belong to the site's tenant.</summary>
    public async Task<Visitor?> MemberAsync(Site site, Guid session, CancellationToken cancel)
    {
        if (await sessions.StandingAsync(session) is not { } standing || standing.MarkOf(site.Slug) is not { } mark)
        {
            return null;
        }

        if (_known.TryGetValue((session, site.Tenant.Value), out var known) && known.Mark == mark && known.Person == standing.Person)
        {
            return new Visitor(site, known.Person, known.Access);
        }

        if ((await accesses.MembersAsync(site.Tenant, cancel)).FirstOrDefault(one => one.Person == standing.Person) is not { } member)
        {
            return null;
        }

        if (_known.Count > MostKnown)
        {
            _known.Clear();
        }

        var access = await accesses.OfAsync(site.Tenant, member, cancel);
        _known[(session, site.Tenant.Value)] = (mark, member.Person, access);
        return new Visitor(site, member.Person, access);
    }
}
