namespace Eddy.Egress;

/// <summary>Where tenants' HTTP calls may go, and how far. <see cref="Faults"/> gathers everything that is wrong with it.</summary>
public sealed class EgressOptions
{
    private static readonly int[] UsualPorts = [80, 443, 8080, 8443];

    /// <summary>The ports that may be called. None named means 80, 443, 8080 and 8443.</summary>
    public IList<int> Ports { get; set; } = [];

    /// <summary>
    /// Exceptions from the rule that only public addresses are called: <c>10.1.0.0/16</c> opens these addresses at <see cref="Ports"/>,
    /// <c>10.1.2.3:9200</c> one address at one port, whatever name leads to it, and <c>search.internal:9200</c> whatever that name leads to at that port.
    /// </summary>
    public IList<string> Allow { get; set; } = [];

    /// <summary>Addresses that are never called, though they be public: <c>198.51.100.7</c> or <c>198.51.100.0/24</c>. Goes before <see cref="Allow"/>.</summary>
    public IList<string> Deny { get; set; } = [];

    /// <summary>If there are any, only these hosts are called: <c>api.example.com</c>, or <c>*.example.com</c> for all names below it.</summary>
    public IList<string> Hosts { get; set; } = [];

    /// <summary>A PEM file of roots to trust beside those of the machine.</summary>
    public string? TrustedRoots { get; set; }

    /// <summary>How many calls a run may make.</summary>
    public int Calls { get; set; } = 100;

    /// <summary>How many redirects a run may follow one after another.</summary>
    public int Redirects { get; set; } = 5;

    /// <summary>How many bytes the bodies of all calls of a run may have together, each way.</summary>
    public int BodyBytes { get; set; } = 10 << 20;

    /// <summary>How long the headers of a request may be, and those of an answer.</summary>
    public int HeaderBytes { get; set; } = 64 << 10;

    /// <summary>How long a call may take, from the wait for its turn to the last byte of the body.</summary>
    public TimeSpan CallTime { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How many calls of one tenant may be under way; others wait.</summary>
    public int TenantCalls { get; set; } = 16;

    /// <summary>How many calls of this process may be under way; others wait.</summary>
    public int ProcessCalls { get; set; } = 512;

    /// <summary>After which time without a call a tenant's connections are closed.</summary>
    public TimeSpan Idle { get; set; } = TimeSpan.FromSeconds(30);

    internal IEnumerable<int> CallablePorts => Ports.Count > 0 ? Ports : UsualPorts;

    /// <summary>Everything that is wrong with these settings, one sentence each.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>();
        faults.AddRange(Ports.Where(port => port is < 1 or > 65535).Select(port => $"{nameof(Ports)} has {port}; a port is from 1 to 65535."));
        faults.AddRange(Allow.Where(text => !AllowedPlace.TryParse(text, out _)).Select(text => $"{nameof(Allow)} has '{text}'; it takes 10.1.0.0/16, 10.1.2.3, 10.1.2.3:9200 or name:9200."));
        faults.AddRange(Deny.Where(text => !AllowedPlace.TryParse(text, out var place) || place.Network is null).Select(text => $"{nameof(Deny)} has '{text}'; it takes an address or a network, as in 198.51.100.0/24."));
        faults.AddRange(Hosts.Where(text => !EgressRules.IsHostPattern(text)).Select(text => $"{nameof(Hosts)} has '{text}'; it takes api.example.com or *.example.com."));
        if (TrustedRoots is not null && ServerTrust.Fault(TrustedRoots) is { } fault)
        {
            faults.Add(fault);
        }

        Within(nameof(Calls), Calls, 0, 100_000);
        Within(nameof(Redirects), Redirects, 0, 100);
        Within(nameof(BodyBytes), BodyBytes, 0, 1 << 30);
        Within(nameof(HeaderBytes), HeaderBytes, 1 << 10, 16 << 20);
        Within(nameof(CallTime), CallTime.TotalSeconds, 0.01, 3600);
        Within(nameof(TenantCalls), TenantCalls, 1, 100_000);
        Within(nameof(ProcessCalls), ProcessCalls, 1, 100_000);
        Within(nameof(Idle), Idle.TotalSeconds, 1, 3600);
        return faults;

        void Within(string name, double value, double least, double most)
        {
            if (!(value >= least && value <= most))
            {
                faults.Add($"{name} is {value}; it must be from {least} to {most}.");
            }
        }
    }

    internal void ThrowIfFaulty()
    {
        var faults = Faults();
        if (faults.Count > 0)
        {
            throw new ArgumentException("The settings of outgoing calls are wrong. " + string.Join(' ', faults));
        }
    }
}
