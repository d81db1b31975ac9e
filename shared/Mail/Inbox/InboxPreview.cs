using Eddy.Tenants;

namespace Eddy.Mail.Inbox;

/// <summary>What a message would become if it came in now, and why. Nothing is stored, and nobody is told.</summary>
public sealed class InboxPreview(InboxOptions options, InboxAddresses addresses, InboxPolicyStore policies, InboxFactStore facts)
{
    /// <param name="slug">The tenant's name in addresses.</param>
    /// <param name="to">To which of the tenant's addresses it would be delivered; null for what the message says, or the plain one.</param>
    /// <param name="isVouched">Suppose that the sender's domain vouches for it: of a message that was pasted, no server says so.</param>
    public async Task<PreviewedMail> OfAsync(TenantId tenant, string slug, byte[] raw, string? to, bool isVouched, CancellationToken cancel)
    {
        var reading = await MessageReader.ReadAsync(raw, options.Settings, keys: null, cancel);
        if (reading is not MessageReading.Read { Mail: var mail })
        {
            return new PreviewedMail(reading, null);
        }

        // What it says of another tenant's inbox, or of no inbox, is not where it would come in here.
        var address = addresses.Read(to ?? mail.DeliveredTo) is { } read && read.Slug == slug ? read : new InboxAddress(slug, null, null, null);
        mail = mail with
        {
            DeliveredTo = addresses.Of(slug),
            Verdicts = isVouched && mail.FromDomain is { } domain ? mail.Verdicts with { Dmarc = new MailVerdict("pass", domain), By = "the preview, which was asked to suppose so" } : mail.Verdicts,
        };
        var known = await facts.ReadAsync(tenant, mail, address, addresses.SignedPid(tenant, address), cancel);
        var found = known with { Unsubscribes = addresses.Unsubscribing(tenant, address, mail) };
        var links = mail.Attachments.Select(attachment => $"(the link to {attachment.Name})").ToList();
        return new PreviewedMail(new MessageReading.Read(mail), InboxJudge.Decide(mail, await policies.ReadAsync(tenant, cancel), found, links));
    }
}

/// <summary>What a message was read as, and what it would become; null where it can not be read.</summary>
public sealed record PreviewedMail(MessageReading Reading, InboxDecision? Decision);
