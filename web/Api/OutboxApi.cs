using Eddy.Keys;
using Eddy.Mail;
using Eddy.Problems;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>The mails that rules have sent, over HTTP.</summary>
public static class OutboxApi
{
    private const int MostListed = 500;

    public static void MapOutbox(this IEndpointRouteBuilder api)
    {
        var outbox = api.MapGroup("/outbox").WithTags("Mail and cards");
        outbox.MapGet("/", ListAsync).RequireScope(Scope.Read)
            .WithName("ListMails").WithSummary("List mails")
            .WithDescription("Newest first. 'pid=' keeps those about one process, 'run=' those of one run. The list goes on as long as there is a 'next', which is also in the Link header.")
            .Produces<MailListAnswer>().Refuses(400, 401, 403)
            .WithExample(null, """{"mails":[{"id":12001,"run":12,"pid":15,"at":"2026-11-23T10:00:00+00:00","to":["ops@acme.test"],"subject":"It is 95 degrees (PID:15)","state":"waiting","tries":1,"nextAt":"2026-11-23T10:01:00+00:00","endedAt":null,"error":"The mail server mx.example.com:587 can not be reached: Connection refused"}],"next":null}""");
        outbox.MapGet("/{id:long:min(1)}", ReadAsync).RequireScope(Scope.Read)
            .WithName("ReadMail").WithSummary("Read a mail")
            .WithDescription("One mail as it goes out: text, HTML, and the KVPs that go along.")
            .Produces<MailDetailAnswer>().Refuses(401, 403, 404);
        outbox.MapPost("/{id:long:min(1)}/retry", RetryAsync).RequireScope(Scope.Write)
            .WithName("RetryMail").WithSummary("Deliver a mail again")
            .WithDescription("Has a mail that waits, failed or was cancelled tried at once, and for two days, for those receivers who do not have it.")
            .Produces(204).Refuses(401, 403, 404, 422);
        outbox.MapDelete("/{id:long:min(1)}", CancelAsync).RequireScope(Scope.Write)
            .WithName("CancelMail").WithSummary("Cancel a mail")
            .WithDescription("A mail that waits is delivered to nobody any more. It stays in the outbox, and can be tried again.")
            .Produces(204).Refuses(401, 403, 404, 422);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, OutboxStore outbox, CancellationToken cancel, long? pid = null, long? run = null, int limit = 100, string? cursor = null)
    {
        if (Limit.Fault(limit, MostListed) is { } fault)
        {
            return fault;
        }

        if (run is < 1 or > long.MaxValue / 1001)
        {
            return new Problem(ProblemType.InvalidRequest, "'run' is the number of a run: 1 or more.");
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

        var page = await outbox.ListAsync(context.Holder().Tenant, new MailQuery(pid, run, beyond, limit), cancel);
        var next = page.Next is { } end ? Cursor.Of(end) : null;
        if (next is not null)
        {
            Cursor.LinkNext(context, "cursor", next);
        }

        return Results.Ok(new MailListAnswer([.. page.Items.Select(MailAnswer.Of)], next));
    }

    private static async Task<IResult> ReadAsync(HttpContext context, long id, OutboxStore outbox, CancellationToken cancel) =>
        await outbox.ReadAsync(context.Holder().Tenant, id, cancel) is { } mail
            ? Results.Ok(new MailDetailAnswer(mail.Id, mail.Run, mail.Pid, mail.At, mail.To, mail.Subject, mail.State, mail.Tries, mail.NextAt, mail.EndedAt, mail.Error,
                mail.Refused, mail.MessageId, mail.Text!, mail.Html, RawJson.OrNull(mail.Attached)))
            : new Problem(ProblemType.NotFound, $"There is no mail {id}.");

    private static async Task<IResult> RetryAsync(HttpContext context, long id, OutboxStore outbox, CancellationToken cancel) =>
        await outbox.RetryAsync(context.Holder().Tenant, id, cancel)
            ? Results.NoContent()
            : await RefuseAsync(context, id, outbox, mail => mail.State == MailState.Sent ? "All its receivers have it." : "It is being delivered in this moment.", cancel);

    private static async Task<IResult> CancelAsync(HttpContext context, long id, OutboxStore outbox, TimeProvider time, CancellationToken cancel) =>
        await outbox.CancelAsync(context.Holder().Tenant, id, time.GetUtcNow(), cancel)
            ? Results.NoContent()
            : await RefuseAsync(context, id, outbox, mail => mail.State == MailState.Waiting ? "It is being delivered in this moment." : $"It does not wait any more; it is {mail.State}.", cancel);

    private static async Task<Problem> RefuseAsync(HttpContext context, long id, OutboxStore outbox, Func<StoredMail, string> why, CancellationToken cancel) =>
        await outbox.ReadAsync(context.Holder().Tenant, id, cancel) is { } mail
            ? new Problem(ProblemType.Refused, why(mail))
            : new Problem(ProblemType.NotFound, $"There is no mail {id}.");
}

/// <summary>A mail that a rule sent.</summary>
/// <param name="Id">Its number in the tenant.</param>
/// <param name="Run">The run that sent it.</param>
/// <param name="Pid">The process that it is about.</param>
/// <param name="Subject">One line, with the process's number.</param>
/// <param name="State">waiting, sent, partly (some receivers have it, others were refused), failed or cancelled.</param>
/// <param name="Tries">How often it was tried.</param>
/// <param name="NextAt">When it is tried again; null where it is due, or will not be.</param>
/// <param name="EndedAt">When it was sent, failed or was cancelled; null while it waits.</param>
/// <param name="Error">What the last try failed of; null where it did not.</param>
public sealed record MailAnswer(
    long Id, long Run, long Pid, DateTimeOffset At, IReadOnlyList<string> To, string Subject, string State, int Tries, DateTimeOffset? NextAt, DateTimeOffset? EndedAt, string? Error)
{
    internal static MailAnswer Of(StoredMail mail) =>
        new(mail.Id, mail.Run, mail.Pid, mail.At, mail.To, mail.Subject, mail.State, mail.Tries, mail.NextAt, mail.EndedAt, mail.Error);
}

/// <summary>A page of mails.</summary>
/// <param name="Next">The 'cursor' of the next page; null at the end.</param>
public sealed record MailListAnswer(IReadOnlyList<MailAnswer> Mails, string? Next);

/// <summary>A mail with all that it says.</summary>
/// <param name="Refused">Receivers who are refused for good, and why.</param>
/// <param name="MessageId">The same in all tries; null before the first.</param>
/// <param name="Text">As plain text.</param>
/// <param name="Html">As HTML; null where it goes out as text alone.</param>
/// <param name="Attached">The KVPs of the process that go along; null where none do.</param>
public sealed record MailDetailAnswer(
    long Id, long Run, long Pid, DateTimeOffset At, IReadOnlyList<string> To, string Subject, string State, int Tries, DateTimeOffset? NextAt, DateTimeOffset? EndedAt, string? Error,
    IReadOnlyDictionary<string, string> Refused, string? MessageId, string Text, string? Html, RawJson? Attached);
