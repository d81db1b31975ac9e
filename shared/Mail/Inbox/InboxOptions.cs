namespace Eddy.Mail.Inbox;

/// <summary>Where mail for inboxes comes in (section <c>Mail:Inbox</c>).</summary>
public sealed class InboxOptions
{
    /// <summary>What stands behind the @ of inboxes. Null where no mail comes in.</summary>
    public string? Domain { get; set; }

    /// <summary>As <see cref="MessageSettings.DeliveryHeaders"/>; none for the default.</summary>
    public IList<string> DeliveryHeaders { get; set; } = [];

    /// <summary>As <see cref="MessageSettings.AuthenticationServers"/>.</summary>
    public IList<string> AuthenticationServers { get; set; } = [];

    public MessageSettings Settings => MessageSettings.Default with
    {
        DeliveryHeaders = DeliveryHeaders.Count > 0 ? [.. DeliveryHeaders] : MessageSettings.Default.DeliveryHeaders,
        AuthenticationServers = [.. AuthenticationServers],
    };

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
    }
}
