using System.Net;
using System.Text;
using System.Text.Json;
using Eddy.Kvps;
using Eddy.Mail.Inbox;
using MimeKit;
using MimeKit.Text;
using MimeKit.Utils;

namespace Eddy.Mail.Delivery;

/// <summary>
/// A mail of the outbox as a message: text, and HTML where there is any, with the KVPs that go along; headers by which programs know that no person wrote it, and we that it is ours. What tenants
/// write comes into headers by MimeKit alone, as text of one line, so none of it can begin another header.
/// </summary>
public static class OutgoingMessage
{
    private const int MostInThread = 10;
    private const int MostIdCharacters = 250;

    /// <param name="domain">What stands behind the @ of the sender.</param>
    /// <param name="replyTo">Where answers go; null for the sender.</param>
    public static MimeMessage Of(DueMail mail, Parcel parcel, string domain, string? replyTo)
    {
        var message = new MimeMessage { MessageId = mail.MessageId, Date = mail.At, Subject = OneLine(mail.Subject) };
        message.From.Add(new MailboxAddress(Encoding.UTF8, OneLine(mail.TenantName), $"{mail.Slug}@{domain}"));
        message.To.AddRange(parcel.To.Select(receiver => new MailboxAddress(null, receiver)));
        if (replyTo is not null)
        {
            message.ReplyTo.Add(new MailboxAddress(null, replyTo));
        }

        // RFC 3834: programs do not answer it. Exchange does not know that header, but its own.
        message.Headers.Add(HeaderId.AutoSubmitted, "auto-generated");
        message.Headers.Add("X-Auto-Response-Suppress", "OOF, AutoReply");
        message.Headers.Add(MessageKinds.OwnHeader, mail.Slug);
        if (parcel.Unsubscribe is { } unsubscribe)
        {
            message.Headers.Add(HeaderId.ListUnsubscribe, unsubscribe.Header);
            if (unsubscribe.IsOneClick)
            {
                message.Headers.Add(HeaderId.ListUnsubscribePost, "List-Unsubscribe=One-Click");
            }
        }

        var before = mail.Thread.TakeLast(MostInThread).ToList();
        if (MessageIdIn(mail.Answers) is { } answered)
        {
            message.InReplyTo = answered;
            before = [.. before.Where(id => id != answered), answered];
        }
        else if (before.Count > 0)
        {
            message.InReplyTo = before[^1];
        }

        message.References.AddRange(before);
        message.Body = Body(mail);
        return message;
    }

    private static MimeEntity Body(DueMail mail)
    {
        var attached = Attached(mail);
        var text = new StringBuilder(mail.Text.ReplaceLineEndings("\n"));
        if (attached.Count > 0)
        {
            text.Append(text.Length > 0 && text[^1] == '\n' ? "\n" : "\n\n");
            foreach (var (key, value) in attached)
            {
                text.Append(key).Append(": ").Append(value.ReplaceLineEndings("\n  ")).Append('\n');
            }
        }

        var plain = new TextPart(TextFormat.Plain) { Text = text.ToString() };
        if (mail.Html is null)
        {
            return plain;
        }

        var html = new StringBuilder("<!doctype html>\n<html><head><meta charset=\"utf-8\"></head><body>\n").Append(mail.Html);
        if (attached.Count > 0)
        {
            html.Append("\n<table>\n");
            foreach (var (key, value) in attached)
            {
                html.Append("<tr><th align=\"left\">").Append(WebUtility.HtmlEncode(key)).Append("</th><td>")
                    .Append(WebUtility.HtmlEncode(value).ReplaceLineEndings("<br>")).Append("</td></tr>\n");
            }

            html.Append("</table>");
        }

        html.Append("\n</body></html>\n");
        return new MultipartAlternative(plain, new TextPart(TextFormat.Html) { Text = html.ToString() });
    }

    private static List<(string Key, string Value)> Attached(DueMail mail)
    {
        if (mail.Attached is null)
        {
            return [];
        }

        using var json = JsonDocument.Parse(mail.Attached);
        return [.. json.RootElement.EnumerateObject().OrderBy(kvp => kvp.Name, StringComparer.Ordinal)
            .Select(kvp => (kvp.Name, PrintedValue.Of(KvpValue.Stored(kvp.Value.GetRawText()), mail.Zone)))];
    }

    // A KVP that anybody could have set.
    private static string? MessageIdIn(string? text) =>
        text is { Length: <= MostIdCharacters } && text.Trim('<', '>').All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-/=^_`{|}~.@[]".Contains(c)) ? MimeUtils.EnumerateReferences(text.StartsWith('<') ? text : $"<{text}>").FirstOrDefault() : null;

    private static string OneLine(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            line.Append(Rune.IsControl(rune) || rune.Value is 0x2028 or 0x2029 ? " " : rune.ToString());
        }

        return line.ToString();
    }
}
