using Eddy.Keys;
using Eddy.Mail;
using Eddy.Mail.Mailboxes;
using Eddy.Problems;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>The mailboxes of a tenant's own, over HTTP.</summary>
public static class MailboxesApi
{
    public static void MapMailboxes(this IEndpointRouteBuilder api)
    {
        var mailboxes = api.MapGroup("/mailboxes").WithTags("Mail and cards");
        mailboxes.MapGet("/", ListAsync).RequireScope(Scope.Read)
            .WithName("ListMailboxes").WithSummary("List mailboxes")
            .WithDescription("The mailboxes that the tenant has added. 'error' says why one can not be read now.")
            .Produces<MailboxListAnswer>().Refuses(401, 403);
        mailboxes.MapPut("/{name}", SaveAsync).RequireScope(Scope.Write)
            .WithName("SaveMailbox").WithSummary("Add a mailbox, or change one")
            .WithDescription("An IMAP mailbox whose messages become events of the tenant. Its password is the tenant's secret of the name 'secret', which has to be for 'host:port'. It is opened before it is saved. Messages that were read go to its folders Processed and Rejected.")
            .Accepts<MailboxBody>("application/json").Produces<MailboxAnswer>().Refuses(400, 401, 403, 422);
        mailboxes.MapDelete("/{name}", DeleteAsync).RequireScope(Scope.Write)
            .WithName("DeleteMailbox").WithSummary("Stop reading a mailbox")
            .WithDescription("It is read no more. What was read stays.")
            .Produces(204).Refuses(401, 403, 404);
    }

    private static async Task<IResult> ListAsync(HttpContext context, MailboxStore store, CancellationToken cancel) =>
        Results.Ok(new MailboxListAnswer([.. (await store.ListAsync(context.Holder().Tenant, cancel)).Select(MailboxAnswer.Of)]));

    private static async Task<IResult> SaveAsync(HttpContext context, string name, MailboxBody body, MailboxStore store, TenantMailboxes mailboxes, TimeProvider time, CancellationToken cancel)
    {
        var holder = context.Holder();
        if (body.Tls is not (null or "Implicit" or "StartTls"))
        {
            return new Problem(ProblemType.InvalidRequest, $"'tls' is '{body.Tls}'; it takes 'Implicit' or 'StartTls'.");
        }

        var mailbox = new StoredMailbox(
            name, (body.Host ?? "").ToLowerInvariant(), body.Port ?? 993, body.Tls == "StartTls" ? MailTls.StartTls : MailTls.Implicit, body.User ?? "", body.Secret ?? "", body.Folder ?? "INBOX")
        {
            ChangedAt = time.GetUtcNow(), ChangedBy = holder.Actor,
        };
        if (mailbox.Faults().ToList() is { Count: > 0 } faults)
        {
            return new Problem(ProblemType.InvalidRequest, string.Join(' ', faults));
        }

        try
        {
            using var opened = await mailboxes.OpenAsync(holder.Tenant, mailbox, cancel);
        }
        catch (MailboxFault fault)
        {
            return new Problem(ProblemType.Refused, $"It was tried, and can not be read. {fault.Message}");
        }

        return await store.SaveAsync(holder.Tenant, mailbox, cancel)
            ? Results.Ok(MailboxAnswer.Of(mailbox))
            : new Problem(ProblemType.Refused, $"A tenant has at most {StoredMailbox.Most} mailboxes.");
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string name, MailboxStore store, CancellationToken cancel) =>
        await store.DeleteAsync(context.Holder().Tenant, name, cancel) ? Results.NoContent() : new Problem(ProblemType.NotFound, $"There is no mailbox '{name}'.");
}

/// <summary>A mailbox to read.</summary>
/// <param name="Host">The IMAP server.</param>
/// <param name="Port">993 where nothing is said.</param>
/// <param name="Tls">'Implicit' (where nothing is said) or 'StartTls'.</param>
/// <param name="Secret">The name of the secret that is its password.</param>
/// <param name="Folder">INBOX where nothing is said.</param>
public sealed record MailboxBody(string? Host, int? Port, string? Tls, string? User, string? Secret, string? Folder);

/// <summary>A mailbox that is read.</summary>
/// <param name="Secret">The name of the secret that is its password.</param>
/// <param name="Error">Why it can not be read now; null where it can.</param>
public sealed record MailboxAnswer(string Name, string Host, int Port, string Tls, string User, string Secret, string Folder, string? Error, DateTimeOffset ChangedAt, string ChangedBy)
{
    internal static MailboxAnswer Of(StoredMailbox mailbox) => new(
        mailbox.Name, mailbox.Host, mailbox.Port, mailbox.Tls.ToString(), mailbox.User, mailbox.Secret, mailbox.Folder, mailbox.Error, mailbox.ChangedAt, mailbox.ChangedBy);
}

/// <summary>The mailboxes of a tenant.</summary>
public sealed record MailboxListAnswer(IReadOnlyList<MailboxAnswer> Mailboxes);
