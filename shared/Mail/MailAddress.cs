using System.Globalization;
using System.Text;

namespace Eddy.Mail;

/// <summary>
/// What mail can be sent to: <c>somebody@example.com</c>, in any script (RFC 6531). Names and quotes around it, comments, addresses of machines and domains of one label are not taken.
/// </summary>
public static class MailAddress
{
    /// <summary>In bytes of UTF-8.</summary>
    public const int MostBytes = 254;

    private const int MostLocalCharacters = 64;
    private const int MostLabelBytes = 63;

    /// <summary>Why this is no address, in a sentence, or null.</summary>
    public static string? Fault(string address)
    {
        var at = address.LastIndexOf('@');
        return at > 0 && Encoding.UTF8.GetByteCount(address) <= MostBytes && IsVisible(address) && IsLocal(address.AsSpan(0, at)) && IsDomain(address.AsSpan(at + 1))
            ? null
            : "It is no mail address, as somebody@example.com is one.";
    }

    private static bool IsLocal(ReadOnlySpan<char> local)
    {
        foreach (var c in local)
        {
            if (c < 0x80 && !char.IsAsciiLetterOrDigit(c) && !"!#$%&'*+/=?^_`{|}~.-".Contains(c))
            {
                return false;
            }
        }

        return local.Length <= MostLocalCharacters * 2 && local[0] != '.' && local[^1] != '.' && local.IndexOf("..", StringComparison.Ordinal) < 0;
    }

    private static bool IsDomain(ReadOnlySpan<char> domain)
    {
        var labels = 0;
        foreach (var range in domain.Split('.'))
        {
            var label = domain[range];
            labels++;
            if (label.Length == 0 || Encoding.UTF8.GetByteCount(label) > MostLabelBytes || label[0] == '-' || label[^1] == '-')
            {
                return false;
            }

            foreach (var c in label)
            {
                if (c < 0x80 && !char.IsAsciiLetterOrDigit(c) && c != '-')
                {
                    return false;
                }
            }
        }

        return labels > 1;
    }

    // What is not seen could make two addresses of one, or turn one round.
    private static bool IsVisible(string address)
    {
        foreach (var rune in address.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
                or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            {
                return false;
            }
        }

        return true;
    }
}
