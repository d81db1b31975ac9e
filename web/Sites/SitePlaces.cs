using Eddy.Cards;
using Eddy.Files;
using Eddy.Pages;
using Eddy.Problems;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Eddy.Sites;

/// <summary>What is at a place of a site where the tenant has no page: a file of <c>workspace/public</c>, at <c>/</c> the home page, or nothing.</summary>
internal static class SitePlaces
{
    private const int MostCards = 100;

    /// <summary>Null where there is nothing.</summary>
    public static async Task<IResult?> FindAsync(HttpContext context, FileStore files, CardStore cards, Visitors visitors, CancellationToken cancel)
    {
        var site = context.Site();
        if (await PublicFiles.FindAsync(context, site.Tenant, files, cancel) is { } file)
        {
            return file;
        }

        return context.Request.Path.Value is "/" ? await HomeAsync(await visitors.OfAsync(context, cancel), context, files, cards, cancel) : null;
    }

    private static async Task<IResult> HomeAsync(Visitor visitor, HttpContext context, FileStore files, CardStore cards, CancellationToken cancel)
    {
        context.Response.Headers.CacheControl = "no-store";
        var isMember = visitor.Address is not null;
        return new RazorComponentResult<SiteHome>(new Dictionary<string, object?>
        {
            [nameof(SiteHome.Visitor)] = visitor,
            [nameof(SiteHome.Cards)] = isMember ? (await cards.ListAsync(visitor.Site.Tenant, new CardQuery(visitor.Address, null, null, null, MostCards), cancel)).Items : [],
            [nameof(SiteHome.Pages)] = isMember ? PagesOf(await files.ListAsync(visitor.Site.Tenant, cancel)) : [],
        });
    }

    /// <summary>Where the tenant's pages are found.</summary>
    internal static IReadOnlyList<string> PagesOf(IEnumerable<FileEntry> files) =>
        [.. files.Select(file => PagePath.AddressOf(file.Path)).OfType<string>()];

    /// <summary>Says that there is nothing.</summary>
    public static IResult Nothing(HttpContext context) =>
        context.Request.Path.StartsWithSegments("/api") || !context.Request.GetTypedHeaders().Accept.Any(one => one.MediaType == "text/html")
            ? new Problem(ProblemType.NotFound)
            : new RazorComponentResult<SiteNotice>(new Dictionary<string, object?>
            {
                [nameof(SiteNotice.Title)] = "There is nothing here", [nameof(SiteNotice.Text)] = $"{context.Request.Host} has no page {context.Request.Path.Value}. Look at the address once more.",
                [nameof(SiteNotice.Href)] = "/", [nameof(SiteNotice.Next)] = "Go to the first page",
            }) { StatusCode = StatusCodes.Status404NotFound };
}
