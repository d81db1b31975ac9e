using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Eddy.Secrets;

/// <summary>
/// Where a secret may go: <c>api.stripe.com</c>, that name alone; <c>*.example.com</c>, the names with one label more; either with <c>:8443</c>, else on the ports of http
/// and https; or one address, as in <c>203.0.113.7</c> and <c>[2001:db8::7]</c>.
/// </summary>
public readonly record struct HostPattern
{
    private static readonly IdnMapping Idn = new();

    private HostPattern(string name, bool isWildcard, int? port) => (Name, IsWildcard, Port) = (name, isWildcard, port);

    /// <summary>In lower case and ASCII; of a wildcard what follows the <c>*.</c>.</summary>
    public string Name { get; }

    public bool IsWildcard { get; }

    /// <summary>Null: 80 and 443.</summary>
    public int? Port { get; }

    public override string ToString() => (IsWildcard ? "*." : "") + Name + (Port is { } port ? string.Create(CultureInfo.InvariantCulture, $":{port}") : "");

    /// <param name="fault">Why it is none, in a sentence, or null.</param>
    public static bool TryParse(string text, out HostPattern pattern, out string? fault)
    {
        (pattern, fault) = (default, null);
        var isWildcard = text.StartsWith("*.", StringComparison.Ordinal);
        var rest = isWildcard ? text[2..] : text;
        if (rest.Contains('*'))
        {
            fault = $"'{Shown(text)}' is no host: a * stands alone for the first label, as in *.example.com.";
        }
        else if (!TrySplit(rest, out var name, out var port))
        {
            fault = $"'{Shown(text)}' is no host: it takes a name as in api.example.com or *.example.com, with a port where that is not 80 or 443.";
        }
        else if (IsAddress(name) && isWildcard)
        {
            fault = $"'{Shown(text)}' is no host: an address is given whole.";
        }
        else if (isWildcard && !name.Contains('.'))
        {
            fault = $"'{Shown(text)}' is too many hosts: at least two labels follow the *, as in *.example.com.";
        }
        else
        {
            pattern = new HostPattern(name, isWildcard, port);
        }

        return fault is null;
    }

    /// <summary>Whether what is sent to this host may hold the secret.</summary>
    /// <param name="authority">A name or an address, with the port where that is not the scheme's own: <see cref="Uri.Authority"/>, without user information.</param>
    public bool Covers(string authority)
    {
        if (!TrySplit(authority, out var name, out var port) || port != Port)
        {
            return false;
        }

        return IsWildcard
            ? name.Length > Name.Length + 1 && name.EndsWith(Name, StringComparison.Ordinal) && name[^(Name.Length + 1)] == '.' && !name.AsSpan(0, name.Length - Name.Length - 1).Contains('.')
            : name == Name;
    }

    /// <summary>Host and port in the one form in which they are compared. Ports 80 and 443 are none.</summary>
    private static bool TrySplit(string text, out string name, out int? port)
    {
        (name, port) = ("", null);
        var colon = text.LastIndexOf(':');
        if (colon >= 0 && !text.EndsWith(']'))
        {
            if (!ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0)
            {
                return false;
            }

            port = number is 80 or 443 ? null : number;
            text = text[..colon];
        }

        return TryName(text, out name);
    }

    private static bool TryName(string text, out string name)
    {
        name = "";
        if (text is ['[', .. var inner, ']'])
        {
            var isAddress = IPAddress.TryParse(inner, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 && !inner.Contains('%');
            name = isAddress ? $"[{address}]" : "";
            return isAddress;
        }

        text = text.EndsWith('.') ? text[..^1] : text;
        try
        {
            name = Idn.GetAscii(text).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return false;
        }

        var labels = name.Split('.');
        if (name.Length > 253 || labels.Any(label => label.Length is 0 or > 63 || label[0] == '-' || label[^1] == '-' || !label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')))
        {
            return false;
        }

        // A name whose last label is a number is an address, in one of many spellings; one of them counts.
        return !char.IsAsciiDigit(labels[^1][0]) || !IPAddress.TryParse(name, out var dotted) || (dotted.AddressFamily == AddressFamily.InterNetwork && dotted.ToString() == name);
    }

    private static bool IsAddress(string name) => name[0] == '[' || IPAddress.TryParse(name, out _);

    private static string Shown(string text) => text.Length > 100 ? text[..100] + "…" : text;
}
