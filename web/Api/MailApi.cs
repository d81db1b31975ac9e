using Eddy.Keys;
using Eddy.Mail.Inbox;
using Eddy.Problems;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>Mail that comes in, over HTTP.</summary>
public static class MailApi
{
    /// <summary>Of a message that is tried.</summary>
    private const int MostBytes = 5 << 20;

    public static void MapMail(this IEndpointRouteBuilder api)
    {
        var mail = api.MapGroup("/mail").WithTags("Mail and cards");
        mail.MapPost("/preview", PreviewAsync).RequireScope(Scope.Read)
            .WithName("PreviewMail").WithSummary("Preview a message")
            .WithDescription(
                "What a message would become if it came to the tenant's inbox now, and why; nothing is stored, and nobody is answered. The body is the message as it is sent (RFC 5322), of any content type, and at most 5 MiB. "
                + "'to=' is the inbox's address to which it would come, as in acme+SECRET@in.example.com; without it, what the receiving server wrote into the message counts, or the plain address. "
                + "'vouched=true' supposes that the domain of the sender vouches for it, which no server has said of a message that was pasted. By a key that acts for a person it takes that they may change rules.")
            .Accepts<string>("message/rfc822", ApiDescription.AnyType)
            .Produces<MailPreviewAnswer>().Refuses(400, 401, 403, 413)
            .WithExample("From: ann@acme.test\nSubject: Room 7\n\ntemperature := 95\n",
                """{"outcome":"accepted","kind":"ordinary","pid":null,"actor":"ann@acme.test","kvps":[{"key":"mail_from","value":"ann@acme.test"},{"key":"temperature","value":95}],"code":null,"why":["It names no process, so it would begin one.","ann@acme.test belongs to the tenant.","Its text sets temperature."],"answerTo":"ann@acme.test","answerWhy":"An answer may go to ann@acme.test, who wrote it.","message":{"from":"ann@acme.test","subject":"Room 7","messageId":null,"date":null,"newText":"temperature := 95","text":"temperature := 95","attachments":[],"notes":[]}}""");
    }

    private static async Task<IResult> PreviewAsync(HttpContext context, InboxPreview preview, CancellationToken cancel, string? to = null, bool vouched = false)
    {
        if (!context.Access().MayChangeRules)
        {
            return new Problem(ProblemType.NotAllowed, "Owners and editors try messages: the answer tells who belongs to the tenant and which processes there are.");
        }

        if (await RequestBody.ReadAsync(context.Request, MostBytes, cancel) is not { } raw)
        {
            return new Problem(ProblemType.BodyTooLarge, $"A message is tried with at most {MostBytes >> 20} MiB; leave its attachments out.");
        }

        if (raw.Length == 0)
        {
            return new Problem(ProblemType.InvalidRequest, "The body is empty: it takes a message as it is sent, headers first.");
        }

        return Results.Ok(MailPreviewAnswer.Of(await preview.OfAsync(context.Holder().Tenant, context.Holder().Slug, raw, to, vouched, cancel)));
    }
}

/// <summary>What a message would become.</summary>
/// <param name="Outcome">accepted, or refused.</param>
/// <param name="Kind">ordinary, autoreply, generated, bounce, list or ours; null where it can not be read.</param>
/// <param name="Pid">The process; null for a new one, or none.</param>
/// <param name="Actor">Who would cause it; null where it is refused.</param>
/// <param name="Kvps">What it would set, in order.</param>
/// <param name="Code">Why it is refused, in a word: not_allowed, no_sender, key_not_allowed, line, too_many, loop, storm, bounce, auto_reply or unreadable. Null where it is accepted.</param>
/// <param name="Why">What leads to that, one sentence each; where it is refused, the last is the reason.</param>
/// <param name="AnswerTo">Where an answer of the product's would go; null where none may.</param>
/// <param name="Message">What was read; null where it can not be read.</param>
public sealed record MailPreviewAnswer(
    string Outcome, string? Kind, long? Pid, string? Actor, IReadOnlyList<MailKvpAnswer> Kvps, string? Code, IReadOnlyList<string> Why, string? AnswerTo, string AnswerWhy, MailMessageAnswer? Message)
{
    internal static MailPreviewAnswer Of(PreviewedMail previewed)
    {
        if (previewed is not { Reading: MessageReading.Read { Mail: var mail }, Decision: { } decision })
        {
            return new("refused", null, null, null, [], "unreadable", [((MessageReading.Refused)previewed.Reading).Why], null, "What can not be read is not answered.", null);
        }

        var message = new MailMessageAnswer(mail.From, mail.Subject, mail.MessageId, mail.Date, mail.NewText, mail.Text, [.. mail.Attachments.Select(one => new MailAttachmentAnswer(one.Name, one.Type, one.Size))], mail.Notes);
        var kind = mail.Kind.ToString().ToLowerInvariant();
        return decision switch
        {
            InboxDecision.Accepted accepted => new(
                "accepted", kind, accepted.Pid, accepted.Actor, [.. accepted.Changes.Select(change => new MailKvpAnswer(change.Key, new RawJson(change.Value!)))], null, accepted.Why, accepted.AnswerTo, accepted.AnswerWhy, message),
            InboxDecision.Refused refused => new("refused", kind, null, null, [], refused.Code, refused.Why, refused.AnswerTo, refused.AnswerWhy, message),
            _ => throw new InvalidOperationException($"Nothing is known of {decision.GetType().Name}."),
        };
    }
}

/// <summary>A KVP that a message would set.</summary>
public sealed record MailKvpAnswer(string Key, RawJson Value);

/// <summary>A message as it was read.</summary>
/// <param name="From">The sender's address; null where it does not name one, or several.</param>
/// <param name="NewText">What its author has written now.</param>
/// <param name="Text">All of it, with what it quotes.</param>
/// <param name="Notes">What one should know of how it was read.</param>
public sealed record MailMessageAnswer(
    string? From, string Subject, string? MessageId, DateTimeOffset? Date, string NewText, string Text, IReadOnlyList<MailAttachmentAnswer> Attachments, IReadOnlyList<string> Notes);

/// <summary>Something attached.</summary>
/// <param name="Type">What its bytes are.</param>
public sealed record MailAttachmentAnswer(string Name, string Type, int Size);
