using System.Globalization;
using Eddy.Identity;
using Eddy.Keys;
using Eddy.Mail;
using Eddy.Mail.Inbox;
using Eddy.Problems;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Api;

/// <summary>
/// What was attached to mail. It is opened by whoever belongs to the tenant, and by whoever was given an address that is signed for a while. Its bytes are a stranger's: they are always a file to be
/// saved, and nothing that a browser shows.
/// </summary>
public static class AttachmentsApi
{
    private const int MostDays = 90;

    /// <summary>For people who are signed in, and for holders of a signed address.</summary>
    public static void MapAttachments(this IEndpointRouteBuilder app) =>
        app.MapGet("/t/{slug}/attachments/{id:guid}", OpenAsync).ExcludeFromDescription();

    /// <summary>For holders of a key.</summary>
    public static void MapAttachmentAddresses(this IEndpointRouteBuilder api)
    {
        var attachments = api.MapGroup("/attachments").WithTags("Mail and cards");
        attachments.MapGet("/{id:guid}", ReadAsync).RequireScope(Scope.Read)
            .WithName("ReadAttachment").WithSummary("Read an attachment")
            .WithDescription("The bytes of a file that was attached to a mail.")
            .Produces(200, contentType: "application/octet-stream").Refuses(401, 403, 404);
        attachments.MapPost("/{id:guid}/address", SignAsync).RequireScope(Scope.Read)
            .WithName("SignAttachment").WithSummary("Make an address that opens an attachment")
            .WithDescription("Whoever has the address can open the attachment for so many days, without signing in.")
            .Produces<AttachmentAddress>().Refuses(400, 401, 403, 404, 503)
            .WithExample(null, """{"address":"https://eddy.example.com/t/acme/attachments/019ac9c0-0000-7000-8000-000000000001?until=1796000000&signature=0f…","until":"2026-12-05T10:00:00+00:00"}""");
    }

    private static async Task<IResult> OpenAsync(
        HttpContext context, string slug, Guid id, Seats seats, InboxStore inbox, AttachmentKeys keys, NpgsqlDataSource source, TimeProvider time, CancellationToken cancel, long? until = null, string? signature = null)
    {
        var tenant = signature is not null
            ? await SignedForAsync(slug, id, until, signature, keys, source, time, cancel)
            : (await seats.FindAsync(context.User, slug, cancel))?.Tenant;
        return tenant is { } found ? await SendAsync(context, found, id, inbox, cancel) : new Problem(ProblemType.NotFound, "There is no such attachment for you. Sign in, or ask for an address that has not ended.");
    }

    private static async Task<TenantId?> SignedForAsync(string slug, Guid id, long? until, string signature, AttachmentKeys keys, NpgsqlDataSource source, TimeProvider time, CancellationToken cancel)
    {
        // Up to the year 9999.
        if (until is not (> 0 and < 253_402_300_800))
        {
            return null;
        }

        var end = DateTimeOffset.FromUnixTimeSeconds(until.Value);
        if (end < time.GetUtcNow())
        {
            return null;
        }

        await using var find = source.CreateCommand("select tenant_of_inbox($1)");
        find.Parameters.Add(new() { Value = slug });
        return await find.ExecuteScalarAsync(cancel) is Guid found && keys.IsSigned(new TenantId(found), id, end, signature) ? new TenantId(found) : null;
    }

    private static Task<IResult> ReadAsync(HttpContext context, Guid id, InboxStore inbox, CancellationToken cancel) => SendAsync(context, context.Holder().Tenant, id, inbox, cancel);

    private static async Task<IResult> SignAsync(HttpContext context, Guid id, InboxStore inbox, AttachmentKeys keys, MailOptions mail, TimeProvider time, CancellationToken cancel, int days = 7)
    {
        if (days is < 1 or > MostDays)
        {
            return new Problem(ProblemType.InvalidRequest, $"'days' is {days}; it takes 1 to {MostDays}.");
        }

        var holder = context.Holder();
        if (await inbox.AttachmentAsync(holder.Tenant, id, cancel) is null)
        {
            return new Problem(ProblemType.NotFound, $"There is no attachment {id}.");
        }

        var until = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().AddDays(days).ToUnixTimeSeconds());
        if (keys.Sign(holder.Tenant, id, until) is not { } signature)
        {
            return new Problem(ProblemType.NoMasterKey, "There is nothing to sign addresses with: the operator has set no master key (Secrets:MasterKeyFile).");
        }

        return Results.Ok(new AttachmentAddress(string.Create(CultureInfo.InvariantCulture, $"{mail.Site?.TrimEnd('/')}/t/{holder.Slug}/attachments/{id}?until={until.ToUnixTimeSeconds()}&signature={signature}"), until));
    }

    private static async Task<IResult> SendAsync(HttpContext context, TenantId tenant, Guid id, InboxStore inbox, CancellationToken cancel)
    {
        if (await inbox.AttachmentAsync(tenant, id, cancel) is not { } found)
        {
            return new Problem(ProblemType.NotFound, $"There is no attachment {id}.");
        }

        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
        context.Response.Headers.CacheControl = "private, no-store";
        return Results.File(found.Content, found.Attachment.Type, found.Attachment.Name);
    }
}

/// <summary>An address that opens an attachment for whoever has it.</summary>
/// <param name="Until">When that ends.</param>
public sealed record AttachmentAddress(string Address, DateTimeOffset Until);
