using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Eddy.Egress;

/// <summary>An entry of <see cref="EgressOptions.Allow"/>: a network, an address at a port, or a name at a port.</summary>
internal sealed record AllowedPlace(IPNetwork? Network, IPAddress? Address, string? Name, int Port)
{
    public static bool TryParse(string? text, [NotNullWhen(true)] out AllowedPlace? place)
    {
        place = null;
        text = text?.Trim() ?? "";
        if (IPNetwork.TryParse(text, out var network))
        {
            place = new AllowedPlace(network, null, null, 0);
        }
        else if (text.Contains("::", StringComparison.Ordinal) && IPAddress.TryParse(text, out var six) && !text.StartsWith('['))
        {
            place = new AllowedPlace(new IPNetwork(six, 128), null, null, 0);
        }
        else if (!text.Contains(':', StringComparison.Ordinal) && IPAddress.TryParse(text, out var four) && four.AddressFamily == AddressFamily.InterNetwork)
        {
            place = new AllowedPlace(new IPNetwork(four, 32), null, null, 0);
        }
        else if (text.LastIndexOf(':') is > 0 and var colon && ushort.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0)
        {
            var host = text[..colon];
            if (IPAddress.TryParse(host.Trim('[', ']'), out var address))
            {
                place = new AllowedPlace(null, address, null, port);
            }
            else if (EgressRules.IsHostName(host))
            {
                place = new AllowedPlace(null, null, host.ToLowerInvariant(), port);
            }
        }

        return place is not null;
    }
}
