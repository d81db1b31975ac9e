using System.Globalization;
using MimeKit;
using MimeKit.Cryptography;

namespace Eddy.Mail.Inbox;

/// <summary>
/// Reads the bytes of a message, whoever has made them: what it says, under limits. It never throws for what is in them and ends in a time that grows with their number alone. Nothing is fetched but,
/// by the locator, the keys of signatures.
/// </summary>
public static class MessageReader
{
    private const int MostHeadBytes = 64 << 10;

    /// <param name="keys">Finds the public keys of DKIM signatures, where the receiving server has not said what they are worth; null to leave them unchecked.</param>
    public static async Task<MessageReading> ReadAsync(byte[] raw, MessageSettings settings, IDkimPublicKeyLocator? keys, CancellationToken cancel)
    {
        if (raw.Length > settings.MostBytes)
        {
            return new MessageReading.Refused(
                string.Create(CultureInfo.InvariantCulture, $"It has {raw.Length:N0} bytes, and a message has at most {settings.MostBytes:N0}. Send large files another way, and a link to them by mail."), Head(raw, settings));
        }

        try
        {
            if (MessageCounter.Fault(raw, settings, cancel) is { } fault)
            {
                return new MessageReading.Refused(fault, Head(raw, settings));
            }

            using var stream = new MemoryStream(raw, writable: false);
            using var message = await MimeMessage.LoadAsync(MessageCounter.OptionsFor(settings), stream, cancel);
            if (message.Headers.Count == 0)
            {
                return new MessageReading.Refused("It is no message: it does not begin with headers.", MessageHead.Unknown);
            }

            var verdicts = await MessageVerdicts.OfAsync(message, settings, keys, cancel);
            return new MessageReading.Read(Of(message, verdicts, settings, cancel));
        }
        catch (FormatException fault)
        {
            return new MessageReading.Refused($"It is no message: {HeaderText.Line(fault.Message, 200)}", Head(raw, settings));
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            // The one place where everything is caught: these are a stranger's bytes, and several parsers go through them.
            return new MessageReading.Refused($"It can not be read: {HeaderText.Line(fault.Message, 200)}", Head(raw, settings));
        }
    }

    private static IncomingMail Of(MimeMessage message, MailVerdicts verdicts, MessageSettings settings, CancellationToken cancel)
    {
        var parts = new MessageParts(settings, cancel);
        parts.Add(message.Body);
        var text = parts.Text();
        var (from, name, fromFault) = From(message);
        var returnPath = HeaderText.Value(message.Headers, "Return-Path")?.Trim() is { } path ? path.Trim('<', '>', ' ') is "" ? "" : HeaderText.Address(path) : null;
        var subject = HeaderText.Line(message.Headers[HeaderId.Subject]);
        var (kind, reason) = MessageKinds.Of(message, from, returnPath);
        var (newText, isForward) = NewText.Of(text, subject);
        return new IncomingMail
        {
            From = from,
            FromName = name,
            FromFault = fromFault,
            Sender = HeaderText.Address(message.Sender?.Address),
            DeliveredTo = HeaderText.Address(HeaderText.Topmost(message.Headers, settings.DeliveryHeaders)?.Value),
            ReturnPath = returnPath,
            Subject = subject,
            MessageId = HeaderText.MessageId(message.Headers),
            InReplyTo = HeaderText.Ids(message.Headers, "In-Reply-To"),
            References = HeaderText.Ids(message.Headers, "References"),
            Date = HeaderText.Date(message.Headers),
            Text = text,
            NewText = newText,
            IsForward = isForward,
            Attachments = parts.Attachments,
            Verdicts = verdicts,
            Kind = kind,
            KindReason = reason,
            Bounce = kind == MailKind.Bounce ? BounceReader.Of(message, text) : null,
            ListId = HeaderText.Value(message.Headers, "List-Id") is { } list ? ListName(list) : null,
            WantsNoAnswer = MessageKinds.WantsNoAnswer(message.Headers),
            Notes = parts.Notes,
        };
    }

    private static (string? Address, string Name, string? Fault) From(MimeMessage message)
    {
        var headers = message.Headers.Count(header => header.Id == HeaderId.From);
        var boxes = message.From.Mailboxes.Take(2).ToList();
        return headers > 1 ? (null, "", $"It has {headers} From headers, so nobody can say who wrote it.")
            : boxes.Count == 0 ? (null, "", "It does not say who wrote it: From names no address.")
            : boxes.Count > 1 ? (null, "", "From names more than one address, so nobody can say who wrote it.")
            : HeaderText.Address(boxes[0].Address) is { } address ? (address, HeaderText.Line(boxes[0].Name, 200), null)
            : (null, HeaderText.Line(boxes[0].Name, 200), $"From says '{HeaderText.Line(boxes[0].Address, 100)}', which is no mail address.");
    }

    private static string ListName(string header)
    {
        var (open, close) = (header.LastIndexOf('<'), header.LastIndexOf('>'));
        return HeaderText.Line(open >= 0 && close > open ? header[(open + 1)..close] : header, 200);
    }

    private static MessageHead Head(byte[] raw, MessageSettings settings)
    {
        try
        {
            using var stream = new MemoryStream(raw, 0, HeadLength(raw), writable: false);
            var headers = HeaderList.Load(MessageCounter.OptionsFor(settings), stream);
            var from = InternetAddressList.TryParse(HeaderText.Value(headers, "From") ?? "", out var list) ? list.Mailboxes.FirstOrDefault()?.Address : null;
            return new(HeaderText.Address(HeaderText.Topmost(headers, settings.DeliveryHeaders)?.Value), HeaderText.Address(from), HeaderText.Line(HeaderText.Value(headers, "Subject")), HeaderText.MessageId(headers));
        }
        catch (Exception fault) when (fault is FormatException or IOException or ArgumentException or InvalidOperationException)
        {
            return MessageHead.Unknown;
        }
    }

    // Up to the first line that is blank, or as many whole lines as are looked at.
    private static int HeadLength(byte[] raw)
    {
        var looked = raw.AsSpan(0, Math.Min(raw.Length, MostHeadBytes));
        var (unix, windows) = (looked.IndexOf("\n\n"u8), looked.IndexOf("\n\r\n"u8));
        return unix < 0 && windows < 0 ? (looked.Length < raw.Length ? looked.LastIndexOf((byte)'\n') + 1 : raw.Length) : unix < 0 ? windows + 1 : windows < 0 ? unix + 1 : Math.Min(unix, windows) + 1;
    }
}
