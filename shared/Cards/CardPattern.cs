using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Eddy.Cards;

/// <summary>
/// The pattern of a field, as HTML has it: the whole text has to match. It is a tenant's, so it is matched in one pass over the text whatever it says, without going back, and within a bound of time; what
/// needs going back (back references, looking ahead) is refused when the card is saved.
/// </summary>
public sealed class CardPattern
{
    public const int MostCharacters = 200;

    /// <summary>How often a part may be repeated by <c>{n}</c>, all such numbers multiplied: the pattern is written out as often.</summary>
    private const int MostRepeats = 1000;

    private static readonly TimeSpan MostTime = TimeSpan.FromMilliseconds(100);

    private readonly Regex _regex;

    private CardPattern(string text, Regex regex) => (Text, _regex) = (text, regex);

    /// <summary>As the card has it, for the browser.</summary>
    public string Text { get; }

    /// <param name="fault">Why it is none, in a sentence; empty where it is one.</param>
    public static CardPattern? TryRead(string text, out string fault)
    {
        fault = text.Length is 0 or > MostCharacters ? $"A pattern has 1 to {MostCharacters} characters."
            : Repeats(text) > MostRepeats ? $"The pattern repeats its parts more than {MostRepeats:N0} times, all its numbers in braces multiplied."
            : "";
        if (fault.Length > 0)
        {
            return null;
        }

        try
        {
            return new CardPattern(text, new Regex($@"\A(?:{Plain(text)})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, MostTime));
        }
        catch (NotSupportedException)
        {
            fault = "The pattern looks ahead or back, or at what it matched before. It is matched in one pass, where that can not be done.";
        }
        catch (ArgumentException wrong)
        {
            // The library's sentence begins with a pattern and a place that are not what was written.
            var offset = wrong.Message.LastIndexOf("' at offset ", StringComparison.Ordinal);
            fault = $"The pattern can not be read: {wrong.Message[(offset < 0 ? 0 : wrong.Message.IndexOf(". ", offset, StringComparison.Ordinal) + 2)..]}";
        }

        return null;
    }

    public bool Matches(string text)
    {
        try
        {
            return _regex.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    // In browsers \d and \w are ASCII.
    private static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        var isInClass = false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\\' && i + 1 < text.Length)
            {
                i++;
                plain.Append(text[i] switch
                {
                    'd' => isInClass ? "0-9" : "[0-9]",
                    'w' => isInClass ? "A-Za-z0-9_" : "[A-Za-z0-9_]",
                    'D' when !isInClass => "[^0-9]",
                    'W' when !isInClass => "[^A-Za-z0-9_]",
                    var other => $"\\{other}",
                });
                continue;
            }

            isInClass = isInClass ? c != ']' : c == '[';
            plain.Append(c);
        }

        return plain.ToString();
    }

    private static long Repeats(string text)
    {
        var repeats = 1L;
        for (var at = text.IndexOf('{', StringComparison.Ordinal); at >= 0 && repeats <= MostRepeats; at = text.IndexOf('{', at + 1))
        {
            var end = text.IndexOf('}', at);
            var numbers = end < 0 ? [] : text[(at + 1)..end].Split(',');
            var most = numbers.Select(number => long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 1).DefaultIfEmpty(1).Max();
            repeats *= Math.Clamp(most, 1, MostRepeats + 1);
        }

        return repeats;
    }
}
