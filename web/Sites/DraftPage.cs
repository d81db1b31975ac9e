using Eddy.Access;
using Eddy.Cards;
using Eddy.Kvps;
using Eddy.Pages;
using Eddy.Processes;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Eddy.Sites;

/// <summary>Shows a draft on its tenant's host, as the one who typed it would see the page or card.</summary>
internal static class DraftPage
{
    /// <summary>Whether the file is one that can be shown.</summary>
    public static bool Shows(string path) => CardFile.NameOf(path) is not null || PagePath.AddressOf(path) is not null;

    public static void MapDrafts(this IEndpointRouteBuilder site) => site.MapGet(SiteDrafts.Path + "{token}", ShowAsync);

    private static async Task<IResult> ShowAsync(HttpContext context, string token, SiteDrafts drafts, Visitors visitors, ProcessStore processes, PageDesk pages, TimeProvider time, CancellationToken cancel)
    {
        SiteHeaders.SetDraft(context);
        var site = context.Site();
        if (drafts.Read(site.Tenant, token) is not var (session, path)
            || await visitors.MemberAsync(site, session, cancel) is not { Person: { } person, Access.MayChangeRules: true } visitor
            || await drafts.FindAsync(site.Tenant, person, path, cancel) is not { } text)
        {
            return Say(StatusCodes.Status404NotFound, "This preview has ended", "Type in the editor, and it is there again.");
        }

        return CardFile.NameOf(path) is { } card
            ? Html(CardPage.Write(card, CardFile.Parse(text), await CardStateAsync(visitor, processes, time, cancel), new CardAsk("#", null) { IsPreview = true }))
            : PagePath.AddressOf(path) is not null ? await PageAsync(visitor, path, text, pages, cancel)
            : Say(StatusCodes.Status404NotFound, "There is nothing to show", "This file is no page and no card.");
    }

    private static async Task<IResult> PageAsync(Visitor visitor, string path, string text, PageDesk pages, CancellationToken cancel)
    {
        try
        {
            var set = (await pages.SetAsync(visitor.Site.Tenant, cancel)).With(path, text);
            return await pages.ForAsync(visitor, set, path, null, cancel) is PageOutcome.There there
                ? Html((await pages.RenderAsync(there.Page, cancel)).Html)
                : Say(StatusCodes.Status403Forbidden, "This page is not for you", "Its eddy-access names a group that you are not in.");
        }
        catch (PageFault fault)
        {
            return Say(StatusCodes.Status422UnprocessableEntity, "This page can not be shown", fault.Message);
        }
    }

    /// <summary>A card of no process: answering it would make one.</summary>
    private static async Task<CardState> CardStateAsync(Visitor visitor, ProcessStore processes, TimeProvider time, CancellationToken cancel)
    {
        var shared = await processes.ReadAsync(visitor.Site.Tenant, 0, cancel);
        return new CardState(
            null, new Dictionary<string, string>(), shared?.Kvps.ToDictionary(kvp => kvp.Key, kvp => KvpValue.Stored(kvp.Value), StringComparer.Ordinal) ?? [],
            key => key.IsShared && visitor.Access.May(KeyAct.Read, KvpPlace.Shared, key.Key), _ => true, visitor.Site.Zone, time.GetUtcNow());
    }

    private static IResult Html(string html) => Results.Content(html, "text/html; charset=utf-8");

    private static RazorComponentResult<SiteNotice> Say(int status, string title, string text) =>
        new(new Dictionary<string, object?> { [nameof(SiteNotice.Title)] = title, [nameof(SiteNotice.Text)] = text }) { StatusCode = status };
}
