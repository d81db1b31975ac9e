using Eddy.Mail.Delivery;
using Eddy.Postgres;
using Eddy.Tenants;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Eddy.Mail;

/// <summary>
/// Where a receiver's link leads who wants no more mail. A GET asks, for programs look at links, too; a POST does it, whether the page's button or the receiver's mail program sends it (RFC 8058). Who has
/// the link needs no cookie and no token: it is signed, and does this alone.
/// </summary>
internal static class UnsubscribePage
{
    private const string Address = "/unsubscribe/{slug}/{receiver}/{signature}";

    public static void MapUnsubscribe(this IEndpointRouteBuilder app)
    {
        app.MapGet(Address, AskAsync).ExcludeFromDescription();
        app.MapPost(Address, RecordAsync).ExcludeFromDescription();
    }

    private static async Task<RazorComponentResult> AskAsync(
        HttpContext context, string slug, string receiver, string signature, UnsubscribeLinks links, NpgsqlDataSource source, EddyDbs dbs, CancellationToken cancel) =>
        await FindAsync(slug, receiver, signature, links, source, cancel) is var (tenant, address)
            ? Show(context, address, await NameAsync(tenant, dbs, cancel), isDone: false)
            : Show(context, null, null, isDone: false);

    private static async Task<RazorComponentResult> RecordAsync(
        HttpContext context, string slug, string receiver, string signature, UnsubscribeLinks links, UnsubscribedStore store, NpgsqlDataSource source, EddyDbs dbs, TimeProvider time, CancellationToken cancel)
    {
        if (await FindAsync(slug, receiver, signature, links, source, cancel) is not var (tenant, address))
        {
            return Show(context, null, null, isDone: false);
        }

        await store.AddAsync(tenant, address, time.GetUtcNow(), cancel);
        return Show(context, address, await NameAsync(tenant, dbs, cancel), isDone: true);
    }

    private static async Task<(TenantId Tenant, string Receiver)?> FindAsync(string slug, string receiver, string signature, UnsubscribeLinks links, NpgsqlDataSource source, CancellationToken cancel)
    {
        await using var find = source.CreateCommand("select tenant_of_inbox($1)");
        find.Parameters.Add(new() { Value = slug });
        return await find.ExecuteScalarAsync(cancel) is Guid id && links.Receiver(new TenantId(id), receiver, signature) is { } signed ? (new TenantId(id), signed) : null;
    }

    private static async Task<string> NameAsync(TenantId tenant, EddyDbs dbs, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        return await db.Tenants.Select(one => one.Name).SingleAsync(cancel);
    }

    private static RazorComponentResult<UnsubscribeScreen> Show(HttpContext context, string? receiver, string? tenant, bool isDone)
    {
        context.Response.Headers.CacheControl = "no-store";
        return new RazorComponentResult<UnsubscribeScreen>(new Dictionary<string, object?>
        {
            [nameof(UnsubscribeScreen.Receiver)] = receiver, [nameof(UnsubscribeScreen.Tenant)] = tenant, [nameof(UnsubscribeScreen.IsDone)] = isDone,
        })
        {
            StatusCode = receiver is null ? StatusCodes.Status404NotFound : StatusCodes.Status200OK,
        };
    }
}
