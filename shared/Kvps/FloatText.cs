using System.Globalization;

namespace Eddy.Kvps;

/// <summary>Floats as canonical JSON has them: the shortest decimal that reads back as the same double, with a point and without an exponent.</summary>
internal static class FloatText
{
    private const long Mantissa = (1L << 52) - 1;

    /// <summary>Adds a finite number.</summary>
    public static void Write(double number, Utf8Buffer to)
    {
        if (number == 0)
        {
            to.Add("0.0"u8);
            return;
        }

        Span<byte> text = stackalloc byte[32];
        number.TryFormat(text, out var length, "R", CultureInfo.InvariantCulture);

        // Of the powers of two, .NET writes 2 to the -25 and to the -958 one digit too short: they read back as their neighbours.
        if ((BitConverter.DoubleToInt64Bits(number) & Mantissa) == 0 && double.Parse(text[..length], CultureInfo.InvariantCulture) != number)
        {
            number.TryFormat(text, out length, "G17", CultureInfo.InvariantCulture);
        }

        text = text[..length];
        var e = text.IndexOf((byte)'E');
        if (e < 0)
        {
            to.Add(text);
            if (!text.Contains((byte)'.'))
            {
                to.Add(".0"u8);
            }

            return;
        }

        var exponent = int.Parse(text[(e + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (text[0] == '-')
        {
            to.Add((byte)'-');
        }

        Span<byte> digits = stackalloc byte[20];
        var count = 0;
        foreach (var c in text[..e])
        {
            if (char.IsAsciiDigit((char)c))
            {
                digits[count++] = c;
            }
        }

        WriteOut(digits[..count], exponent, to);
    }

    // The digits stand for d.ddd times ten to the exponent.
    private static void WriteOut(ReadOnlySpan<byte> digits, int exponent, Utf8Buffer to)
    {
        if (exponent < 0)
        {
            to.Add("0."u8);
            to.Zeros(-exponent - 1);
            to.Add(digits);
            return;
        }

        var whole = Math.Min(digits.Length, exponent + 1);
        to.Add(digits[..whole]);
        to.Zeros(exponent + 1 - whole);
        to.Add((byte)'.');
        to.Add(whole < digits.Length ? digits[whole..] : "0"u8);
    }
}
