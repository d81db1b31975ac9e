using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Eddy.Secrets;
using Eddy.Tenants;

namespace Eddy.Cards;

/// <summary>
/// Makes the addresses of cards that mail carries. While a mail waits in the outbox its cards' addresses have a mark that only we can have written; when it goes out, who belongs to the tenant gets the
/// address alone, and anybody else a link of their own, signed for tenant, mail, card, process, receiver and moment. So no value in a mail can become a link to a card. What signs is derived from the
/// deployment's master keys; without any, all get the address, behind which one signs in.
/// </summary>
public sealed partial class CardLinks(MasterKeys masters, CardSite site)
{
    /// <summary>For so long from when the mail was written.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromDays(14);

    private const int SignatureBytes = 16;

    private readonly IReadOnlyList<byte[]> _keys = [.. masters.All.Select(master => HKDF.DeriveKey(HashAlgorithmName.SHA256, master.Key.ToArray(), 32, info: [.. "eddy card 1"u8]))];

    /// <summary>A card's address as it stands in the outbox.</summary>
    /// <param name="slug">The tenant's name in addresses; null where it is not known.</param>
    public string Marked(TenantId tenant, string? slug, string card, long pid)
    {
        var address = site.OriginOf(slug) + CardAddress.Path(card, pid);
        return _keys.Count == 0 ? address : $"{address}&key={Sign(_keys[0], MarkOf(tenant, card, pid))}";
    }

    /// <summary>A text of the outbox as it goes out: to one receiver who does not belong to the tenant, or to those who do.</summary>
    /// <param name="receiver">Null for those who belong to the tenant.</param>
    /// <param name="at">When the mail was written.</param>
    public string Fill(TenantId tenant, string slug, long mail, DateTimeOffset at, string text, string? receiver) => !text.Contains("key=", StringComparison.Ordinal) ? text : MarkedAddress().Replace(text, match =>
    {
        var (card, pid) = (match.Groups["card"].Value, long.Parse(match.Groups["pid"].Value, CultureInfo.InvariantCulture));
        return !Holds(MarkOf(tenant, card, pid), match.Groups["key"].Value) ? match.Value
            : receiver is null ? match.Groups["address"].Value
            : $"{site.OriginOf(slug)}/card/{Token(tenant, new CardLink(mail, card, pid, People.MailAddress.Form(receiver), at + Life))}";
    });

    /// <summary>A text of the outbox as people read it there: without the marks.</summary>
    public static string Plain(string text) => text.Contains("key=", StringComparison.Ordinal) ? MarkedAddress().Replace(text, "${address}") : text;

    /// <summary>What stands for a link in an address. The same link has the same token.</summary>
    public string Token(TenantId tenant, CardLink link)
    {
        var told = Told(link);
        return $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(told))}.{Sign(_keys[0], $"{tenant.Value:N} link {told}")}";
    }

    /// <summary>The link, if we have signed it for this tenant; else null. Whether its time is over is not looked at.</summary>
    public CardLink? Read(TenantId tenant, string token)
    {
        if (token.Length > 2000 || token.Split('.') is not [var written, var signature] || !Base64Url.IsValid(written))
        {
            return null;
        }

        var told = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(written));
        return Holds($"{tenant.Value:N} link {told}", signature) && told.Split(' ') is [var mail, var until, var pid, var card, var address]
            ? new CardLink(long.Parse(mail, CultureInfo.InvariantCulture), card, long.Parse(pid, CultureInfo.InvariantCulture), address, DateTimeOffset.FromUnixTimeSeconds(long.Parse(until, CultureInfo.InvariantCulture)))
            : null;
    }

    // None of its parts has a space.
    private static string Told(CardLink link) => string.Create(CultureInfo.InvariantCulture, $"{link.Mail} {link.Until.ToUnixTimeSeconds()} {link.Pid} {link.Card} {link.Address}");

    private static string MarkOf(TenantId tenant, string card, long pid) => string.Create(CultureInfo.InvariantCulture, $"{tenant.Value:N} mark {pid} {card}");

    private bool Holds(string text, string signature)
    {
        var holds = false;
        foreach (var key in _keys)
        {
            holds |= CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(signature), Encoding.UTF8.GetBytes(Sign(key, text)));
        }

        return holds;
    }

    private static string Sign(byte[] key, string text) => Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)).AsSpan(0, SignatureBytes));

    // In HTML an & is written out.
    [GeneratedRegex(@"(?<address>(?:https?://[A-Za-z0-9.:-]{1,255})?/cards/(?<card>[A-Za-z0-9_-]{1,100})\?pid=(?<pid>[0-9]{1,18}))&(?:amp;)?key=(?<key>[0-9a-f]{32})", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex MarkedAddress();
}
