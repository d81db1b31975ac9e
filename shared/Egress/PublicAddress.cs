using System.Net;
using System.Net.Sockets;

namespace Eddy.Egress;

/// <summary>Which addresses are on the public internet. IPv6 is refused but for what is known to be global; IPv4 inside IPv6 is looked at as IPv4.</summary>
public static class PublicAddress
{
    private static readonly (IPNetwork Network, string What)[] Forbidden4 =
    [
        (IPNetwork.Parse("0.0.0.0/8"), "unspecified"),
        (IPNetwork.Parse("10.0.0.0/8"), "private"),
        (IPNetwork.Parse("100.64.0.0/10"), "of a carrier's own net"),
        (IPNetwork.Parse("127.0.0.0/8"), "of the machine itself"),
        (IPNetwork.Parse("168.63.129.16/32"), "of a cloud's own services"), // Azure's
        (IPNetwork.Parse("169.254.0.0/16"), "link-local"), // 169.254.169.254 and other metadata
        (IPNetwork.Parse("172.16.0.0/12"), "private"),
        (IPNetwork.Parse("192.0.0.0/24"), "reserved"),
        (IPNetwork.Parse("192.0.2.0/24"), "for documentation"),
        (IPNetwork.Parse("192.31.196.0/24"), "reserved"), // AS112
        (IPNetwork.Parse("192.52.193.0/24"), "reserved"), // AMT
        (IPNetwork.Parse("192.88.99.0/24"), "reserved"), // 6to4 relays
        (IPNetwork.Parse("192.168.0.0/16"), "private"),
        (IPNetwork.Parse("192.175.48.0/24"), "reserved"), // AS112
        (IPNetwork.Parse("198.18.0.0/15"), "for benchmarks"),
        (IPNetwork.Parse("198.51.100.0/24"), "for documentation"),
        (IPNetwork.Parse("203.0.113.0/24"), "for documentation"),
        (IPNetwork.Parse("224.0.0.0/4"), "multicast"),
        (IPNetwork.Parse("240.0.0.0/4"), "reserved"), // and broadcast
    ];

    private static readonly IPNetwork Global6 = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    private static readonly (IPNetwork Network, string What)[] Forbidden6 =
    [
        (IPNetwork.Parse("2001::/23"), "reserved"), // Teredo, benchmarks, ORCHID
        (IPNetwork.Parse("2001:db8::/32"), "for documentation"),
        (IPNetwork.Parse("2002::/16"), "of a tunnel"), // 6to4
        (IPNetwork.Parse("2620:4f:8000::/48"), "reserved"), // AS112
        (IPNetwork.Parse("3ffe::/16"), "reserved"),
        (IPNetwork.Parse("3fff::/20"), "for documentation"),
    ];

    /// <summary>What the address is where it is not public: the rest of a sentence. Null where it is.</summary>
    public static string? Fault(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            return Among(Forbidden4, address);
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return "of no known kind";
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return Fault(address.MapToIPv4());
        }

        // The scope names an interface of this machine.
        if (address.ScopeId != 0)
        {
            return "link-local";
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (Nat64.Contains(address))
        {
            return Fault(new IPAddress(bytes[12..]));
        }

        if (address.Equals(IPAddress.IPv6Loopback))
        {
            return "of the machine itself";
        }

        if (!Global6.Contains(address))
        {
            return address.IsIPv6UniqueLocal || address.IsIPv6SiteLocal ? "private"
                : address.IsIPv6LinkLocal ? "link-local"
                : address.IsIPv6Multicast ? "multicast" : "reserved";
        }

        // ISATAP carries an IPv4 address in its lower half.
        if (bytes[8] is 0 or 2 && bytes[9] == 0 && bytes[10] == 0x5E && bytes[11] == 0xFE)
        {
            return "of a tunnel";
        }

        return Among(Forbidden6, address);
    }

    private static string? Among((IPNetwork Network, string What)[] forbidden, IPAddress address)
    {
        foreach (var (network, what) in forbidden)
        {
            if (network.Contains(address))
            {
                return what;
            }
        }

        return null;
    }
}
