using System.Globalization;
using System.Text.Json;
using Eddy.Kvps;

namespace Eddy.Mail;

/// <summary>A KVP's value as a person writes it: text as it is, dates and times in the tenant's zone, lists and dictionaries as JSON; nothing for <c>None</c>.</summary>
public static class PrintedValue
{
    /// <param name="canonical">Canonical JSON.</param>
    public static string Of(string canonical, TimeZoneInfo zone) => canonical[0] switch
    {
        '"' => JsonSerializer.Deserialize<string>(canonical)!,
        'n' => "",
        't' => "True",
        'f' => "False",
        '{' => Tagged(canonical, zone),
        _ => canonical,
    };

    private static string Tagged(string canonical, TimeZoneInfo zone)
    {
        var lookup = KvpLookup.Of(canonical);
        if (lookup.Txt is not { } text)
        {
            return canonical;
        }

        if (canonical.StartsWith("{\"$decimal\"", StringComparison.Ordinal))
        {
            return canonical["{\"$decimal\":\"".Length..^2];
        }

        if (canonical.StartsWith("{\"$time\"", StringComparison.Ordinal))
        {
            return text[6..8] == "00" ? text[..5] : text[..8];
        }

        if (lookup.At is not { } at || text.Length == "yyyy-MM-dd".Length)
        {
            return text;
        }

        // What has no zone is the tenant's time as it stands.
        var local = text.AsSpan("yyyy-MM-ddThh:mm:ss".Length).ContainsAny('+', '-') ? TimeZoneInfo.ConvertTimeFromUtc(at, zone) : at;
        return local.ToString(local.Second == 0 ? "yyyy-MM-dd HH:mm" : "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
    }
}
