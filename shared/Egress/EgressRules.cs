using System.Collections.Frozen;
using System.Net;

namespace Eddy.Egress;

/// <summary>Which hosts, ports and addresses may be called. Pure but for the addresses of this machine.</summary>
internal sealed class EgressRules
{
    private readonly FrozenSet<int> _ports;
    private readonly FrozenSet<int> _allowedPorts;
    private readonly FrozenSet<(IPAddress, int)> _endpoints;
    private readonly FrozenSet<(string, int)> _names;
    private readonly IPNetwork[] _allowed;
    private readonly IPNetwork[] _denied;
    private readonly string[] _hosts;
    private readonly OwnAddresses _own;

    public EgressRules(EgressOptions options, TimeProvider time)
    {
        var places = Places(options.Allow);
        _ports = options.CallablePorts.ToFrozenSet();
        _allowedPorts = places.Where(place => place.Network is null).Select(place => place.Port).ToFrozenSet();
        _endpoints = places.Where(place => place.Address is not null).Select(place => (place.Address!, place.Port)).ToFrozenSet();
        _names = places.Where(place => place.Name is not null).Select(place => (place.Name!, place.Port)).ToFrozenSet();
        _allowed = [.. places.Where(place => place.Network is not null).Select(place => place.Network!.Value)];
        _denied = [.. Places(options.Deny).Select(place => place.Network!.Value)];
        _hosts = [.. options.Hosts.Select(host => host.ToLowerInvariant())];
        _own = new OwnAddresses(time);
    }

    /// <summary>Letters, digits, hyphens and underscores between dots; numbers that look like an address are an address, and no name.</summary>
    public static bool IsHostName(string text)
    {
        if (text.Length is 0 or > 253)
        {
            return false;
        }

        foreach (var label in text.Split('.'))
        {
            if (label.Length is 0 or > 63 || label.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_')))
            {
                return false;
            }
        }

        return true;
    }

    public static bool IsHostPattern(string text) => IsHostName(text.StartsWith("*.", StringComparison.Ordinal) ? text[2..] : text);

    /// <summary>What can be said before anybody is asked for the address.</summary>
    /// <exception cref="CallRefused">The host or the port is not one that may be called.</exception>
    public void CheckName(CallTarget target)
    {
        if (_hosts.Length > 0 && !_hosts.Any(pattern => pattern.StartsWith("*.", StringComparison.Ordinal)
            ? target.Host.EndsWith(pattern[1..], StringComparison.Ordinal) : target.Host == pattern))
        {
            throw new CallRefused(CallFaults.Refused, $"{target.Host} is not among the hosts that this installation may call.");
        }

        if (!_ports.Contains(target.Port) && !_allowedPorts.Contains(target.Port))
        {
            throw PortRefused(target.Port);
        }
    }

    /// <summary>Looks at all addresses of a host: one that may not be called refuses them all.</summary>
    /// <returns>The addresses to connect to; IPv4 inside IPv6 as IPv4.</returns>
    /// <exception cref="CallRefused">An address may not be called, or not at this port.</exception>
    public IReadOnlyList<IPAddress> Check(string host, int port, IReadOnlyList<IPAddress> addresses)
    {
        var named = _names.Contains((host, port));
        var plain = addresses.Select(address => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).Distinct().ToList();
        foreach (var address in plain)
        {
            if (Array.Exists(_denied, network => network.Contains(address)))
            {
                throw new CallRefused(CallFaults.Refused, $"{host} is not called: this installation refuses its address.");
            }

            if (named || _endpoints.Contains((address, port)))
            {
                continue;
            }

            if (!_ports.Contains(port))
            {
                throw PortRefused(port);
            }

            if (Array.Exists(_allowed, network => network.Contains(address)))
            {
                continue;
            }

            if ((PublicAddress.Fault(address) ?? (_own.Contains(address) ? "of the machine itself" : null)) is { } what)
            {
                throw new CallRefused(CallFaults.Refused, $"{host} is not called: its address is {what}, and only public ones are called.");
            }
        }

        return plain;
    }

    /// <summary>Whether the operator named this very place: secrets may go there without TLS.</summary>
    public bool IsNamedByOperator(CallTarget target) =>
        _names.Contains((target.Host, target.Port))
        || IPAddress.TryParse(target.Host, out var address)
            && (_endpoints.Contains((address, target.Port)) || Array.Exists(_allowed, network => network.Contains(address)));

    private CallRefused PortRefused(int port) =>
        new(CallFaults.Refused, $"Port {port} is not called; open are {string.Join(", ", _ports.Order())}.");

    private static List<AllowedPlace> Places(IEnumerable<string> texts)
    {
        var places = new List<AllowedPlace>();
        foreach (var text in texts)
        {
            if (AllowedPlace.TryParse(text, out var place))
            {
                places.Add(place);
            }
        }

        return places;
    }
}
