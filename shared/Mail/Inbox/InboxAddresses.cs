using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Eddy.Secrets;
using Eddy.Tenants;

namespace Eddy.Mail.Inbox;

/// <summary>
/// The addresses of inboxes: <c>acme@in.example.com</c>; with a secret, <c>acme+k3x…@…</c>; and where an answer shall find its process, <c>acme+rf.c7q2…@…</c>: the process's number and
/// what it is signed with, for this tenant alone; and where a receiver has no more mail, <c>acme+u.k2d7…@…</c>. Small and capital letters are the same in all of them, since some servers make one of the other.
/// </summary>
/// <param name="domain">Of the inboxes.</param>
/// <param name="keys">Of this deployment, 32 random bytes each; the first signs, and what any of them signed holds. Without any, no address names a process.</param>
public sealed class InboxAddresses(string domain, IReadOnlyList<byte[]> keys)
{
    /// <summary>What stands before the @ (RFC 5321).</summary>
    public const int MostLocalCharacters = 64;

    // No secret has a dot in it.
    private const string UnsubscribeMark = "u.";

    private const string Letters = "abcdefghijklmnopqrstuvwxyz234567";
    private const string Digits = "0123456789abcdefghijklmnopqrstuvwxyz";
    private const int SecretCharacters = 20;
    private const int MostNamed = 5;
    private const int SignatureCharacters = 16;

    /// <summary>Of this deployment: what signs is derived from its master keys, and so kept outside the database too.</summary>
    public InboxAddresses(InboxOptions options, MasterKeys masters)
        : this(options.Domain ?? "inbox.invalid", [.. masters.All.Select(master => HKDF.DeriveKey(HashAlgorithmName.SHA256, master.Key.ToArray(), 32, info: [.. "eddy reply address 1"u8]))])
    {
    }

    public string Domain => domain;

    public string Of(string slug) => $"{slug}@{domain}";

    public string WithSecret(string slug, string secret) => $"{slug}+{secret}@{domain}";

    /// <summary>Where the answer to a mail about this process goes.</summary>
    public string ForProcess(TenantId tenant, string slug, long pid)
    {
        if (keys.Count == 0)
        {
            // What it answers, or its subject, has to tell the process.
            return Of(slug);
        }

        var number = Number(pid);
        return $"{slug}+r{number}.{Sign(keys[0], tenant, pid)[..Length(slug, number)]}@{domain}";
    }

    /// <summary>Where a receiver writes who wants no more mail; null where there is nothing to sign with.</summary>
    /// <param name="receiver">In the form in which addresses are compared.</param>
    public string? ForUnsubscribing(TenantId tenant, string slug, string receiver) => keys.Count == 0 ? null : $"{slug}+{UnsubscribeMark}{Sign(keys[0], tenant, receiver)}@{domain}";

    /// <summary>A secret that nobody can guess (100 bits); it has no dot, so it is never taken for a process.</summary>
    public static string MakeSecret()
    {
        Span<char> secret = stackalloc char[SecretCharacters];
        for (var i = 0; i < secret.Length; i++)
        {
            secret[i] = Letters[RandomNumberGenerator.GetInt32(Letters.Length)];
        }

        return secret.ToString();
    }

    /// <summary>Takes an address apart; null where it is of no inbox of this domain.</summary>
    public InboxAddress? Read(string? address)
    {
        address = address?.Trim();
        var at = address?.LastIndexOf('@') ?? -1;
        if (at is < 1 or > MostLocalCharacters || !address.AsSpan(at + 1).Equals(domain, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var local = address![..at].ToLowerInvariant();
        var plus = local.IndexOf('+', StringComparison.Ordinal);
        var slug = plus < 0 ? local : local[..plus];
        if (Tenant.SlugFault(slug) is not null)
        {
            return null;
        }

        var tag = plus < 0 ? "" : local[(plus + 1)..];
        return tag is ['r', ..] && tag.Split('.') is [var number, var signature] && TryNumber(number.AsSpan(1), out var pid)
            ? new InboxAddress(slug, null, pid, signature)
            : new InboxAddress(slug, tag.Length == 0 ? null : tag, null, null);
    }

    /// <summary>The process that the address names, if we have signed it for this tenant; else null.</summary>
    public long? SignedPid(TenantId tenant, InboxAddress? address)
    {
        if (address is not { Pid: { } pid, Signature: { } signature })
        {
            return null;
        }

        var holds = false;
        var length = Length(address.Slug, Number(pid));
        foreach (var key in keys)
        {
            holds |= CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(signature), Encoding.ASCII.GetBytes(Sign(key, tenant, pid)[..length]));
        }

        return holds ? pid : null;
    }

    /// <summary>Who asks by this mail for no more, if we have signed the address for them and this tenant; else null. It is whom its subject names, as a mail's header has it written, or its sender.</summary>
    public string? Unsubscribing(TenantId tenant, InboxAddress? address, IncomingMail mail)
    {
        if (address?.Secret is not { } tag || !tag.StartsWith(UnsubscribeMark, StringComparison.Ordinal))
        {
            return null;
        }

        var signature = Encoding.UTF8.GetBytes(tag[UnsubscribeMark.Length..]);
        var receivers = mail.Subject.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Where(word => word.Contains('@', StringComparison.Ordinal)).Take(MostNamed).Append(mail.From ?? "");
        return receivers.Select(People.MailAddress.Form).FirstOrDefault(receiver => keys.Any(key => CryptographicOperations.FixedTimeEquals(signature, Encoding.ASCII.GetBytes(Sign(key, tenant, receiver)))));
    }

    // As long as fits: it is cut only where the tenant's name and the number are both very long, and 8 characters stay even then.
    private static int Length(string slug, string number) => Math.Min(SignatureCharacters, MostLocalCharacters - slug.Length - number.Length - 3);

    private static string Sign(byte[] key, TenantId tenant, long pid)
    {
        Span<byte> signed = stackalloc byte[16 + 8];
        tenant.Value.TryWriteBytes(signed, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(signed[16..], pid);
        return Printed(HMACSHA256.HashData(key, (byte[])[.. "eddy reply address 1\0"u8, .. signed]));
    }

    private static string Sign(byte[] key, TenantId tenant, string receiver) => Printed(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"eddy unsubscribe address 1\0{tenant.Value:N} {receiver}")));

    private static string Printed(byte[] hash) => string.Create(SignatureCharacters, hash, static (text, hash) =>
    {
        for (var i = 0; i < text.Length; i++)
        {
            text[i] = Letters[hash[i] & 31];
        }
    });

    // In base 36, so that a long number leaves room for the signature.
    private static string Number(long pid)
    {
        Span<char> digits = stackalloc char[13];
        var at = digits.Length;
        do
        {
            digits[--at] = Digits[(int)(pid % 36)];
            pid /= 36;
        }
        while (pid > 0);

        return digits[at..].ToString();
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out long pid)
    {
        pid = 0;
        // One number has one spelling.
        if (text.Length is 0 or > 13 || text[0] == '0')
        {
            return false;
        }

        foreach (var c in text)
        {
            var digit = Digits.IndexOf(c);
            if (digit < 0 || pid > (long.MaxValue - digit) / 36)
            {
                return false;
            }

            pid = (pid * 36) + digit;
        }

        return true;
    }
}
