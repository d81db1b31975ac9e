using System.Globalization;
using System.Text;

namespace Eddy.Kvps;

/// <summary>
/// What is stored beside a value so that it is found: nothing but an excerpt, from which the value can not be had back.
/// </summary>
/// <param name="Txt">
/// The first 256 characters (code points) of a text; the canonical text of a number or a boolean; the text inside a tag; null for null, lists and dictionaries.
/// </param>
/// <param name="Num">Whole numbers, floats and decimals as a double (infinite where a double ends); else null.</param>
/// <param name="At">A date (its midnight) or a date-time in UTC; one without a zone is taken as UTC; else null.</param>
public readonly record struct KvpLookup(string? Txt, double? Num, DateTime? At)
{
    public const int MaxCharacters = 256;

    /// <summary>The look-ups of a value that is canonical JSON.</summary>
    public static KvpLookup Of(string canonical)
    {
        switch (canonical[0])
        {
            case '"':
                return new KvpLookup(Text(canonical.AsSpan(1, canonical.Length - 2)), null, null);
            case 't' or 'f':
                return new KvpLookup(canonical, null, null);
            case '-' or (>= '0' and <= '9'):
                return new KvpLookup(canonical.Length > MaxCharacters ? canonical[..MaxCharacters] : canonical, Number(canonical), null);
            case '{' when canonical.StartsWith("{\"$", StringComparison.Ordinal):
                return Tagged(canonical);
            default:
                return default;
        }
    }

    // Of the objects that begin like a tag only those are one that have nothing behind it.
    private static KvpLookup Tagged(string canonical)
    {
        if (Inside(canonical, "{\"$date\":\"") is { Length: > 0 } date)
        {
            return new KvpLookup(date.ToString(), null, Moment(date));
        }

        if (Inside(canonical, "{\"$datetime\":\"") is { Length: > 0 } moment)
        {
            return new KvpLookup(moment.ToString(), null, Moment(moment));
        }

        if (Inside(canonical, "{\"$decimal\":\"") is { Length: > 0 } number)
        {
            return new KvpLookup(number[..Math.Min(number.Length, MaxCharacters)].ToString(), Number(number), null);
        }

        if (Inside(canonical, "{\"$time\":\"") is { Length: > 0 } time)
        {
            return new KvpLookup(time.ToString(), null, null);
        }

        const string Process = "{\"$process\":";
        return canonical.StartsWith(Process, StringComparison.Ordinal) && !canonical.Contains(',') ? new KvpLookup(canonical[Process.Length..^1], null, null) : default;
    }

    private static ReadOnlySpan<char> Inside(string canonical, string begin) =>
        canonical.StartsWith(begin, StringComparison.Ordinal) && canonical.IndexOf('"', begin.Length) == canonical.Length - 2
            ? canonical.AsSpan(begin.Length..^2)
            : default;

    private static double Number(ReadOnlySpan<char> digits) => double.Parse(digits, NumberStyles.Float, CultureInfo.InvariantCulture);

    // yyyy-MM-dd[Thh:mm:ss[.ffffff][±hh:mm[:ss][[zone]]]]
    private static DateTime Moment(ReadOnlySpan<char> text)
    {
        var date = new DateTime(Digits(text[..4]), Digits(text[5..7]), Digits(text[8..10]), 0, 0, 0, DateTimeKind.Utc);
        if (text.Length == 10)
        {
            return date;
        }

        var ticks = Clock(text[11..19]);
        var rest = text[19..];
        if (rest is ['.', ..])
        {
            var end = rest.IndexOfAny('+', '-');
            var fraction = end < 0 ? rest[1..] : rest[1..end];
            var unit = TimeSpan.TicksPerSecond;
            foreach (var digit in fraction)
            {
                unit /= 10;
                ticks += (digit - '0') * unit;
            }

            rest = rest[(fraction.Length + 1)..];
        }

        if (rest.Length > 0)
        {
            var bracket = rest.IndexOf('[');
            var offset = Clock(bracket < 0 ? rest[1..] : rest[1..bracket]);
            ticks += rest[0] == '-' ? offset : -offset;
        }

        return new DateTime(Math.Clamp(date.Ticks + ticks, DateTime.MinValue.Ticks, DateTime.MaxValue.Ticks), DateTimeKind.Utc);
    }

    // hh:mm or hh:mm:ss, in ticks.
    private static long Clock(ReadOnlySpan<char> text) =>
        ((((Digits(text[..2]) * 60L) + Digits(text[3..5])) * 60) + (text.Length > 5 ? Digits(text[6..8]) : 0)) * TimeSpan.TicksPerSecond;

    private static int Digits(ReadOnlySpan<char> digits)
    {
        var number = 0;
        foreach (var digit in digits)
        {
            number = (number * 10) + (digit - '0');
        }

        return number;
    }

    private static string Text(ReadOnlySpan<char> inner)
    {
        if (inner.Length <= MaxCharacters && !inner.Contains('\\'))
        {
            return inner.ToString();
        }

        var text = new StringBuilder(MaxCharacters);
        for (int i = 0, characters = 0; i < inner.Length && characters < MaxCharacters; i++, characters++)
        {
            if (inner[i] == '\\')
            {
                i++;
                text.Append(inner[i] switch
                {
                    'b' => '\b', 't' => '\t', 'n' => '\n', 'f' => '\f', 'r' => '\r',
                    'u' => (char)int.Parse(inner.Slice(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
                    var c => c,
                });
                i += inner[i] == 'u' ? 4 : 0;
                continue;
            }

            text.Append(inner[i]);
            if (char.IsHighSurrogate(inner[i]))
            {
                text.Append(inner[++i]);
            }
        }

        return text.ToString();
    }
}
