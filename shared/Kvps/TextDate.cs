using System.Text.RegularExpressions;

namespace Eddy.Kvps;

/// <summary>Dates and date-times in text: ISO 8601, and <c>mm/dd/yyyy</c> with an optional <c>hh:mm:ss AM</c>.</summary>
internal static partial class TextDate
{
    /// <summary>The canonical JSON, or null where it is no date that exists.</summary>
    public static string? Read(ReadOnlySpan<char> text)
    {
        if (text.Length is < 8 or > 120 || (text[4] != '-' && text[1] != '/' && text[2] != '/'))
        {
            return null;
        }

        var iso = Iso().Match(text.ToString());
        return iso.Success ? FromIso(iso) : American().Match(text.ToString()) is { Success: true } american ? FromAmerican(american) : null;
    }

    private static string? FromIso(Match match)
    {
        var date = $"{match.Groups["date"]}";
        if (!match.Groups["minute"].Success)
        {
            return Tag("$date", date);
        }

        var second = match.Groups["second"] is { Success: true, Value: var s } ? s : "00";
        var fraction = match.Groups["fraction"].Value;
        fraction = fraction[..Math.Min(fraction.Length, 6)].TrimEnd('0');
        var zone = match.Groups["offset"].Value switch { "Z" or "z" => "+00:00", "" => "", var o => $"{o[..3]}:{o[^2..]}" };
        zone = zone == "-00:00" ? "+00:00" : zone;
        var point = fraction.Length > 0 ? "." : "";
        return Tag("$datetime", $"{date}T{match.Groups["hour"]}:{match.Groups["minute"]}:{second}{point}{fraction}{zone}{match.Groups["name"]}");
    }

    private static string? FromAmerican(Match match)
    {
        var date = $"{match.Groups["year"]}-{match.Groups["month"].Value.PadLeft(2, '0')}-{match.Groups["day"].Value.PadLeft(2, '0')}";
        if (!match.Groups["minute"].Success)
        {
            return Tag("$date", date);
        }

        var hour = int.Parse(match.Groups["hour"].Value);
        if (match.Groups["half"] is { Success: true, Value: [var half, ..] })
        {
            if (hour is 0 or > 12)
            {
                return null;
            }

            hour = (hour % 12) + (half is 'p' or 'P' ? 12 : 0);
        }

        var second = match.Groups["second"] is { Success: true, Value: var s } ? s : "00";
        return Tag("$datetime", $"{date}T{hour:00}:{match.Groups["minute"]}:{second}");
    }

    // The form is what canonical JSON has; that the date exists is checked where all tags are.
    private static string? Tag(string tag, string text)
    {
        Span<byte> bytes = stackalloc byte[160];
        bytes = bytes[..System.Text.Encoding.UTF8.GetBytes(text, bytes)];
        return (tag == "$date" ? TagForm.IsDate(bytes) : TagForm.IsDateTime(bytes)) ? $$"""{"{{tag}}":"{{text}}"}""" : null;
    }

    [GeneratedRegex("""
        ^(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})
        ([Tt ](?<hour>[0-9]{2}):(?<minute>[0-9]{2})(:(?<second>[0-9]{2})([.,](?<fraction>[0-9]{1,9}))?)?
        ((?<offset>[Zz]|[+-][0-9]{2}:?[0-9]{2})(?<name>\[[A-Za-z0-9._+/-]{1,64}\])?)?)?\z
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture)]
    private static partial Regex Iso();

    [GeneratedRegex("""
        ^(?<month>[0-9]{1,2})/(?<day>[0-9]{1,2})/(?<year>[0-9]{4})
        (\s+(?<hour>[0-9]{1,2}):(?<minute>[0-9]{2})(:(?<second>[0-9]{2}))?(\s?(?<half>[AaPp][Mm]))?)?\z
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture)]
    private static partial Regex American();
}
