using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Eddy.Access;
using Eddy.Cards;
using Eddy.Files;
using Eddy.Processes;
using Eddy.Sites;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Net.Http.Headers;

namespace Eddy.Pages;

/// <summary>The door for pages, at the root of a tenant's host: GET and HEAD, with an ETag of what is shown.</summary>
internal static class PageSite
{
    public static void AddPages(this IServiceCollection services)
    {
        services.TryAddSingleton<ProcessFinder>();
        services.AddSingleton<PageStore>().AddSingleton<PageSources>().AddSingleton<PageFaults>().AddSingleton<PageDesk>().AddSingleton<LivePages>();
        services.AddSignalR().AddHubOptions<PageHub>(options =>
        {
            (options.MaximumReceiveMessageSize, options.EnableDetailedErrors, options.MaximumParallelInvocationsPerClient) = (4096, false, 1);
        });
    }

    public static void MapPages(this IEndpointRouteBuilder site)
    {
        site.MapHub<PageHub>(Site.Ours + "/live", options =>
        {
            // One request that stays: what browsers tell of its origin is looked at once.
            options.Transports = Microsoft.AspNetCore.Http.Connections.HttpTransportType.WebSockets;
            (options.ApplicationMaxBufferSize, options.TransportMaxBufferSize) = (8192, 256 * 1024);
        });
        site.MapClientApi();
        site.MapMethods("/{**address}", [HttpMethods.Get, HttpMethods.Head], AnswerAsync);
    }

    /// <summary>The process that a request names; null for none, and where that is no number.</summary>
    public static long? PidOf(string? text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && pid > 0 ? pid : null;

    private static async Task<IResult> AnswerAsync(HttpContext context, PageDesk desk, Visitors visitors, FileStore files, CardStore cards, CancellationToken cancel)
    {
        var visitor = await visitors.OfAsync(context, cancel);
        var address = context.Request.Path.Value ?? "/";
        switch (await desk.FindAsync(visitor, address, PidOf(context.Request.Query["pid"]), cancel))
        {
            case PageOutcome.There there:
                return await ShowAsync(context, desk, there.Page, StatusCodes.Status200OK, cancel);
            case PageOutcome.AsksWho:
                context.Response.Headers.CacheControl = "no-store";
                return Results.LocalRedirect(SiteSignIn.PathFor(address + context.Request.QueryString));
            case PageOutcome.NotForThem notForThem:
                context.Response.Headers.CacheControl = "no-store";
                return Notice(StatusCodes.Status403Forbidden, "This page is not for you", notForThem.Group == AccessGroup.Registered
                    ? $"It is for members of {visitor.Site.Slug}. You are signed in as {visitor.Address}."
                    : $"It is for those in {notForThem.Group}. You are signed in as {visitor.Address}; ask an owner of {visitor.Site.Slug} to put you into that group.");
            default:
                if (await SitePlaces.FindAsync(context, files, cards, visitors, cancel) is { } other)
                {
                    return other;
                }

                var set = await desk.SetAsync(visitor.Site.Tenant, cancel);
                return set.Has(PagePath.NotFound) && await desk.ForAsync(visitor, set, PagePath.NotFound, null, cancel) is PageOutcome.There nothing
                    ? await ShowAsync(context, desk, nothing.Page, StatusCodes.Status404NotFound, cancel)
                    : SitePlaces.Nothing(context);
        }
    }

    private static async Task<IResult> ShowAsync(HttpContext context, PageDesk desk, PageAsked page, int status, CancellationToken cancel)
    {
        PageRendering rendering;
        try
        {
            rendering = await desk.RenderAsync(page, cancel);
        }
        catch (PageFault)
        {
            context.Response.Headers.CacheControl = "no-store";
            return Notice(StatusCodes.Status500InternalServerError, "This page can not be shown", "Something in it is not in order. Whoever wrote it sees what, in the IDE.");
        }

        var headers = context.Response.GetTypedHeaders();
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(rendering.Html)).AsSpan(0, 12))}\"");
        headers.CacheControl = new CacheControlHeaderValue { NoCache = true, Private = page.Reader != PageReader.Anybody };
        headers.ETag = tag;
        context.Response.Headers.Vary = "Cookie";
        return status == StatusCodes.Status200OK && context.Request.GetTypedHeaders().IfNoneMatch.Any(one => one.Compare(tag, useStrongComparison: false) || one.Tag == "*")
            ? Results.StatusCode(StatusCodes.Status304NotModified)
            : Results.Text(rendering.Html, "text/html", Encoding.UTF8, status);
    }

    private static RazorComponentResult<SiteNotice> Notice(int status, string title, string text) =>
        new(new Dictionary<string, object?> { [nameof(SiteNotice.Title)] = title, [nameof(SiteNotice.Text)] = text }) { StatusCode = status };
}
