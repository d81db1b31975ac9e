using System.Globalization;
using System.Text;
using MimeKit;
using MimeKit.Utils;

namespace Eddy.Mail.Inbox;

/// <summary>What headers say, in a form in which it can be shown and kept: one line, nothing in it that is not seen.</summary>
internal static class HeaderText
{
    private const int MostCharacters = 1_000;
    private const int MostIds = 100;

    /// <summary>A text as one line: whatever would begin another one, or turn it round, is a space or gone.</summary>
    public static string Line(string? text, int most = MostCharacters)
    {
        var line = new StringBuilder();
        foreach (var rune in (text ?? "").EnumerateRunes())
        {
            if (line.Length >= most)
            {
                line.Append('…');
                break;
            }

            if (Rune.IsControl(rune) || Rune.IsWhiteSpace(rune))
            {
                line.Append(line.Length > 0 && line[^1] != ' ' ? " " : "");
            }
            else if (Rune.GetUnicodeCategory(rune) != UnicodeCategory.Format || rune.Value is 0x200D or 0x200C)
            {
                line.Append(rune.ToString());
            }
        }

        return line.ToString().TrimEnd();
    }

    /// <summary>The topmost header of these names, or null.</summary>
    public static Header? Topmost(HeaderList headers, IReadOnlyList<string> names) => headers.FirstOrDefault(header => names.Contains(header.Field, StringComparer.OrdinalIgnoreCase));

    public static string? Value(HeaderList headers, string name) => Topmost(headers, [name])?.Value;

    /// <summary>An address that stands alone in a header, with angle brackets or without, in the form of <see cref="People.MailAddress"/>; null where it is none.</summary>
    public static string? Address(string? value)
    {
        // Before a domain in another script becomes ASCII: its capital letters would be others.
        var text = (value ?? "").Trim().ToLowerInvariant();
        text = text is ['<', .., '>'] ? text[1..^1].Trim() : text;
        return People.MailAddress.TryRead(text, out var address) ? address : null;
    }

    /// <summary>The Message-IDs of a header, without angle brackets, in their order.</summary>
    public static IReadOnlyList<string> Ids(HeaderList headers, string name) =>
        Value(headers, name) is { } value ? [.. MimeUtils.EnumerateReferences(value).Select(id => Line(id)).Where(id => id.Length > 0).Distinct().TakeLast(MostIds)] : [];

    public static string? MessageId(HeaderList headers)
    {
        var text = Value(headers, "Message-ID");
        var id = text is null ? null : Line(MimeUtils.ParseMessageId(text) ?? text.Trim().Trim('<', '>'));
        return string.IsNullOrEmpty(id) ? null : id;
    }

    public static DateTimeOffset? Date(HeaderList headers) => Value(headers, "Date") is { } value && DateUtils.TryParse(value, out var date) ? date : null;
}
