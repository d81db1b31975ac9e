using System.Globalization;
using System.Text;

namespace Eddy.Mail;

/// <summary>The subject of a mail: one line, with the number of the process by which an answer finds back.</summary>
public static class MailSubject
{
    private const int MostCharacters = 200;

    /// <param name="subject">As it is printed; null for the first line of the text.</param>
    /// <param name="text">The mail's text, as it is printed.</param>
    /// <param name="pid">0 where it is about no process, so that no answer has one to find.</param>
    public static string Of(string? subject, string text, long pid)
    {
        var line = Line(subject ?? FirstLine(text));
        if (pid == 0)
        {
            return line.Length == 0 ? "No subject" : line;
        }

        var mark = string.Create(CultureInfo.InvariantCulture, $"(PID:{pid})");
        return line.Contains(mark, StringComparison.Ordinal) ? line : line.Length == 0 ? mark : $"{line} {mark}";
    }

    private static string FirstLine(string text)
    {
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.Trim("# \t").Trim() is { IsEmpty: false } first)
            {
                return first[..Math.Min(first.Length, MostCharacters * 2)].ToString();
            }
        }

        return "";
    }

    // A value may have any characters in it: what would begin another header, or turn the line round, is a space.
    private static string Line(string text)
    {
        var line = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (line.Length >= MostCharacters)
            {
                line.Append('…');
                break;
            }

            if (Rune.IsControl(rune) || Rune.IsWhiteSpace(rune) || rune.Value is (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069))
            {
                if (line.Length > 0 && line[^1] != ' ')
                {
                    line.Append(' ');
                }
            }
            else
            {
                line.Append(rune.ToString());
            }
        }

        return line.ToString().TrimEnd();
    }
}
