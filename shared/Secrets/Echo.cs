using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Encodings.Web;

namespace Eddy.Secrets;

/// <summary>One way in which a secret's value may come back.</summary>
/// <param name="Text">What is looked for.</param>
/// <param name="Placeholder">What is put in its place.</param>
/// <param name="IsBase64">
/// <see cref="Text"/> is the inside of a base64 text: the character on either side may hold bits of the value and bits of its neighbours.
/// </param>
internal sealed record Echo(string Text, string Placeholder, bool IsBase64)
{
    /// <summary>The usual spellings of a value: as it is, in base64 and base64url wherever in them it stands, hexadecimal, in an address, in JSON, in HTML.</summary>
    public static IEnumerable<Echo> Of(string value, string placeholder)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        var base64 = Base64(bytes).ToList();
        return Plain(value, bytes).Distinct().Select(text => new Echo(text, placeholder, IsBase64: false))
            .Concat(base64.Concat(base64.Select(text => text.Replace('+', '-').Replace('/', '_'))).Distinct().Select(text => new Echo(text, placeholder, IsBase64: true)));
    }

    private static IEnumerable<string> Plain(string value, byte[] bytes) =>
    [
        value,
        Convert.ToHexStringLower(bytes),
        Convert.ToHexString(bytes),
        .. Addresses(value),
        .. Json(value),
        .. Html(value),
    ];

    // Encoders differ in what they leave alone: RFC 3986 nothing but its unreserved characters, browsers and Python's quote the slash, forms write a space as +.
    private static IEnumerable<string> Addresses(string value)
    {
        foreach (var kept in (string[])["", "~", "/", "*", "!'()*", "!#$%&'()*+,/:;=?@[]~"])
        {
            foreach (var space in (string[])["%20", "+"])
            {
                yield return Percent(value, kept, space, "X2");
                yield return Percent(value, kept, space, "x2");
            }
        }
    }

    private static string Percent(string value, string kept, string space, string hex)
    {
        var text = new StringBuilder();
        foreach (var one in Encoding.UTF8.GetBytes(value))
        {
            var c = (char)one;
            _ = char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' || kept.Contains(c) || (c == '~' && kept.Length != 0) ? text.Append(c)
                : c == ' ' ? text.Append(space)
                : text.Append('%').Append(one.ToString(hex, CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }

    private static IEnumerable<string> Json(string value)
    {
        foreach (var slash in (string[])["/", "\\/"])
        {
            foreach (var hex in (string[])["x4", "X4"])
            {
                foreach (var isAscii in (bool[])[false, true])
                {
                    yield return Escaped(value, slash, hex, isAscii, isMarkup: false);
                    yield return Escaped(value, slash, hex, isAscii, isMarkup: true);
                }
            }
        }

        yield return JavaScriptEncoder.Default.Encode(value);
    }

    private static string Escaped(string value, string slash, string hex, bool isAscii, bool isMarkup)
    {
        var text = new StringBuilder();
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                '/' => text.Append(slash),
                _ when c < ' ' || (isAscii && c > '~') || (isMarkup && c is '<' or '>' or '&' or '\'') => text.Append("\\u").Append(((int)c).ToString(hex, CultureInfo.InvariantCulture)),
                _ => text.Append(c),
            };
        }

        return text.ToString();
    }

    private static IEnumerable<string> Html(string value)
    {
        var text = value.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
        var quoted = text.Replace("\"", "&quot;", StringComparison.Ordinal);
        return
        [
            WebUtility.HtmlEncode(value), text, quoted, text.Replace("\"", "&#34;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal),
            quoted.Replace("'", "&#39;", StringComparison.Ordinal), quoted.Replace("'", "&#x27;", StringComparison.Ordinal), quoted.Replace("'", "&apos;", StringComparison.Ordinal),
        ];
    }

    // Where 0, 1 or 2 bytes of a group of three stand before the value, other characters come out. Those that hold bits of the value alone are looked for.
    private static IEnumerable<string> Base64(byte[] bytes)
    {
        for (var before = 0; before < 3; before++)
        {
            var text = Convert.ToBase64String([.. new byte[before], .. bytes]);
            yield return text[((before * 8 + 5) / 6)..((before + bytes.Length) * 8 / 6)];
        }
    }
}
