using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Eddy.Kvps;

/// <summary>One value of the grammar for text from outside.</summary>
internal static class TextValue
{
    public static bool TryRead(ReadOnlySpan<char> text, int maxBytes, [NotNullWhen(true)] out string? canonical, [NotNullWhen(false)] out KvpFault? fault)
    {
        fault = null;
        var value = text.Trim();
        canonical = value switch
        {
            [>= '0' and <= '9', ..] => Number(value) ?? TextDate.Read(value),
            ['-', ..] => Number(value),
            { Length: 4 or 5 } => Word(value),
            _ => null,
        };
        if (canonical is not null)
        {
            return true;
        }

        var inner = value is ['"' or '\'', ..] ? Unquoted(value) : null;
        return TryLiteral(inner is null ? value : inner, maxBytes, out canonical, out fault)
            ?? KvpValue.TryText(inner is null ? text : inner, out canonical, out fault, maxBytes);
    }

    // Null where it is no list and no dictionary.
    private static bool? TryLiteral(ReadOnlySpan<char> text, int maxBytes, out string? canonical, out KvpFault? fault)
    {
        (canonical, fault) = (null, null);
        text = text.Trim();
        if (text is not ['[' or '{', ..])
        {
            return null;
        }

        var json = new Utf8Buffer();
        return LiteralText.TryRead(text, json, out var used) && used == text.Length ? KvpValue.TryCanonical(json.Written, out canonical, out fault, maxBytes) : null;
    }

    private static string? Word(ReadOnlySpan<char> value) =>
        value.Equals("true", StringComparison.OrdinalIgnoreCase) ? KvpValue.True
        : value.Equals("false", StringComparison.OrdinalIgnoreCase) ? KvpValue.False
        : value.Equals("none", StringComparison.OrdinalIgnoreCase) || value.Equals("null", StringComparison.OrdinalIgnoreCase) ? KvpValue.Null
        : null;

    // What has leading zeros, a plus or an exponent is a code or a telephone number.
    private static string? Number(ReadOnlySpan<char> value)
    {
        var digits = value[0] == '-' ? value[1..] : value;
        var point = digits.IndexOf('.');
        var whole = point < 0 ? digits : digits[..point];
        if (!Digits(whole) || (whole.Length > 1 && whole[0] == '0') || (point >= 0 && !Digits(digits[(point + 1)..])))
        {
            return null;
        }

        if (point < 0)
        {
            return whole.Length > KvpValue.MaxDigits ? null : whole is "0" ? "0" : value.ToString();
        }

        var number = double.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture);
        return double.IsFinite(number) ? KvpValue.FromFloat(number) : null;
    }

    private static bool Digits(ReadOnlySpan<char> text) => text.Length > 0 && !text.ContainsAnyExceptInRange('0', '9');

    // The text in its quotes, or null where the quotes are not around all of it.
    private static string? Unquoted(ReadOnlySpan<char> value)
    {
        var quote = value[0];
        ReadOnlySpan<char> triple = [quote, quote, quote];
        if (value.Length >= 6 && value.StartsWith(triple) && value.EndsWith(triple))
        {
            var inside = value[3..^3];
            return inside.IndexOf(triple) < 0 ? inside.ToString().ReplaceLineEndings("\n") : null;
        }

        if (value.Length < 2 || value[^1] != quote)
        {
            return null;
        }

        var text = new StringBuilder(value.Length);
        for (var i = 1; i < value.Length - 1; i++)
        {
            if (value[i] == quote)
            {
                return null;
            }

            if (value[i] == '\\' && value[i + 1] is '\\' or '"' or '\'')
            {
                i++;
                if (i == value.Length - 1)
                {
                    return null;
                }
            }

            text.Append(value[i]);
        }

        return text.ToString();
    }
}
