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
            .WithExample(null, """{"mails":[{"id":12001,"run":12,"pid":15,"at":"2026-11-23T10:00:00+00:00","to":["ops@acme.test"],"subject":"It is 95 degrees (PID:15)","state":"waiting"}],"next":null}""");
        outbox.MapGet("/{id:long:min(1)}", ReadAsync).RequireScope(Scope.Read)
            .WithName("ReadMail").WithSummary("Read a mail")
            .WithDescription("One mail as it goes out: text, HTML, and the KVPs that go along.")
            .Produces<MailDetailAnswer>().Refuses(401, 403, 404);
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
            ? Results.Ok(new MailDetailAnswer(mail.Id, mail.Run, mail.Pid, mail.At, mail.To, mail.Subject, mail.State, mail.Text!, mail.Html, RawJson.OrNull(mail.Attached)))
            : new Problem(ProblemType.NotFound, $"There is no mail {id}.");
}

/// <summary>A mail that a rule sent.</summary>
/// <param name="Id">Its number in the tenant.</param>
/// <param name="Run">The run that sent it.</param>
/// <param name="Pid">The process that it is about.</param>
/// <param name="Subject">One line, with the process's number.</param>
/// <param name="State">waiting: it is not delivered yet.</param>
public sealed record MailAnswer(long Id, long Run, long Pid, DateTimeOffset At, IReadOnlyList<string> To, string Subject, string State)
{
    internal static MailAnswer Of(StoredMail mail) => new(mail.Id, mail.Run, mail.Pid, mail.At, mail.To, mail.Subject, mail.State);
}

/// <summary>A page of mails.</summary>
/// <param name="Next">The 'cursor' of the next page; null at the end.</param>
public sealed record MailListAnswer(IReadOnlyList<MailAnswer> Mails, string? Next);

/// <summary>A mail with all that it says.</summary>
/// <param name="Text">As plain text.</param>
/// <param name="Html">As HTML; null where it goes out as text alone.</param>
/// <param name="Attached">The KVPs of the process that go along; null where none do.</param>
public sealed record MailDetailAnswer(
    long Id, long Run, long Pid, DateTimeOffset At, IReadOnlyList<string> To, string Subject, string State, string Text, string? Html, RawJson? Attached);
