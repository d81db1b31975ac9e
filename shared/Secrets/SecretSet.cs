using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Eddy.Tenants;

namespace Eddy.Secrets;

/// <summary>
/// A tenant's secrets, opened, as they were at one moment; it does not change. Host side alone: what a cell is told are the <see cref="Placeholders"/>. What goes out is filled
/// and what comes back redacted by the same set, so that a secret that is rotated meanwhile is still recognised.
/// </summary>
public sealed class SecretSet
{
    /// <summary>A placeholder is this and <see cref="PlaceholderHex"/> hexadecimal digits in lower case: it means itself in headers, addresses, JSON and HTML.</summary>
    public const string PlaceholderPrefix = "eddysecret_";

    public const int PlaceholderHex = 32;

    private const int PlaceholderLength = 11 + PlaceholderHex;

    private readonly Dictionary<string, Held> _byName;
    private readonly Dictionary<string, Held> _byPlaceholder;
    private readonly Lazy<(Redactor Text, Redactor Bytes)?> _redactors;

    private SecretSet(TenantId tenant, long version, IReadOnlyList<Held> all)
    {
        (Tenant, Version) = (tenant, version);
        _byName = all.ToDictionary(one => one.Name);
        _byPlaceholder = all.ToDictionary(one => one.Placeholder);
        Placeholders = all.ToDictionary(one => one.Name, one => one.Placeholder);
        _redactors = new(() => Redactors(all));
    }

    public TenantId Tenant { get; }

    /// <summary>As long as the tenant's secrets have this version, they are those of this set. 0: there never was one.</summary>
    public long Version { get; }

    /// <summary>What stands for each secret in the tenant's Python, by name.</summary>
    public IReadOnlyDictionary<string, string> Placeholders { get; }

    /// <summary>The names of those that do not open, because their rows are not as they were written. Whatever uses them is refused.</summary>
    public IEnumerable<string> Broken => _byName.Values.Where(one => one.Value is null).Select(one => one.Name);

    public static SecretSet Empty(TenantId tenant) => new(tenant, 0, []);

    /// <summary>What stands for this secret. A <see cref="SecretRefused"/> where there is none of that name.</summary>
    public string Placeholder(string name) => Find(name).Placeholder;

    /// <summary>Puts values in the place of placeholders, as they are.</summary>
    /// <param name="host">Where the text goes: a name or an address, with the port where that is not 80 or 443, as <see cref="Uri.Authority"/> has it.</param>
    /// <param name="used">Gets the names of the secrets that were put in.</param>
    /// <exception cref="SecretRefused">A secret in it is not for that host.</exception>
    public string Fill(string text, string host, ICollection<string> used) => Fill(text, host, used, Spelling.Plain);

    /// <summary>Puts values in the place of placeholders, spelled as they must be there.</summary>
    public string Fill(string text, string host, ICollection<string> used, Spelling spelling)
    {
        var at = text.IndexOf(PlaceholderPrefix, StringComparison.Ordinal);
        if (at < 0 || _byPlaceholder.Count == 0)
        {
            return text;
        }

        var filled = new StringBuilder();
        var copied = 0;
        while (at >= 0)
        {
            if (at + PlaceholderLength <= text.Length && _byPlaceholder.TryGetValue(text.Substring(at, PlaceholderLength), out var held))
            {
                filled.Append(text, copied, at - copied).Append(ValueFor(held, host, used, spelling));
                copied = at + PlaceholderLength;
            }

            at = text.IndexOf(PlaceholderPrefix, Math.Max(copied, at + PlaceholderPrefix.Length), StringComparison.Ordinal);
        }

        return filled.Append(text, copied, text.Length - copied).ToString();
    }

    /// <summary>As <see cref="Fill(string, string, ICollection{string})"/>; values are UTF-8. What holds no placeholder comes back itself.</summary>
    public ReadOnlyMemory<byte> FillBytes(ReadOnlyMemory<byte> bytes, string host, ICollection<string> used) => FillBytes(bytes, host, used, Spelling.Plain);

    public ReadOnlyMemory<byte> FillBytes(ReadOnlyMemory<byte> bytes, string host, ICollection<string> used, Spelling spelling)
    {
        var prefix = "eddysecret_"u8;
        var span = bytes.Span;
        var at = span.IndexOf(prefix);
        if (at < 0 || _byPlaceholder.Count == 0)
        {
            return bytes;
        }

        var filled = new ArrayBufferWriter<byte>(bytes.Length + 256);
        var copied = 0;
        while (true)
        {
            if (at + PlaceholderLength <= span.Length && _byPlaceholder.TryGetValue(Encoding.Latin1.GetString(span.Slice(at, PlaceholderLength)), out var held))
            {
                filled.Write(span[copied..at]);
                Encoding.UTF8.GetBytes(ValueFor(held, host, used, spelling), filled);
                copied = at + PlaceholderLength;
            }

            var from = Math.Max(copied, at + prefix.Length);
            if (span[from..].IndexOf(prefix) is not (>= 0 and var next))
            {
                break;
            }

            at = from + next;
        }

        filled.Write(span[copied..]);
        return filled.WrittenMemory;
    }

    /// <summary>
    /// Puts the placeholder in the place of every value and of its usual spellings: base64 and base64url, also within a longer text, hexadecimal, escaped for addresses, JSON
    /// and HTML. Values of fewer than eight characters stay, for they would be found everywhere.
    /// </summary>
    public string Redact(string text) => _redactors.Value is { } redactors ? redactors.Text.Redact(text) : text;

    /// <summary>As <see cref="Redact"/>, in UTF-8 or any encoding that has ASCII's bytes. What holds nothing of the kind comes back itself.</summary>
    public ReadOnlyMemory<byte> RedactBytes(ReadOnlyMemory<byte> bytes) => _redactors.Value is { } redactors ? redactors.Bytes.Redact(bytes) : bytes;

    /// <summary>The HMAC of the data with the value, in UTF-8, as its key.</summary>
    /// <param name="secret">A name or a placeholder.</param>
    /// <param name="algorithm"><c>sha256</c>, <c>sha384</c>, <c>sha512</c>, <c>sha1</c>, or <c>sha256-base64</c>, where the value is the key in Base64, as Standard Webhooks writes it.</param>
    /// <exception cref="SecretRefused">There is no such secret, or no such algorithm.</exception>
    public byte[] Sign(string secret, string algorithm, ReadOnlySpan<byte> data)
    {
        var held = _byPlaceholder.GetValueOrDefault(secret) ?? Find(secret);
        var value = held.Value ?? throw NotOpened(held.Name, null);
        var key = algorithm == "sha256-base64" ? KeyIn(held.Name, value) : Encoding.UTF8.GetBytes(value);
        try
        {
            return algorithm switch
            {
                "sha256" or "sha256-base64" => HMACSHA256.HashData(key, data),
                "sha384" => HMACSHA384.HashData(key, data),
                "sha512" => HMACSHA512.HashData(key, data),
#pragma warning disable CA5350 // What others still ask for is theirs to choose; as an HMAC it holds.
                "sha1" => HMACSHA1.HashData(key, data),
#pragma warning restore CA5350
                _ => throw new SecretRefused(held.Name, null, "sign() takes sha256, sha384, sha512 or sha1 as its algorithm."),
            };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static byte[] KeyIn(string name, string value)
    {
        try
        {
            return Convert.FromBase64String(value.StartsWith("whsec_", StringComparison.Ordinal) ? value[6..] : value);
        }
        catch (FormatException)
        {
            throw new SecretRefused(name, null, $"The secret {name} is to be a key in Base64, as in whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw.");
        }
    }

    /// <summary>The name of the secret that this name or placeholder is, for the record of its use; null where it is none.</summary>
    public string? NameOf(string secret) => (_byPlaceholder.GetValueOrDefault(secret) ?? _byName.GetValueOrDefault(secret))?.Name;

    internal static SecretSet Open(TenantId tenant, long version, DataKey key, IEnumerable<(string Name, string[] Hosts, long Version, SealedBox Box)> rows)
    {
        var all = new List<Held>();
        foreach (var (name, hosts, rowVersion, box) in rows)
        {
            var value = key.Open(name, rowVersion, hosts, box);
            all.Add(new Held(name, key.Placeholder(name), Patterns(hosts), value is null ? null : Encoding.UTF8.GetString(value)));
            CryptographicOperations.ZeroMemory(value);
        }

        return new SecretSet(tenant, version, all);
    }

    /// <summary>Says nothing of what is in it, whoever writes it down.</summary>
    public override string ToString() => $"{Placeholders.Count} secrets, version {Version}";

    private static List<HostPattern> Patterns(string[] hosts)
    {
        var patterns = new List<HostPattern>();
        foreach (var host in hosts)
        {
            if (HostPattern.TryParse(host, out var pattern, out _))
            {
                patterns.Add(pattern);
            }
        }

        return patterns;
    }

    private static string ValueFor(Held held, string host, ICollection<string> used, Spelling spelling)
    {
        if (!held.Hosts.Any(pattern => pattern.Covers(host)))
        {
            throw new SecretRefused(held.Name, host, $"The secret '{held.Name}' is not for {host}: it may go to {string.Join(", ", held.Hosts)}.");
        }

        var value = held.Value ?? throw NotOpened(held.Name, host);
        if (spelling == Spelling.Header && value.Any(char.IsControl))
        {
            throw new SecretRefused(held.Name, host, $"The secret '{held.Name}' has a line break or another control character in it, which no header can hold; set it anew without.");
        }

        if (!used.Contains(held.Name))
        {
            used.Add(held.Name);
        }

        return spelling.Spell(value);
    }

    private Held Find(string name) =>
        _byName.GetValueOrDefault(name) ?? throw new SecretRefused(name, null, name.StartsWith(PlaceholderPrefix, StringComparison.Ordinal)
            ? "There is no such secret any more; set it again, or take its use out of the rule."
            : $"There is no secret '{(name.Length > Secret.MostNameCharacters ? name[..Secret.MostNameCharacters] + "…" : name)}'; set it with PUT /api/secrets/NAME.");

    private static SecretRefused NotOpened(string name, string? host) =>
        new(name, host, $"The secret '{name}' can not be opened: what is stored is not what was written. Set it anew.");

    private static (Redactor, Redactor)? Redactors(IReadOnlyList<Held> all)
    {
        var echoes = all.Where(one => one.Value?.Length >= Secret.FewestRedactedCharacters).SelectMany(one => Echo.Of(one.Value!, one.Placeholder)).ToList();
        if (echoes.Count == 0)
        {
            return null;
        }

        var text = new Redactor(echoes);
        return (text, echoes.TrueForAll(echo => Ascii.IsValid(echo.Text))
            ? text
            : new Redactor(echoes.Select(echo => echo with { Text = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(echo.Text)) })));
    }

    private sealed record Held(string Name, string Placeholder, IReadOnlyList<HostPattern> Hosts, string? Value)
    {
        public override string ToString() => Name;
    }
}
