using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Eddy.Mail.Inbox;
using Eddy.Secrets;
using Eddy.Tenants;

namespace Eddy.Mail.Delivery;

/// <summary>
/// Makes the addresses by which a receiver of a tenant's mail has no more of it. They name both and are signed, so whoever has one has it from a mail to that receiver, and it does nothing else. They hold
/// for good. What signs is derived from the deployment's master keys; without any, and where nobody has said where the web is, there are none.
/// </summary>
public sealed class UnsubscribeLinks(MasterKeys masters, MailOptions mail, InboxAddresses addresses)
{
    private const int SignatureBytes = 16;

    private readonly IReadOnlyList<byte[]> _keys = [.. masters.All.Select(master => HKDF.DeriveKey(HashAlgorithmName.SHA256, master.Key.ToArray(), 32, info: [.. "eddy unsubscribe 1"u8]))];

    /// <param name="slug">The tenant's name in addresses.</param>
    public ListUnsubscribe? For(TenantId tenant, string slug, string receiver)
    {
        receiver = People.MailAddress.Form(receiver);
        var link = _keys.Count > 0 && mail.Site is { } site ? $"{site.TrimEnd('/')}/unsubscribe/{slug}/{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(receiver))}/{Sign(_keys[0], tenant, receiver)}" : null;
        var letter = mail.Inbox.Domain is not null && addresses.ForUnsubscribing(tenant, slug, receiver) is { } address ? $"mailto:{address}?subject={Uri.EscapeDataString("unsubscribe " + receiver)}" : null;
        return link is null && letter is null ? null : new ListUnsubscribe(link, letter);
    }

    /// <summary>Whom the link is for, if we have signed it for this tenant; else null.</summary>
    /// <param name="name">The receiver, as the link names it.</param>
    public string? Receiver(TenantId tenant, string name, string signature)
    {
        if (!Base64Url.IsValid(name))
        {
            return null;
        }

        var (receiver, holds) = (Encoding.UTF8.GetString(Base64Url.DecodeFromChars(name)), false);
        foreach (var key in _keys)
        {
            holds |= CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(signature), Encoding.UTF8.GetBytes(Sign(key, tenant, receiver)));
        }

        return holds ? receiver : null;
    }

    private static string Sign(byte[] key, TenantId tenant, string receiver) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{tenant.Value:N} {receiver}")).AsSpan(0, SignatureBytes));
}
