using System.Text.RegularExpressions;
using Eddy.Tenants;

namespace Eddy.Sites;

/// <summary>Settings of the tenants' own hosts (section <c>Sites</c>). Without a domain there are none.</summary>
public sealed partial class SiteOptions
{
    /// <summary>The domain of which each tenant has a name: <c>apps.example.com</c>, with a port where it is not the scheme's own. <c>localhost</c>, and what is below it, is this machine: without TLS, at the web's own port.</summary>
    public string? Domain { get; set; }

    /// <summary>Further hosts: which name leads to the tenant of which slug.</summary>
    public IDictionary<string, string> Hosts { get; set; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Where people find the platform, as in <c>https://eddy.example.com</c>: there they sign in. On this machine, where the web listens.</summary>
    public string? Platform { get; set; }

    /// <summary>How many requests of one address of the network a second are answered; twice as many at once, after a pause.</summary>
    public int AddressRequests { get; set; } = 200;

    /// <summary>How many requests of one tenant's site a second are answered; twice as many at once, after a pause.</summary>
    public int TenantRequests { get; set; } = 2000;

    /// <summary>How many pages may be open at once from one address of the network.</summary>
    public int AddressPages { get; set; } = 1000;

    /// <summary>How many pages of one tenant may be open at once.</summary>
    public int TenantPages { get; set; } = 5000;

    public bool AreOn => Domain is not null;

    /// <summary>The domain without its port.</summary>
    public string DomainName => Domain?.Split(':')[0].ToLowerInvariant() ?? "";

    public bool IsLocal => DomainName == "localhost" || DomainName.EndsWith(".localhost", StringComparison.Ordinal);

    /// <summary>Everything that is wrong with these settings.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (var (name, value) in new[] { (nameof(AddressRequests), AddressRequests), (nameof(TenantRequests), TenantRequests), (nameof(AddressPages), AddressPages), (nameof(TenantPages), TenantPages) })
        {
            if (value is < 1 or > 1_000_000)
            {
                yield return $"Sites:{name} is {value}; it takes 1 to 1,000,000.";
            }
        }

        if (Domain is null)
        {
            if (Hosts.Count > 0)
            {
                yield return "Sites:Hosts names hosts of tenants, but Sites:Domain says no domain: set it too, as in apps.example.com.";
            }

            yield break;
        }

        if (!DomainForm().IsMatch(Domain))
        {
            yield return $"Sites:Domain is '{Domain}'; it takes a domain such as apps.example.com.";
        }

        if (Platform is null ? !IsLocal : !Uri.TryCreate(Platform, UriKind.Absolute, out var platform) || platform.Scheme is not ("http" or "https") || platform.PathAndQuery != "/")
        {
            yield return Platform is null
                ? $"Sites:Platform is not set: with Sites:Domain={Domain} it takes the address at which people sign in, as in https://eddy.example.com."
                : $"Sites:Platform is '{Platform}'; it takes an address without a path, as in https://eddy.example.com.";
        }
        else if (Platform is not null && IsUnder(new Uri(Platform).Host, DomainName) && !IsLocal)
        {
            yield return $"Sites:Platform is {Platform}, which lies in Sites:Domain {Domain}: pages of tenants would be its neighbours. Take a domain apart for one of them.";
        }

        foreach (var (host, slug) in Hosts)
        {
            if (!DomainForm().IsMatch(host) || host.Contains(':', StringComparison.Ordinal))
            {
                yield return $"Sites:Hosts names '{host}'; it takes names such as shop.example.com.";
            }

            if (Tenant.SlugFault(slug) is { } fault)
            {
                yield return $"Sites:Hosts:{host}: {fault}";
            }

            if (Platform is not null && Uri.TryCreate(Platform, UriKind.Absolute, out var own) && string.Equals(own.Host, host, StringComparison.OrdinalIgnoreCase))
            {
                yield return $"Sites:Hosts names {host}, which is the platform's own host (Sites:Platform).";
            }
        }
    }

    internal static bool IsUnder(string host, string domain) =>
        string.Equals(host, domain, StringComparison.OrdinalIgnoreCase) || host.EndsWith("." + domain, StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"^(?=.{1,200}\z)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]{1,5})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex DomainForm();
}
