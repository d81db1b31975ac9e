using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Eddy.Access;
using Eddy.Mail;
using Eddy.Sites;

namespace Eddy.Cards;

/// <summary>
/// Cards on a tenant's host: <c>/cards/NAME?pid=</c> for those who belong to the tenant and have signed in there, <c>/card/TOKEN</c> for those who have a link from a mail. To open a link uses up nothing,
/// for programs look at links, too; to answer does.
/// </summary>
internal static class CardPages
{
    private const string Address = "/cards/{name}";
    private const string LinkAddress = "/card/{token}";

    private const string Answered = "answered";

    public static void MapCardPages(this IEndpointRouteBuilder site)
    {
        site.MapGet(Address, ShowAsync);
        site.MapPost(Address, AnswerAsync).DisableAntiforgery();
        site.MapGet(LinkAddress, ShowLinkAsync);
        site.MapPost(LinkAddress, AnswerLinkAsync).DisableAntiforgery();
    }

    private static async Task<IResult> ShowAsync(HttpContext context, string name, string? pid, Visitors visitors, CardDesk desk, CardStore cards, CancellationToken cancel)
    {
        var visitor = await visitors.OfAsync(context, cancel);
        if (visitor.Address is not { } address)
        {
            return SignIn(context);
        }

        var (found, wrong) = await FindAsync(desk, visitor.Site, name, pid, visitor.Access, cancel);
        if (found is not var (card, state))
        {
            return wrong!;
        }

        if (state.Pid is { } process)
        {
            await cards.NoteShownAsync(visitor.Site.Tenant, name, process, People.MailAddress.Form(address), cancel);
        }

        var note = context.Request.Query[Answered].ToString() switch
        {
            "1" => "It is taken. What you see is what is there now.",
            "later" => "It is taken, and waits its turn: what it changes shows here when it is applied.",
            "nothing" => "It is taken. Nothing was changed.",
            _ => null,
        };
        return Page(context, CardPage.Write(name, card, state, new CardAsk(CardAddress.Path(name, state.Pid), note)), StatusCodes.Status200OK);
    }

    private static async Task<IResult> AnswerAsync(HttpContext context, string name, string? pid, Visitors visitors, CardDesk desk, MailOptions mail, CancellationToken cancel)
    {
        var visitor = await visitors.OfAsync(context, cancel);
        if (visitor.Address is null)
        {
            return SignIn(context);
        }

        if (SiteOrigin.Fault(context) is { } foreign)
        {
            return Say(context, StatusCodes.Status403Forbidden, "This was sent from elsewhere", foreign);
        }

        var (found, wrong) = await FindAsync(desk, visitor.Site, name, pid, visitor.Access, cancel);
        if (found is not var (card, state))
        {
            return wrong!;
        }

        var action = CardAddress.Path(name, state.Pid);
        var (body, answer, refusal) = await ReadAsync(context, name, card, state, action, visitor.Site, mail, cancel);
        if (refusal is not null)
        {
            return refusal;
        }

        if (card.Target is { } target)
        {
            await desk.CloseAsync(visitor.Site.Tenant, name, state.Pid, visitor.Access.Actor, cancel);
            return ToScript(target);
        }

        // Within one form the same answer is taken once, and another one is another.
        var outcome = await desk.AnswerAsync(visitor.Site, name, state.Pid, visitor.Access.Actor, answer!, $"{visitor.Person:N}-{Digest(body!, answer!)}", cancel);
        return outcome switch
        {
            CardOutcome.Taken { Pid: null } => Page(context, CardPage.Write(name, card, state, new CardAsk(action, "Nothing was filled in, so nothing was sent.") { Typed = body!.Fields }), StatusCodes.Status200OK),
            CardOutcome.Taken taken => SeeOther(string.Create(CultureInfo.InvariantCulture, $"/cards/{name}?pid={taken.Pid}&{Answered}={(taken.IsNothing ? "nothing" : taken.IsDone ? "1" : "later")}")),
            CardOutcome.AnsweredBefore => SeeOther(string.Create(CultureInfo.InvariantCulture, $"{action}{(state.Pid is null ? '?' : '&')}{Answered}=1")),
            CardOutcome.Refused refused => Page(context, CardPage.Write(name, card, state, new CardAsk(action, refused.Why) { Typed = body!.Fields }), StatusCodes.Status409Conflict),
            _ => throw new InvalidOperationException($"The desk answered {outcome.GetType().Name}."),
        };
    }

    private static async Task<IResult> ShowLinkAsync(HttpContext context, string token, CardLinks links, CardStore cards, AccessStore accesses, CardDesk desk, TimeProvider time, CancellationToken cancel)
    {
        var site = context.Site();
        var (link, access, wrong) = await OpenAsync(context, site, token, links, cards, accesses, time, cancel);
        if (link is null)
        {
            return wrong!;
        }

        var (found, gone) = await FindAsync(desk, site, link.Card, link.Pid.ToString(CultureInfo.InvariantCulture), access!, cancel);
        if (found is not var (card, state))
        {
            return gone!;
        }

        // Who may set nothing is told at once, not after the work.
        var note = card.Fields.Any(field => state.MaySet(field.Key)) || card.Buttons.Any(button => button.Name is not null && state.MaySet(CardKey.Of(button.Name))) || card.Target is not null
            ? null : $"{site.Name} does not let {link.Address} set anything here. Whoever owns {site.Name} can add an entry that does.";
        return Page(context, CardPage.Write(link.Card, card, state, new CardAsk($"/card/{token}", note)), StatusCodes.Status200OK);
    }

    private static async Task<IResult> AnswerLinkAsync(
        HttpContext context, string token, CardLinks links, CardStore cards, AccessStore accesses, CardDesk desk, MailOptions mail, TimeProvider time, CancellationToken cancel)
    {
        var site = context.Site();
        if (SiteOrigin.Fault(context) is { } foreign)
        {
            return Say(context, StatusCodes.Status403Forbidden, "This was sent from elsewhere", foreign);
        }

        var (link, access, wrong) = await OpenAsync(context, site, token, links, cards, accesses, time, cancel);
        if (link is null)
        {
            return wrong!;
        }

        var (found, gone) = await FindAsync(desk, site, link.Card, link.Pid.ToString(CultureInfo.InvariantCulture), access!, cancel);
        if (found is not var (card, state))
        {
            return gone!;
        }

        var (body, answer, refusal) = await ReadAsync(context, link.Card, card, state, $"/card/{token}", site, mail, cancel);
        if (refusal is not null)
        {
            return refusal;
        }

        if (card.Target is { } target)
        {
            if (!await cards.NoteAnsweredAsync(site.Tenant, link, time.GetUtcNow(), cancel))
            {
                return SeeOther($"/card/{token}");
            }

            await desk.CloseAsync(site.Tenant, link.Card, link.Pid, access!.Actor, cancel);
            return ToScript(target);
        }

        // Two answers at once have one attempt, so one of them is taken; what is taken is noted then, for good.
        var attempt = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{link.Mail} {link.Card} {link.Address}")).AsSpan(0, 16));
        var outcome = await desk.AnswerAsync(site, link.Card, link.Pid, access!.Actor, answer!, $"link-{attempt}", cancel);
        if (outcome is CardOutcome.Refused refused)
        {
            return Page(context, CardPage.Write(link.Card, card, state, new CardAsk($"/card/{token}", refused.Why) { Typed = body!.Fields }), StatusCodes.Status409Conflict);
        }

        await cards.NoteAnsweredAsync(site.Tenant, link, time.GetUtcNow(), cancel);
        return SeeOther($"/card/{token}");
    }

    /// <summary>The link, if it is one that can be answered now, and what its receiver may.</summary>
    private static async Task<(CardLink? Link, ActorAccess? Access, IResult? Wrong)> OpenAsync(
        HttpContext context, Site site, string token, CardLinks links, CardStore cards, AccessStore accesses, TimeProvider time, CancellationToken cancel)
    {
        context.Response.Headers["X-Robots-Tag"] = "noindex";
        if (links.Read(site.Tenant, token) is not { } link)
        {
            return (null, null, Say(context, StatusCodes.Status404NotFound, "There is no such card", $"This address is none that {site.Name} has sent. It may have been cut in two: open it from the mail once more."));
        }

        if (await cards.IsAnsweredAsync(site.Tenant, link, cancel))
        {
            return (null, null, Say(context, StatusCodes.Status200OK, "This card is answered", $"What {link.Address} has answered is with {site.Name}. You can close this page."));
        }

        if (link.Until < time.GetUtcNow())
        {
            return (null, null, Say(context, StatusCodes.Status410Gone, "This card has ended", $"It could be answered until {TimeZoneInfo.ConvertTime(link.Until, site.Zone).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}. Ask {site.Name} for another."));
        }

        // Who belongs to the tenant by now has an account, and signs in.
        var actor = await accesses.ActorAsync(site.Tenant, link.Address, cancel);
        return actor is Actor.OfMember ? (null, null, Results.Redirect(CardAddress.Path(link.Card, link.Pid))) : (link, await accesses.OfAsync(site.Tenant, actor, cancel), null);
    }

    private static async Task<((CardFile Card, CardState State)? Found, IResult? Wrong)> FindAsync(CardDesk desk, Site site, string name, string? pid, ActorAccess access, CancellationToken cancel)
    {
        if (await desk.FindAsync(site.Tenant, name, cancel) is not { } card)
        {
            return (null, Html(CardPage.Say("There is no such card", CardName.Is(name) ? $"{site.Name} has no card {name} in force: {CardFile.PathOf(name)} is not there, or has never been without errors." : "A card's name has letters, digits, _ and -.", "/"), StatusCodes.Status404NotFound));
        }

        long? process = null;
        if (!string.IsNullOrEmpty(pid))
        {
            if (!long.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0)
            {
                return (null, Html(CardPage.Say("There is no such process", "pid in the address is the number of a process.", "/"), StatusCodes.Status404NotFound));
            }

            process = number;
        }

        return await desk.StateAsync(site, process, access, cancel) is { } state
            ? ((card, state), null)
            : (null, Html(CardPage.Say("There is no such process", $"{site.Name} has no process {process}.", "/"), StatusCodes.Status404NotFound));
    }

    // What was sent, and what it answers; or the page that says what is wrong with it.
    private static async Task<(CardBody? Body, CardAnswer? Answer, IResult? Refusal)> ReadAsync(HttpContext context, string name, CardFile card, CardState state, string action, Site site, MailOptions mail, CancellationToken cancel)
    {
        var (body, fault) = await CardBody.ReadAsync(context.Request, card, id => $"{mail.Site?.TrimEnd('/')}/t/{site.Slug}/attachments/{id}", cancel);
        if (body is null)
        {
            return (null, null, Say(context, StatusCodes.Status400BadRequest, "This can not be read", fault!));
        }

        var answer = CardForm.Read(card, state, body.Fields, body.Uploads);
        return answer.Errors.Count > 0
            ? (body, null, Page(context, CardPage.Write(name, card, state, new CardAsk(action, null) { Typed = body.Fields, Errors = answer.Errors }), StatusCodes.Status422UnprocessableEntity))
            : (body, answer, null);
    }

    // The browser sends it there once more, as it is.
    private static IResult ToScript(string target) => Results.Redirect($"/api/v1/{target.Replace('.', '/')}", permanent: false, preserveMethod: true);

    private static IResult SignIn(HttpContext context) => Results.Redirect(SiteSignIn.PathFor(context.Request.Path + context.Request.QueryString));

    private static IResult Say(HttpContext context, int status, string title, string sentence)
    {
        context.Response.Headers.CacheControl = "no-store";
        return Html(CardPage.Say(title, sentence, null), status);
    }

    private static IResult Page(HttpContext context, string html, int status)
    {
        context.Response.Headers.CacheControl = "no-store";
        return Html(html, status);
    }

    private static IResult Html(string html, int status) => Results.Content(html, "text/html; charset=utf-8", Encoding.UTF8, status);

    private static SeeOtherResult SeeOther(string address) => new(address);

    private static string Digest(CardBody body, CardAnswer answer) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', answer.Changes.Concat(answer.Shared).Select(change => $"{change.Key}:{change.Value}").Prepend(body.Fields.GetValueOrDefault(CardForm.Attempt) is [var attempt, ..] ? attempt : Guid.NewGuid().ToString("N"))))).AsSpan(0, 16));

    private sealed class SeeOtherResult(string address) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
            httpContext.Response.Headers.Location = address;
            return Task.CompletedTask;
        }
    }
}
