using System.Formats.Asn1;
using System.Globalization;
using System.Text;
using MimeKit;
using MimeKit.Text;
using MimeKit.Tnef;

namespace Eddy.Mail.Inbox;

/// <summary>Goes through the parts of a message: what is its text, and what is attached. What is inside something else (winmail.dat, a signed message) counts as if it stood there.</summary>
internal sealed class MessageParts(MessageSettings settings, CancellationToken cancel)
{
    /// <summary>Characters of HTML that are looked at.</summary>
    private const int MostHtmlCharacters = 2 << 20;

    private readonly List<IncomingAttachment> _attachments = [];
    private readonly List<string> _notes = [];
    private readonly AttachmentNames _names = new();
    private List<Block> _blocks = [];
    private int _attachedBytes;
    private int _depth;

    private sealed record Block(string Text, bool IsHtml);

    public IReadOnlyList<IncomingAttachment> Attachments => _attachments;

    public IReadOnlyList<string> Notes => [.. _notes.Distinct()];

    /// <summary>The text of all parts that are text, in their order.</summary>
    public string Text()
    {
        var text = string.Join("\n\n", _blocks.Select(block => block.Text.Trim('\n')).Where(block => !string.IsNullOrWhiteSpace(block)));
        if (text.Length <= settings.MostTextCharacters)
        {
            return text;
        }

        _notes.Add(string.Create(CultureInfo.InvariantCulture, $"Its text is cut after {settings.MostTextCharacters:N0} characters."));
        return text[..(char.IsHighSurrogate(text[settings.MostTextCharacters - 1]) ? settings.MostTextCharacters - 1 : settings.MostTextCharacters)];
    }

    public void Add(MimeEntity? entity)
    {
        cancel.ThrowIfCancellationRequested();
        // The parser goes no deeper either; what is unpacked here begins anew in the depth where it was found.
        if (_depth > settings.MostDepth)
        {
            _notes.Add($"Parts more than {settings.MostDepth} inside one another are left out.");
            return;
        }

        _depth++;
        switch (entity)
        {
            case null:
                break;
            case Multipart multipart:
                AddAll(multipart);
                break;
            case MessagePart { Message: { } inner }:
                Attach($"{HeaderText.Line(inner.Headers[HeaderId.Subject], 80)}.eml", Written(inner));
                break;
            case TnefPart tnef:
                AddTnef(tnef);
                break;
            case MimePart part:
                AddPart(part);
                break;
        }

        _depth--;
    }

    private void AddAll(Multipart multipart)
    {
        var type = multipart.ContentType.MediaSubtype.ToLowerInvariant();
        if (type == "alternative")
        {
            AddAlternative(multipart);
        }
        else
        {
            // Behind what is signed stands the signature; a report's other parts are read as a report.
            foreach (var part in type is "signed" or "report" ? multipart.Take(1) : multipart)
            {
                Add(part);
            }
        }
    }

    /// <summary>The same in several forms: that of plain text, unless it only says that the other is meant.</summary>
    private void AddAlternative(Multipart multipart)
    {
        var before = _blocks;
        var forms = new List<List<Block>>();
        foreach (var part in multipart)
        {
            _blocks = [];
            Add(part);
            forms.Add(_blocks);
        }

        _blocks = before;
        var told = forms.Where(form => form.Exists(block => !string.IsNullOrWhiteSpace(block.Text))).ToList();
        if (told.Count > 0)
        {
            var plain = told.Find(form => form.TrueForAll(block => !block.IsHtml));
            _blocks.AddRange(plain is null || IsStub(plain, told[^1]) ? told[^1] : plain);
        }
    }

    private static bool IsStub(List<Block> plain, List<Block> other)
    {
        var length = plain.Sum(block => block.Text.Trim().Length);
        return plain != other && length < 300 && other.Sum(block => block.Text.Trim().Length) > length && plain.Exists(block => block.Text.Contains("HTML", StringComparison.OrdinalIgnoreCase));
    }

    private void AddPart(MimePart part)
    {
        var type = part.ContentType;
        if (type.IsMimeType("application", "pkcs7-mime") || type.IsMimeType("application", "x-pkcs7-mime"))
        {
            AddSigned(part);
        }
        else if (part is TextPart text && !part.IsAttachment && string.IsNullOrEmpty(part.FileName) && type.MediaSubtype.ToLowerInvariant() is "plain" or "html")
        {
            AddText((TextPart)part);
        }
        else if (type.IsMimeType("text", "calendar"))
        {
            Attach(part.FileName ?? "invite.ics", Decoded(part));
        }
        else if (!type.IsMimeType("application", "pkcs7-signature") && !type.IsMimeType("application", "pgp-signature"))
        {
            Attach(part.FileName ?? "", Decoded(part));
        }
    }

    private void AddText(TextPart part)
    {
        var text = MessageCharset.Decode(Decoded(part), part.ContentType.Charset, part.IsHtml, out var note);
        if (note is not null)
        {
            _notes.Add(note);
        }

        if (part.IsHtml)
        {
            _blocks.Add(new(Clean(HtmlText.Of(text.Length > MostHtmlCharacters ? text[..MostHtmlCharacters] : text, settings.MostTextCharacters * 2)), true));
            return;
        }

        if (part.IsFlowed)
        {
            var flowed = new FlowedToText { DeleteSpace = part.ContentType.Parameters["delsp"]?.Equals("yes", StringComparison.OrdinalIgnoreCase) == true };
            // What stands above a signature is never joined with it (RFC 3676, 4.3).
            text = flowed.Convert($"\n{text.ReplaceLineEndings("\n")}".Replace("\n-- \n", "\n--\n", StringComparison.Ordinal)[1..]);
        }

        _blocks.Add(new(Clean(text), false));
    }

    private void AddTnef(TnefPart tnef)
    {
        var attached = _attachments.Count;
        using var inner = tnef.ConvertToMessage();
        Add(inner.Body);
        if (_attachments.Count == attached && inner.Body is null)
        {
            Attach(tnef.FileName ?? "winmail.dat", Decoded(tnef));
        }
    }

    /// <summary>A message in its signature (S/MIME, opaque): what was signed is read, whoever signed it. What is encrypted stays as it is.</summary>
    private void AddSigned(MimePart part)
    {
        var bytes = Decoded(part);
        if (SignedContent(bytes) is { } content)
        {
            // It is a message of its own as far as limits go.
            if (MessageCounter.Fault(content, settings, cancel) is { } fault)
            {
                _notes.Add($"What is signed in it is left out. {fault}");
                return;
            }

            using var stream = new MemoryStream(content, writable: false);
            using var inner = MimeEntity.Load(MessageCounter.OptionsFor(settings), stream, cancel);
            Add(inner);
            return;
        }

        _notes.Add("It is encrypted, or signed in a way that is not known; its text can not be read.");
        Attach(part.FileName ?? "smime.p7m", bytes);
    }

    // ContentInfo { signedData, [0] { version, digests, { type, [0] content } … } } of RFC 5652. The signature is not checked: who may is not decided by it.
    private static byte[]? SignedContent(byte[] bytes)
    {
        try
        {
            var info = new AsnReader(bytes, AsnEncodingRules.BER).ReadSequence();
            if (info.ReadObjectIdentifier() != "1.2.840.113549.1.7.2")
            {
                return null;
            }

            var signed = info.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadSequence();
            signed.ReadInteger();
            signed.ReadSetOf(skipSortOrderValidation: true);
            var content = signed.ReadSequence();
            content.ReadObjectIdentifier();
            return content.HasData ? content.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadOctetString() : null;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    private void Attach(string name, byte[] content)
    {
        if (_attachments.Count >= settings.MostAttachments)
        {
            _notes.Add($"It has more than {settings.MostAttachments} attachments; the others are left out.");
        }
        else if (content.Length > settings.MostAttachmentBytes - _attachedBytes)
        {
            _notes.Add(string.Create(CultureInfo.InvariantCulture, $"Its attachments have more than {settings.MostAttachmentBytes:N0} bytes together; what goes beyond is left out."));
        }
        else
        {
            _attachedBytes += content.Length;
            var type = ContentSniff.TypeOf(content);
            _attachments.Add(new IncomingAttachment(_names.Of(name, type), type, content));
        }
    }

    private static byte[] Decoded(MimePart part)
    {
        using var stream = new MemoryStream();
        if (part.Content is { Encoding: ContentEncoding.Base64 } written && Padded(written) is { } padded)
        {
            padded.DecodeTo(stream);
        }
        else
        {
            part.Content?.DecodeTo(stream);
        }

        return stream.ToArray();
    }

    // Without the signs that fill up the last four characters, these would be lost.
    private static MimeContent? Padded(IMimeContent content)
    {
        var written = new MemoryStream();
        content.WriteTo(written);
        var bytes = written.GetBuffer().AsSpan(0, (int)written.Length);
        var count = 0;
        foreach (var b in bytes)
        {
            count += char.IsAsciiLetterOrDigit((char)b) || b is (byte)'+' or (byte)'/' ? 1 : 0;
        }

        if (count % 4 is 0 or 1 || bytes.Contains((byte)'='))
        {
            return null;
        }

        written.Position = written.Length;
        written.Write("=="u8[..(4 - (count % 4))]);
        written.Position = 0;
        return new MimeContent(written, ContentEncoding.Base64);
    }

    private static byte[] Written(MimeMessage message)
    {
        using var stream = new MemoryStream();
        message.WriteTo(stream);
        return stream.ToArray();
    }

    // Lines end in \n, and nothing is in them that a value can not hold.
    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.ReplaceLineEndings("\n").EnumerateRunes())
        {
            if (rune.Value is '\n' or '\t' || !Rune.IsControl(rune))
            {
                clean.Append(rune.ToString());
            }
        }

        return clean.ToString();
    }
}
