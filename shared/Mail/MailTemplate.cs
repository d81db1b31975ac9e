using System.Text;

namespace Eddy.Mail;

/// <summary>
/// A text with placeholders: <c>{{key}}</c>, which a value takes the place of. That is all there is: nothing is computed, no value is looked at for placeholders again, and what is not
/// exactly one placeholder (<c>{{#list}}</c>, a lone <c>{{</c>) is text as it stands.
/// </summary>
public sealed class MailTemplate
{
    private const int MostName = 140;

    private readonly List<(string Before, string Name)> _parts = [];
    private readonly string _end;

    private MailTemplate(List<(string Before, string Name)> parts, string end) => (_parts, _end) = (parts, end);

    /// <summary>What the placeholders name, in their order, as often as they do.</summary>
    public IReadOnlyList<string> Names => _parts.ConvertAll(part => part.Name);

    /// <summary>The text between a placeholder and the one before it.</summary>
    internal string Before(int place) => _parts[place].Before;

    public static MailTemplate Parse(string text)
    {
        var parts = new List<(string, string)>();
        var (from, at) = (0, 0);
        while ((at = text.IndexOf("{{", at, StringComparison.Ordinal)) >= 0)
        {
            if (Name(text.AsSpan(at + 2)) is not { } length)
            {
                at++;
                continue;
            }

            parts.Add((text[from..at], text.AsSpan(at + 2, length).Trim(" \t").ToString()));
            from = at += length + 4;
        }

        return new MailTemplate(parts, text[from..]);
    }

    /// <summary>The text with what each placeholder stands for, cut after so many characters.</summary>
    /// <param name="print">What the placeholder of this place and name stands for.</param>
    /// <param name="isCut">Whether there would have been more.</param>
    public string Print(Func<int, string, string> print, int most, out bool isCut)
    {
        var text = new StringBuilder();
        for (var i = 0; i < _parts.Count && text.Length <= most; i++)
        {
            text.Append(_parts[i].Before).Append(print(i, _parts[i].Name));
        }

        text.Append(_end);
        isCut = text.Length > most;
        if (isCut)
        {
            text.Length = most > 0 && char.IsHighSurrogate(text[most - 1]) ? most - 1 : most;
        }

        return text.ToString();
    }

    // The length of a name between the braces, with the spaces around it; null where there is none.
    private static int? Name(ReadOnlySpan<char> text)
    {
        text = text[..Math.Min(text.Length, MostName + 2)];
        var end = text.IndexOf("}}", StringComparison.Ordinal);
        if (end <= 0 || text[..end].ContainsAny("{}\r\n"))
        {
            return null;
        }

        var name = text[..end].Trim(" \t");
        // Where Mustache has something other than a name.
        return name.IsEmpty || "#^/>!&=".Contains(name[0]) ? null : end;
    }
}
