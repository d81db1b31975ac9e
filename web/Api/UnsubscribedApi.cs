using Eddy.Keys;
using Eddy.Mail;
using Eddy.Problems;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>Who wants no more mail of a tenant's rules, over HTTP.</summary>
public static class UnsubscribedApi
{
    private const int MostListed = 500;

    public static void MapUnsubscribed(this IEndpointRouteBuilder api)
    {
        var unsubscribed = api.MapGroup("/unsubscribed").WithTags("Mail and cards");
        unsubscribed.MapGet("/", ListAsync).RequireScope(Scope.Read)
            .WithName("ListUnsubscribed").WithSummary("List who has unsubscribed")
            .WithDescription("By their addresses. Mails of rules do not go to them. The list goes on with 'after=', the last address of the page before, as long as there is a 'next'.")
            .Produces<UnsubscribedListAnswer>().Refuses(400, 401, 403)
            .WithExample(null, """{"unsubscribed":[{"receiver":"anna@shop.test","at":"2026-11-28T10:00:00+00:00"}],"next":null}""");
        unsubscribed.MapDelete("/{receiver}", LiftAsync).RequireScope(Scope.Write)
            .WithName("LiftUnsubscribed").WithSummary("Send mail to somebody again")
            .WithDescription("Mails of rules go to this address again. Do so when its owner has asked for it.")
            .Produces(204).Refuses(401, 403, 404);
    }

    private static async Task<IResult> ListAsync(HttpContext context, UnsubscribedStore store, CancellationToken cancel, string? after = null, int limit = 100)
    {
        if (Limit.Fault(limit, MostListed) is { } fault)
        {
            return fault;
        }

        var found = await store.ListAsync(context.Holder().Tenant, after, limit + 1, cancel);
        return Results.Ok(new UnsubscribedListAnswer([.. found.Take(limit).Select(one => new UnsubscribedAnswer(one.Receiver, one.At))], found.Count > limit ? found[limit - 1].Receiver : null));
    }

    private static async Task<IResult> LiftAsync(HttpContext context, string receiver, UnsubscribedStore store, CancellationToken cancel) =>
        await store.LiftAsync(context.Holder().Tenant, receiver, cancel) ? Results.NoContent() : new Problem(ProblemType.NotFound, $"{receiver} has not unsubscribed.");
}

/// <summary>Somebody who wants no more mail.</summary>
/// <param name="At">When they said so.</param>
public sealed record UnsubscribedAnswer(string Receiver, DateTimeOffset At);

/// <summary>A page of them.</summary>
/// <param name="Next">What 'after' is for the next page; null at the end.</param>
public sealed record UnsubscribedListAnswer(IReadOnlyList<UnsubscribedAnswer> Unsubscribed, string? Next);
