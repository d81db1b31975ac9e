using System.Text.RegularExpressions;

namespace Eddy.Tenants;

/// <summary>
/// An organisation or a person with rules, processes and doors of its own. Tenants never meet: every row of theirs begins with their id.
/// Made by the operator's command line (later by sign-up); members change its name and time zone.
/// </summary>
public sealed partial class Tenant
{
    /// <summary>Names at which people look for the provider: a tenant's host of that name would look like the provider's.</summary>
    private static readonly HashSet<string> Reserved =
    [
        "www", "mail", "api", "app", "apps", "admin", "administrator", "root", "platform", "eddy", "support", "help", "status", "login", "signin", "sign-in", "signup", "sign-up", "account", "accounts", "auth", "billing",
        "security", "abuse", "postmaster", "hostmaster", "webmaster", "static", "assets", "cdn", "docs", "smtp", "imap", "ftp", "ns1", "ns2", "localhost", "autoconfig", "autodiscover",
    ];

    public required Guid Id { get; init; }

    /// <summary>Its name in addresses: a DNS label of 2 to 40 characters, unique.</summary>
    public required string Slug { get; init; }

    public required string Name { get; set; }

    /// <summary>An IANA time zone: what cron and naive times mean.</summary>
    public required string TimeZone { get; set; }

    /// <summary>Counts the changes of its files; a run records the one it ran under. 0: no file yet.</summary>
    public long TreeVersion { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Why this can not be a slug, or null.</summary>
    public static string? SlugFault(string slug) =>
        SlugForm().IsMatch(slug)
            ? null
            : $"'{slug}' can not be a slug: it takes 2 to 40 small letters, digits and hyphens, begins with a letter and does not end with a hyphen.";

    /// <summary>Why no new tenant can have this slug, or null.</summary>
    public static string? NewSlugFault(string slug) =>
        SlugFault(slug) ?? (Reserved.Contains(slug) ? $"'{slug}' is kept for the provider; choose another." : null);

    /// <summary>Why this can not be a time zone, or null.</summary>
    public static string? TimeZoneFault(string zone) =>
        // The name becomes that of a file, and beside the zones lie lists of them, and copies that count leap seconds.
        ZoneForm().IsMatch(zone) && TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) && found.HasIanaId
            ? null
            : $"'{(zone.Length > 64 ? zone[..63] + "…" : zone)}' is not a time zone: it takes an IANA name such as Europe/Berlin.";

    [GeneratedRegex("^(?!posix|right/|localtime|Factory)[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,31}){0,2}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex ZoneForm();

    [GeneratedRegex("^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])$", RegexOptions.CultureInvariant)]
    private static partial Regex SlugForm();
}
