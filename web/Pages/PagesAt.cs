using Eddy.Access;
using Eddy.Sites;
using Eddy.Tenants;

namespace Eddy.Pages;

/// <summary>A page at an address, for one who asks.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Class">The same for all who see the same of it.</param>
internal sealed record PageAsked(Site Site, PageSet Set, string Path, long? Pid, PageReader Reader, string Class);

/// <summary>How asking for a page ended.</summary>
internal abstract record PageOutcome
{
    private PageOutcome()
    {
    }

    public sealed record There(PageAsked Page) : PageOutcome;

    /// <summary>There is one, and it is not for nobody in particular.</summary>
    public sealed record AsksWho : PageOutcome;

    /// <summary>There is one, and it is not for this member.</summary>
    public sealed record NotForThem(string Group) : PageOutcome;

    public sealed record NoPage : PageOutcome;
}

/// <summary>Finds pages, decides for whom they are, and renders them: a few at a time for one tenant, so that none keeps the others waiting.</summary>
public sealed class PageDesk(PageStore pages, PageSources sources, AccessStore accesses, PageFaults faults, TimeProvider time)
{
    private const int AtOnce = 4;

    private readonly System.Collections.Concurrent.ConcurrentDictionary<TenantId, SemaphoreSlim> _turns = new();

    internal Task<PageSet> SetAsync(TenantId tenant, CancellationToken cancel) => pages.ReadAsync(tenant, cancel);

    /// <param name="address">Decoded, with the slash before it.</param>
    internal async Task<PageOutcome> FindAsync(Visitor visitor, string address, long? pid, CancellationToken cancel)
    {
        var set = await pages.ReadAsync(visitor.Site.Tenant, cancel);
        return PagePath.At(address).FirstOrDefault(set.Has) is { } path ? await ForAsync(visitor, set, path, pid, cancel) : new PageOutcome.NoPage();
    }

    internal async Task<PageOutcome> ForAsync(Visitor visitor, PageSet set, string path, long? pid, CancellationToken cancel)
    {
        var audience = set.AudienceOf(path);
        if (!audience.Has(visitor.Access))
        {
            return visitor.Person is null ? new PageOutcome.AsksWho() : new PageOutcome.NotForThem(audience.Group ?? AccessGroup.Registered);
        }

        var reader = new PageReader(audience.IsPublic ? null : visitor.Access, set.MayAskVisitor(path) ? visitor.Address : null);
        var rules = reader.Rights is null ? 0 : (await accesses.ReadAsync(visitor.Site.Tenant, cancel)).Version;
        return new PageOutcome.There(new PageAsked(visitor.Site, set, path, pid, reader, reader.Class(rules)));
    }

    /// <exception cref="PageFault">It can not be shown. Whoever wrote it sees why.</exception>
    internal async Task<PageRendering> RenderAsync(PageAsked page, CancellationToken cancel)
    {
        var turns = _turns.GetOrAdd(page.Site.Tenant, static _ => new SemaphoreSlim(AtOnce));
        await turns.WaitAsync(cancel);
        try
        {
            return await page.Set.RenderAsync(page.Site.Tenant, page.Path, page.Pid, page.Reader, page.Site.Zone, sources, time.GetUtcNow(), cancel);
        }
        catch (PageFault fault)
        {
            faults.Note(page.Site.Tenant, page.Path, page.Set.Version, fault.Message);
            throw;
        }
        finally
        {
            turns.Release();
        }
    }
}
