using Eddy.Mail.Mailboxes;

namespace Eddy.Mail.Inbox;

/// <summary>The mailbox that takes the mail of all tenants (section <c>Mail:Inbox</c>). Without a host none is read.</summary>
public sealed class InboxOptions
{
    /// <summary>What stands behind the @ of inboxes: <c>acme@in.example.com</c>. All mail to it goes into the mailbox. Null where there are no inboxes.</summary>
    public string? Domain { get; set; }

    public ImapOptions Imap { get; set; } = new();

    /// <summary>The headers in which the receiving server writes to whom it delivered; the topmost of them counts. None named: <c>Delivered-To</c>.</summary>
    public IList<string> DeliveryHeaders { get; set; } = [];

    /// <summary>The names under which the receiving server writes <c>Authentication-Results</c>; those of others are not read.</summary>
    public IList<string> AuthenticationServers { get; set; } = [];

    /// <summary>How large a message may be.</summary>
    public int MessageBytes { get; set; } = 25 << 20;

    /// <summary>How long messages and what is attached to them are kept.</summary>
    public TimeSpan Kept { get; set; } = TimeSpan.FromDays(400);

    /// <summary>How often it is looked for mailboxes that tenants have added or changed.</summary>
    public TimeSpan Look { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Mail is read.</summary>
    public bool IsOn => Imap.IsOn;

    public MessageSettings Messages => MessageSettings.Default with
    {
        DeliveryHeaders = DeliveryHeaders.Count > 0 ? [.. DeliveryHeaders] : MessageSettings.Default.DeliveryHeaders,
        AuthenticationServers = [.. AuthenticationServers],
        MostBytes = MessageBytes,
    };

    /// <summary>Everything that is wrong with these settings.</summary>
    public IEnumerable<string> Faults()
    {
        if (Domain is not null && MailAddress.Fault($"a@{Domain}") is not null)
        {
            yield return $"Mail:Inbox:Domain is '{Domain}'; it takes what stands behind the @ of inboxes, as in.example.com does.";
        }

        if (IsOn && Domain is null)
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

        foreach (var fault in Imap.Faults().Select(fault => "Mail:Inbox:Imap:" + fault))
        {
            yield return fault;
        }
    }
}
