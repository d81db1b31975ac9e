using System.Text;
using System.Text.RegularExpressions;
using MimeKit;
using MimeKit.Utils;

namespace Eddy.Mail.Inbox;

/// <summary>What a mail server tells of a delivery: by RFC 3464 where it does so, else what its words say.</summary>
internal static partial class BounceReader
{
    private const int MostScanned = 64 << 10;

    public static BounceReport Of(MimeMessage message, string text)
    {
        var words = text.Length > MostScanned ? text[..MostScanned] : text;
        var report = message.BodyParts.OfType<MessageDeliveryStatus>().FirstOrDefault() is { } status ? Told(status) : null;
        var receiver = report?.Receiver ?? HeaderText.Address(HeaderText.Value(message.Headers, "X-Failed-Recipients")?.Split(',')[0]) ?? Named(words);
        return new BounceReport(
            Original(message, words), receiver, report?.Status ?? (Code().Match(words) is { Success: true } code ? code.Value : null), report?.Action ?? "failed", report?.Detail ?? Line(words));
    }

    private static BounceReport? Told(MessageDeliveryStatus status)
    {
        // The first group is about the mail, each other about one receiver; that which failed is what matters.
        var receivers = status.StatusGroups.Where(group => group.Contains("Action") || group.Contains("Final-Recipient")).ToList();
        var group = receivers.FirstOrDefault(one => Action(one) == "failed") ?? receivers.FirstOrDefault();
        return group is null ? null : new BounceReport(
            null,
            Receiver(group, "Original-Recipient") ?? Receiver(group, "Final-Recipient"),
            Code().Match(HeaderText.Value(group, "Status") ?? "") is { Success: true } code ? code.Value : null,
            Action(group),
            HeaderText.Line(Behind(HeaderText.Value(group, "Diagnostic-Code")), 500));
    }

    private static string Action(HeaderList group) => HeaderText.Line(HeaderText.Value(group, "Action") ?? "failed", 40).ToLowerInvariant();

    private static string? Receiver(HeaderList group, string name) => HeaderText.Address(Behind(HeaderText.Value(group, name)));

    // "rfc822; ann@acme.test"
    private static string? Behind(string? value) => value?[(value.IndexOf(';', StringComparison.Ordinal) + 1)..];

    private static string? Original(MimeMessage message, string words)
    {
        foreach (var part in message.BodyParts.Concat(Multiparts(message.Body)))
        {
            switch (part)
            {
                case MessagePart { Message: { } inner } when HeaderText.MessageId(inner.Headers) is { } id:
                    return id;
                case MimePart { Content: { } content } headers when headers.ContentType.IsMimeType("text", "rfc822-headers"):
                    using (var stream = content.Open())
                    {
                        if (HeaderText.MessageId(HeaderList.Load(stream)) is { } id)
                        {
                            return id;
                        }
                    }

                    break;
            }
        }

        return Id().Match(words) is { Success: true } match ? HeaderText.Line(MimeUtils.ParseMessageId(match.Groups[1].Value) ?? match.Groups[1].Value.Trim('<', '>')) : null;
    }

    private static IEnumerable<MimeEntity> Multiparts(MimeEntity? body) => body is Multipart multipart ? multipart.Concat(multipart.SelectMany(Multiparts)) : [];

    private static string? Named(string words) => Angled().Matches(words).Select(match => HeaderText.Address(match.Groups[1].Value)).FirstOrDefault(address => address is not null);

    private static string Line(string words)
    {
        var line = new StringBuilder();
        foreach (var one in words.AsSpan().EnumerateLines())
        {
            if (line.Length < 300 && !one.IsWhiteSpace())
            {
                line.Append(line.Length > 0 ? " " : "").Append(one.Trim());
            }
        }

        return HeaderText.Line(line.ToString(), 500);
    }

    [GeneratedRegex(@"\b[245]\.[0-9]{1,3}\.[0-9]{1,3}\b", RegexOptions.CultureInvariant)]
    private static partial Regex Code();

    [GeneratedRegex(@"^[ \t>]{0,8}Message-ID:\s{0,4}(<[^<>\s]{1,500}>)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.Multiline)]
    private static partial Regex Id();

    [GeneratedRegex(@"<([^<>\s@]{1,64}@[^<>\s@]{1,190})>", RegexOptions.CultureInvariant)]
    private static partial Regex Angled();
}
