using Eddy.Cards;
using Eddy.Keys;
using Eddy.Problems;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>The cards that rules show to people, over HTTP.</summary>
public static class CardsApi
{
    private const int MostListed = 500;

    public static void MapCards(this IEndpointRouteBuilder api)
    {
        var cards = api.MapGroup("/cards").WithTags("Mail and cards");
        cards.MapGet("/", ListAsync).RequireScope(Scope.Read)
            .WithName("ListCards").WithSummary("List cards")
            .WithDescription("Those that are not closed, newest first. 'user=' keeps the cards for one user, 'pid=' those about one process. The list goes on as long as there is a 'next', which is also in the Link header.")
            .Produces<CardListAnswer>().Refuses(400, 401, 403)
            .WithExample(null, """{"cards":[{"id":12002,"run":12,"pid":15,"at":"2026-11-23T10:00:00+00:00","name":"welcome","user":"ops@acme.test","state":"waiting"}],"next":null}""");
        cards.MapDelete("/{id:long:min(1)}", CloseAsync).RequireScope(Scope.Write)
            .WithName("CloseCard").WithSummary("Close a card")
            .WithDescription("Nobody sees it any more. The record of its run still names it.")
            .Produces(204).Refuses(401, 403, 404);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, CardStore cards, CancellationToken cancel, string? user = null, long? pid = null, int limit = 100, string? cursor = null)
    {
        if (Limit.Fault(limit, MostListed) is { } fault)
        {
            return fault;
        }

        if (user?.Contains('\0') == true)
        {
            return new Problem(ProblemType.InvalidRequest, "'user' has a NUL in it.");
        }

        long? beyond = null;
        if (cursor is not null)
        {
            if (!Cursor.TryRead(cursor, out var last))
            {
                return Cursor.Fault(cursor);
            }

            beyond = last;
        }

        var page = await cards.ListAsync(context.Holder().Tenant, new CardQuery(user, pid, null, beyond, limit), cancel);
        var next = page.Next is { } end ? Cursor.Of(end) : null;
        if (next is not null)
        {
            Cursor.LinkNext(context, "cursor", next);
        }

        return Results.Ok(new CardListAnswer([.. page.Items.Select(CardAnswer.Of)], next));
    }

    private static async Task<IResult> CloseAsync(HttpContext context, long id, CardStore cards, TimeProvider time, CancellationToken cancel) =>
        await cards.CloseAsync(context.Holder().Tenant, id, time.GetUtcNow(), cancel)
            ? Results.NoContent()
            : new Problem(ProblemType.NotFound, $"There is no card {id}, or it is closed already.");
}

/// <summary>A card that a rule shows.</summary>
/// <param name="Id">Its number in the tenant.</param>
/// <param name="Run">The run that shows it.</param>
/// <param name="Pid">The process that it is about.</param>
/// <param name="User">Who is to see it.</param>
/// <param name="State">waiting, shown or closed.</param>
public sealed record CardAnswer(long Id, long Run, long Pid, DateTimeOffset At, string Name, string User, string State)
{
    internal static CardAnswer Of(StoredCard card) => new(card.Id, card.Run, card.Pid, card.At, card.Name, card.User, card.State);
}

/// <summary>A page of cards.</summary>
/// <param name="Next">The 'cursor' of the next page; null at the end.</param>
public sealed record CardListAnswer(IReadOnlyList<CardAnswer> Cards, string? Next);
