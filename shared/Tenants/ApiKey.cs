using System.Security.Cryptography;
using System.Text;

namespace Eddy.Tenants;

/// <summary>
/// A credential of a machine: <c>eddy_</c> and 32 random bytes in base64url, shown once. Stored is its SHA-256, which is enough for a secret that
/// nobody can guess. Whoever holds it acts for one tenant, or
/// for one person in it, within its scopes, until it is revoked.
/// </summary>
public sealed class ApiKey
{
    public const string Prefix = "eddy_";

    public required Guid TenantId { get; init; }

    public required Guid Id { get; init; }

    /// <summary>What it is for; its events' actor is <c>key:name</c>. Unique among the tenant's keys that are in force.</summary>
    public required string Name { get; init; }

    public required byte[] Hash { get; init; }

    /// <summary>Its first characters, so that people recognise it.</summary>
    public required string Hint { get; init; }

    /// <summary>Some of <see cref="Scope.All"/>.</summary>
    public required string[] Scopes { get; init; }

    /// <summary>The person who acts where it is shown; null where the tenant does. It is in force as long as they belong to the tenant.</summary>
    public Guid? PersonId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? RevokedAt { get; set; }

    /// <summary>To a minute or so: doors note it in batches.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }

    /// <summary>A key and the secret that is its only copy.</summary>
    /// <param name="person">Who acts where it is shown; null for the tenant.</param>
    public static (ApiKey Key, string Secret) Make(TenantId tenant, string name, string[] scopes, DateTimeOffset now, Guid? person = null)
    {
        var secret = Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        var key = new ApiKey
        {
            TenantId = tenant.Value,
            Id = Guid.CreateVersion7(now),
            Name = name,
            Hash = HashOf(secret),
            Hint = secret[..(Prefix.Length + 4)],
            Scopes = scopes,
            PersonId = person,
            CreatedAt = now,
        };
        return (key, secret);
    }

    /// <summary>Why this can not be a key's name, in a sentence, or null.</summary>
    public static string? NameFault(string name) =>
        name.Length is > 0 and <= 64 && name.Trim() == name && !name.Any(char.IsControl) ? null : "A key's name has 1 to 64 characters, none of them a control character, and no spaces around it.";

    public static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}

/// <summary>What an API key may do.</summary>
public static class Scope
{
    /// <summary>Send events in.</summary>
    public const string Ingest = "ingest";

    /// <summary>Read files, processes, events and runs.</summary>
    public const string Read = "read";

    /// <summary>Change files and KVPs.</summary>
    public const string Write = "write";

    public static readonly string[] All = [Ingest, Read, Write];
}
