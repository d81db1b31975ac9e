using System.Buffers.Text;

namespace Eddy.Kvps;

/// <summary>Whether a tag's text is exactly in the form that canonical JSON has for it.</summary>
internal static class TagForm
{
    /// <summary>Whether an object with this one key and this text is the tag.</summary>
    public static bool IsTag(ReadOnlySpan<byte> key, ReadOnlySpan<byte> text) =>
        key.SequenceEqual("$date"u8) ? IsDate(text)
        : key.SequenceEqual("$time"u8) ? IsTime(text)
        : key.SequenceEqual("$datetime"u8) ? IsDateTime(text)
        : key.SequenceEqual("$decimal"u8) && IsDecimal(text);

    public static bool IsDate(ReadOnlySpan<byte> text) =>
        text.Length == 10 && text[4] == '-' && text[7] == '-'
        && Number(text[..4], 1, 9999, out var year) && Number(text[5..7], 1, 12, out var month)
        && Number(text[8..], 1, DateTime.DaysInMonth(year, month), out _);

    public static bool IsTime(ReadOnlySpan<byte> text) =>
        text.Length >= 8 && text[2] == ':' && text[5] == ':'
        && Number(text[..2], 0, 23, out _) && Number(text[3..5], 0, 59, out _) && Number(text[6..8], 0, 59, out _)
        && (text.Length == 8 || (text[8] == '.' && text.Length is > 9 and <= 15 && Digits(text[9..]) && text[^1] != '0'));

    public static bool IsDateTime(ReadOnlySpan<byte> text)
    {
        if (text.Length < 19 || text[10] != 'T' || !IsDate(text[..10]))
        {
            return false;
        }

        var time = text[11..];
        var zoned = time.IndexOfAny((byte)'+', (byte)'-');
        return zoned < 0 ? IsTime(time) : IsTime(time[..zoned]) && IsZone(time[zoned..]);
    }

    public static bool IsDecimal(ReadOnlySpan<byte> text)
    {
        text = text is [(byte)'-', ..] ? text[1..] : text;
        var point = text.IndexOf((byte)'.');
        var whole = point < 0 ? text : text[..point];
        return Digits(whole) && (whole.Length == 1 || whole[0] != '0') && (point < 0 || Digits(text[(point + 1)..]));
    }

    /// <summary>A number of a process: a whole number from 1 that a bigint holds.</summary>
    public static bool IsProcess(ReadOnlySpan<byte> number) =>
        Utf8Parser.TryParse(number, out long pid, out var used) && used == number.Length && pid > 0;

    /// <summary>The name of a time zone, as RFC 9557 writes it: parts of letters, digits and <c>. _ + -</c>, divided by slashes.</summary>
    public static bool IsZoneName(ReadOnlySpan<byte> name)
    {
        var begins = true;
        foreach (var b in name)
        {
            var c = (char)b;
            if (!(char.IsAsciiLetter(c) || c == '_' || (!begins && (char.IsAsciiDigit(c) || c is '.' or '+' or '-' or '/'))))
            {
                return false;
            }

            begins = c == '/';
        }

        return !begins && name.Length <= 64;
    }

    // ±hh:mm, or ±hh:mm:ss where the seconds are not 0, and perhaps the zone's name behind it. There is no -00:00.
    private static bool IsZone(ReadOnlySpan<byte> text)
    {
        var offset = text;
        if (text.IndexOf((byte)'[') is > 0 and var bracket)
        {
            if (text[^1] != ']' || !IsZoneName(text[(bracket + 1)..^1]))
            {
                return false;
            }

            offset = text[..bracket];
        }

        var seconds = 0;
        return offset.Length is 6 or 9 && offset[3] == ':'
            && Number(offset[1..3], 0, 23, out var hours) && Number(offset[4..6], 0, 59, out var minutes)
            && (offset.Length == 6 || (offset[6] == ':' && Number(offset[7..], 1, 59, out seconds)))
            && (offset[0] == '+' || hours + minutes + seconds > 0);
    }

    private static bool Number(ReadOnlySpan<byte> digits, int from, int to, out int number)
    {
        number = 0;
        foreach (var c in digits)
        {
            if (!char.IsAsciiDigit((char)c))
            {
                return false;
            }

            number = (number * 10) + (c - '0');
        }

        return number >= from && number <= to;
    }

    private static bool Digits(ReadOnlySpan<byte> text) => text.Length > 0 && !text.ContainsAnyExceptInRange((byte)'0', (byte)'9');
}
