using System.Text.Json;
using Eddy.Cards;
using Eddy.Pages;
using Eddy.Push;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Eddy.Sites;

/// <summary>Shows a draft on its tenant's host, as the one who typed it would see the page or card; a page as it would be rendered now, for as long as it is looked at.</summary>
internal static class DraftPage
{
    private const string Address = SiteDrafts.Path + "{token}";

    /// <summary>Between two renderings.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(200);

    /// <summary>So often it is looked whether they may still see it, and whether another file was saved that it includes.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(3);

    /// <summary>Whether the file is one that can be shown.</summary>
    public static bool Shows(string path) => CardFile.NameOf(path) is not null || PagePath.AddressOf(path) is not null;

    public static void MapDrafts(this IEndpointRouteBuilder site)
    {
        site.MapGet(Address, ShowAsync);
        site.MapGet(Address + "/events", FollowAsync);
    }

    private static async Task<IResult> ShowAsync(HttpContext context, string token, string? pid, SiteDrafts drafts, Visitors visitors, CardDesk cards, PageDesk pages, CancellationToken cancel)
    {
        SiteHeaders.SetDraft(context);
        if (await OpenAsync(context, token, drafts, visitors, cancel) is not var (visitor, path, text))
        {
            return Say(StatusCodes.Status404NotFound, "This preview has ended", "Type in the editor, and it is there again.");
        }

        var process = PageSite.PidOf(pid);
        if (CardFile.NameOf(path) is not { } card)
        {
            return PagePath.AddressOf(path) is not null
                ? await PageAsync(visitor, path, text, process, pages, cancel)
                : Say(StatusCodes.Status404NotFound, "There is nothing to show", "This file is no page and no card.");
        }

        return await cards.StateAsync(visitor.Site, process, visitor.Access, cancel) is { } state
            ? Html(CardPage.Write(card, CardFile.Parse(text), state, new CardAsk("#", null) { IsPreview = true }))
            : Say(StatusCodes.Status404NotFound, "There is no such process", $"{visitor.Site.Name} has no process {process}. Choose another above, or none.");
    }

    private static async Task<IResult> PageAsync(Visitor visitor, string path, string text, long? pid, PageDesk pages, CancellationToken cancel)
    {
        try
        {
            return await RenderAsync(visitor, path, text, pid, pages, cancel) is { } rendering
                ? Html(rendering.Html)
                : Say(StatusCodes.Status403Forbidden, "This page is not for you", "Its eddy-access names a group that you are not in.");
        }
        catch (PageFault fault)
        {
            return Say(StatusCodes.Status422UnprocessableEntity, "This page can not be shown", fault.Message);
        }
    }

    /// <summary>Tells a draft of a page, again and again, as what it is rendered now: server-sent events, whose data is the page as JSON.</summary>
    private static async Task<IResult> FollowAsync(
        HttpContext context, string token, string? pid, SiteDrafts drafts, Visitors visitors, PageDesk pages, Feed feed, IHostApplicationLifetime life, TimeProvider time, CancellationToken cancel)
    {
        if (await OpenAsync(context, token, drafts, visitors, cancel) is not var (first, path, _) || PagePath.AddressOf(path) is null)
        {
            return Results.NotFound();
        }

        // What asks has no origin; the address alone opens it, and no cookie.
        (context.Response.ContentType, context.Response.Headers.CacheControl, context.Response.Headers.AccessControlAllowOrigin) = ("text/event-stream", "no-store", "*");
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel, life.ApplicationStopping);
        var news = new DraftNews();
        using var watch = feed.Watch(first.Site.Tenant, told =>
        {
            news.Hear(told);
            return Task.CompletedTask;
        });
        var shown = "";
        try
        {
            while (await OpenAsync(context, token, drafts, visitors, end.Token) is var (visitor, _, text))
            {
                news.Begin();
                try
                {
                    if (await RenderAsync(visitor, path, text, PageSite.PidOf(pid), pages, end.Token) is not { } rendering)
                    {
                        break;
                    }

                    news.Concern(rendering.Reads);
                    if (rendering.Html != shown)
                    {
                        shown = rendering.Html;
                        await context.Response.WriteAsync($"data: {JsonSerializer.Serialize(shown)}\n\n", end.Token);
                        await context.Response.Body.FlushAsync(end.Token);
                    }
                }
                catch (PageFault)
                {
                    // What was shown stays; the next news may mend it.
                }

                await Task.Delay(Rest, time, end.Token);
                await news.CameAsync(Tick, time, end.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody looks any more, or the web stops.
        }

        return Results.Empty;
    }

    /// <summary>Who looks at which file, and what is typed there; null where they may not any more.</summary>
    private static async Task<(Visitor Visitor, string Path, string Text)?> OpenAsync(HttpContext context, string token, SiteDrafts drafts, Visitors visitors, CancellationToken cancel)
    {
        var site = context.Site();
        return drafts.Read(site.Tenant, token) is var (session, path)
            && await visitors.MemberAsync(site, session, cancel) is { Person: { } person, Access.MayChangeRules: true } visitor
            && await drafts.FindAsync(site.Tenant, person, path, cancel) is { } text
            ? (visitor, path, text)
            : null;
    }

    /// <summary>Null where the page is not for them.</summary>
    private static async Task<PageRendering?> RenderAsync(Visitor visitor, string path, string text, long? pid, PageDesk pages, CancellationToken cancel)
    {
        var set = (await pages.SetAsync(visitor.Site.Tenant, cancel)).With(path, text);
        return await pages.ForAsync(visitor, set, path, pid, cancel) is PageOutcome.There there ? await pages.RenderAsync(there.Page, cancel) : null;
    }

    private static IResult Html(string html) => Results.Content(html, "text/html; charset=utf-8");

    private static RazorComponentResult<SiteNotice> Say(int status, string title, string text) =>
        new(new Dictionary<string, object?> { [nameof(SiteNotice.Title)] = title, [nameof(SiteNotice.Text)] = text }) { StatusCode = status };
}
