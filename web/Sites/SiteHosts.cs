using System.Collections.Concurrent;
using Eddy.Tenants;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Npgsql;

namespace Eddy.Sites;

/// <summary>Which host is which tenant's. What was found, or not, holds for a second.</summary>
public sealed class SiteHosts(SiteOptions options, NpgsqlDataSource source, IServer server, TimeProvider time)
{
    private const int MostKnown = 10_000;

    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, (long AskedAt, Task<Found?> Answer)> _known = new(StringComparer.Ordinal);

    public bool AreOn => options.AreOn;

    /// <summary>Where people sign in and find the IDE.</summary>
    public Uri Platform => new(options.Platform ?? $"http://{LocalHost()}");

    /// <summary>The origins of the platform, which alone may frame a site. On this machine it is known by two names.</summary>
    public IReadOnlyList<string> PlatformOrigins =>
        options.Platform is not null ? [Platform.GetLeftPart(UriPartial.Authority)]
        : [.. new[] { Platform.Authority, $"localhost:{Platform.Port}" }.Distinct().Select(authority => "http://" + authority)];

    /// <summary>Matches the origins of all sites that have a name of the domain, as a content policy writes it.</summary>
    public string OriginPattern => $"{Scheme}://*.{options.DomainName}{PortText}";

    private string Scheme => options.IsLocal ? Uri.UriSchemeHttp : Uri.UriSchemeHttps;

    private string PortText => options.Domain!.Split(':') is [_, var port] ? ":" + port : options.IsLocal ? $":{new Uri("http://" + LocalHost()).Port}" : "";

    /// <summary>Whether this is no host of the platform's, be there such a tenant or not.</summary>
    public bool Has(HostString host)
    {
        if (!options.AreOn || host.Host is not { Length: > 0 } name)
        {
            return false;
        }

        // The same name with a dot at its end is another origin to browsers; nothing answers there.
        name = name.TrimEnd('.');
        return options.Hosts.ContainsKey(name) || (SiteOptions.IsUnder(name, options.DomainName) && !IsPlatform(name));
    }

    /// <summary>The site at this host; null where no tenant has it.</summary>
    public async ValueTask<Site?> FindAsync(HostString host, CancellationToken cancel)
    {
        var name = host.Host.ToLowerInvariant();
        var isOwn = options.Hosts.TryGetValue(name, out var slug);
        if (!isOwn)
        {
            slug = name.EndsWith("." + options.DomainName, StringComparison.Ordinal) ? name[..^(options.DomainName.Length + 1)] : "";
        }

        return Tenant.SlugFault(slug!) is null && await AskAsync(slug!).WaitAsync(cancel) is { } found
            ? new Site(found.Tenant, slug!, found.Name, found.Zone, isOwn ? OwnOrigin(name) : OriginOf(slug!))
            : null;
    }

    /// <summary>The tenant's name of the domain.</summary>
    public Uri OriginOf(string slug) => new($"{Scheme}://{slug}.{options.DomainName}{PortText}");

    /// <summary>Where a tenant's people come back to who signed in: its name of the domain, or one of its further hosts. Null where it does not have that one.</summary>
    /// <param name="host">Null for its name of the domain.</param>
    public Uri? OriginOf(string slug, string? host) =>
        host is null ? OriginOf(slug) : options.Hosts.TryGetValue(host, out var owner) && owner == slug ? OwnOrigin(host.ToLowerInvariant()) : null;

    /// <summary>The further host at which a site was asked for; null where it was by its name of the domain.</summary>
    public string? OwnHostOf(Site site) => options.Hosts.ContainsKey(site.Origin.Host) ? site.Origin.Host : null;

    private Uri OwnOrigin(string host) => new($"{Scheme}://{host}{PortText}");

    private bool IsPlatform(string name) =>
        options.Platform is not null ? string.Equals(Platform.Host, name, StringComparison.OrdinalIgnoreCase) : name.Equals("localhost", StringComparison.OrdinalIgnoreCase);

    // It listens before it is asked.
    private string LocalHost()
    {
        var address = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault(one => one.StartsWith(Uri.UriSchemeHttp + ":", StringComparison.OrdinalIgnoreCase)) ?? "http://localhost:80";
        var bound = BindingAddress.Parse(address);
        return $"{(System.Net.IPAddress.TryParse(bound.Host, out var ip) && System.Net.IPAddress.IsLoopback(ip) ? bound.Host : "localhost")}:{bound.Port}";
    }

    private Task<Found?> AskAsync(string slug)
    {
        if (_known.TryGetValue(slug, out var known) && time.GetElapsedTime(known.AskedAt) < Freshness && !known.Answer.IsFaulted)
        {
            return known.Answer;
        }

        if (_known.Count > MostKnown)
        {
            _known.Clear();
        }

        var asked = (AskedAt: time.GetTimestamp(), Answer: ReadAsync(slug));
        _known[slug] = asked;
        return asked.Answer;
    }

    private async Task<Found?> ReadAsync(string slug)
    {
        // For all who ask within the second, so nobody's leaving ends it.
        await using var ask = source.CreateCommand("select id, name, time_zone from site_of($1)");
        ask.Parameters.Add(new() { Value = slug });
        await using var rows = await ask.ExecuteReaderAsync();
        return await rows.ReadAsync() ? new Found(new TenantId(rows.GetGuid(0)), rows.GetString(1), TimeZoneInfo.FindSystemTimeZoneById(rows.GetString(2))) : null;
    }

    private sealed record Found(TenantId Tenant, string Name, TimeZoneInfo Zone);
}
