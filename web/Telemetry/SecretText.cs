using System.Text.RegularExpressions;

namespace Eddy.Telemetry;

/// <summary>Strikes API keys out of whatever is written down of a request: the part of an address after <c>/in/</c>, and anything of the form of a key.</summary>
public static partial class SecretText
{
    public static string Strike(string text)
    {
        if (!text.Contains("/in/", StringComparison.OrdinalIgnoreCase) && !text.Contains("eddy_", StringComparison.Ordinal))
        {
            return text;
        }

        return Key().Replace(Address().Replace(text, "$1***"), "eddy_***");
    }

    [GeneratedRegex("""(/in/)[^/\s?#"'\\]+""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Address();

    // Roles and databases are called eddy_app and the like; a key is longer.
    [GeneratedRegex("eddy_[A-Za-z0-9_-]{20,}", RegexOptions.CultureInvariant)]
    private static partial Regex Key();
}
