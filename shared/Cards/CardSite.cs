namespace Eddy.Cards;

/// <summary>Where tenants' hosts are, as far as a process knows that serves none: <c>Sites:Domain</c>, and <c>Mail:Site</c> for the scheme and the port of this machine's.</summary>
/// <param name="domain">Null where tenants have no hosts of their own.</param>
/// <param name="platform">Where the platform is; null where nobody has said.</param>
public sealed class CardSite(string? domain, string? platform)
{
    private readonly Uri? _platform = platform is null ? null : new Uri(platform);

    /// <summary>Without a slash at its end; blank where it is not known, and then an address is a path.</summary>
    public string OriginOf(string? slug)
    {
        if (domain is null || slug is null)
        {
            return platform?.TrimEnd('/') ?? "";
        }

        var name = domain.Split(':')[0].ToLowerInvariant();
        return name != "localhost" && !name.EndsWith(".localhost", StringComparison.Ordinal) ? $"https://{slug}.{domain}"
            : _platform is null ? ""
            : $"http://{slug}.{(domain.Contains(':') ? domain : $"{name}:{_platform.Port}")}";
    }
}
