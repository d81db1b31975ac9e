using System.Net;
using System.Net.NetworkInformation;

namespace Eddy.Egress;

/// <summary>The addresses of this machine: what listens on all of them must not be reached by way of a public one. Looked up again twice a minute.</summary>
public sealed class OwnAddresses(TimeProvider time)
{
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(30);

    private volatile Known? _known;

    public bool Contains(IPAddress address)
    {
        if (_known is not { } known || time.GetElapsedTime(known.At) > Age)
        {
            _known = known = new Known(time.GetTimestamp(), Read());
        }

        return known.Addresses.Contains(address);
    }

    private static HashSet<IPAddress> Read()
    {
        var addresses = new HashSet<IPAddress>();
        foreach (var one in NetworkInterface.GetAllNetworkInterfaces().SelectMany(network => network.GetIPProperties().UnicastAddresses))
        {
            addresses.Add(one.Address);
        }

        return addresses;
    }

    private sealed record Known(long At, HashSet<IPAddress> Addresses);
}
