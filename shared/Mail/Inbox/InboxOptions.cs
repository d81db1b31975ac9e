using System.Net;
using Eddy.Mail.Mailboxes;

namespace Eddy.Mail.Inbox;

/// <summary>Where mail for inboxes comes in (section <c>Mail:Inbox</c>).</summary>
public sealed class InboxOptions
{
    /// <summary>What stands behind the @ of inboxes. Null where no mail comes in.</summary>
    public string? Domain { get; set; }

    /// <summary>The mailbox into which all mail to the domain comes. Without a host none is read.</summary>
    public ImapOptions Imap { get; set; } = new();

    /// <summary>As <see cref="MessageSettings.DeliveryHeaders"/>; none for the default.</summary>
    public IList<string> DeliveryHeaders { get; set; } = [];

    /// <summary>As <see cref="MessageSettings.AuthenticationServers"/>.</summary>
    public IList<string> AuthenticationServers { get; set; } = [];

    /// <summary>The name server that is asked for the keys of signatures, where the receiving server has not checked them: an address, with a port where it is not 53. Null for those of the machine.</summary>
    public string? Dns { get; set; }

    /// <summary>How long it is waited for all the keys of one message.</summary>
    public TimeSpan DnsPatience { get; set; } = TimeSpan.FromSeconds(4);

    /// <summary>How large a message may be.</summary>
    public int MessageBytes { get; set; } = MessageSettings.Default.MostBytes;

    /// <summary>How long messages and what is attached to them are kept.</summary>
    public TimeSpan Kept { get; set; } = TimeSpan.FromDays(400);

    /// <summary>How often it is looked for mailboxes that tenants have added or changed.</summary>
    public TimeSpan Look { get; set; } = TimeSpan.FromSeconds(10);

    public MessageSettings Settings => MessageSettings.Default with
    {
        DeliveryHeaders = DeliveryHeaders.Count > 0 ? [.. DeliveryHeaders] : MessageSettings.Default.DeliveryHeaders,
        AuthenticationServers = [.. AuthenticationServers],
        MostBytes = MessageBytes,
        KeyPatience = DnsPatience,
    };

    /// <summary>As <see cref="Dns"/> says.</summary>
    public IPEndPoint? Resolver => IPEndPoint.TryParse(Dns ?? "", out var at) ? new IPEndPoint(at.Address, at.Port == 0 ? 53 : at.Port) : null;

    /// <summary>Everything that is wrong with these settings.</summary>
    public IEnumerable<string> Faults()
    {
        if (Domain is not null && (!People.MailAddress.TryRead($"acme@{Domain}", out var address) || address != $"acme@{Domain}"))
        {
            yield return $"Mail:Inbox:Domain is '{Domain}'; it takes a domain in small letters, such as in.example.com.";
        }

        foreach (var name in DeliveryHeaders.Where(name => name.Length == 0 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '-')))
        {
            yield return $"Mail:Inbox:DeliveryHeaders has '{name}'; it takes names of headers, such as Delivered-To.";
        }

        if (Dns is not null && Resolver is null)
        {
            yield return $"Mail:Inbox:Dns is '{Dns}'; it takes the address of a name server, such as 192.0.2.53 or 192.0.2.53:5353.";
        }

        if (DnsPatience < TimeSpan.FromMilliseconds(100) || DnsPatience > TimeSpan.FromMinutes(10))
        {
            yield return $"Mail:Inbox:DnsPatience is {DnsPatience}; it takes 100 ms to ten minutes.";
        }

        if (Imap.IsOn && Domain is null)
        {
            yield return "Mail:Inbox:Imap:Host is set and Mail:Inbox:Domain is not: whose the mail is could not be told.";
        }

        if (MessageBytes is < 1024 or > 100 << 20)
        {
            yield return $"Mail:Inbox:MessageBytes is {MessageBytes}; it takes 1 KiB to 100 MiB.";
        }

        if (Look < TimeSpan.FromMilliseconds(100) || Look > TimeSpan.FromHours(1))
        {
            yield return $"Mail:Inbox:Look is {Look}; it takes 100 ms to an hour.";
        }

        if (Kept < TimeSpan.FromDays(1))
        {
            yield return $"Mail:Inbox:Kept is {Kept}; it takes a day or more.";
        }

        foreach (var fault in Imap.Faults())
        {
            yield return "Mail:Inbox:Imap:" + fault;
        }
    }
}
