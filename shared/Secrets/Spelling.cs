using System.Security;
using System.Text.Encodings.Web;

namespace Eddy.Secrets;

/// <summary>How a value is written where its placeholder stood, so that it means itself there.</summary>
public enum Spelling
{
    /// <summary>As it is: plain bodies, the two halves of HTTP Basic.</summary>
    Plain,

    /// <summary>The value of a header: a value with a line break in it is refused.</summary>
    Header,

    /// <summary>Percent-encoded: paths, queries, URL-encoded forms.</summary>
    Url,

    /// <summary>Escaped as within a string of JSON.</summary>
    Json,

    /// <summary>Escaped as within the text or an attribute of XML.</summary>
    Xml,
}

public static class Spellings
{
    /// <summary>How values are written in a body of this content type.</summary>
    public static Spelling Of(string? contentType)
    {
        var type = contentType?.Split(';')[0].Trim() ?? "";
        return type.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) ? Spelling.Url
            : type.EndsWith("/json", StringComparison.OrdinalIgnoreCase) || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase) ? Spelling.Json
            : type.EndsWith("/xml", StringComparison.OrdinalIgnoreCase) || type.EndsWith("+xml", StringComparison.OrdinalIgnoreCase) ? Spelling.Xml
            : Spelling.Plain;
    }

    internal static string Spell(this Spelling spelling, string value) => spelling switch
    {
        Spelling.Url => Uri.EscapeDataString(value),
        Spelling.Json => JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(value),
        Spelling.Xml => SecurityElement.Escape(value),
        _ => value,
    };
}
