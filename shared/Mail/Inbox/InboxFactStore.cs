using Eddy.Access;
using Eddy.Processes;
using Eddy.Tenants;

namespace Eddy.Mail.Inbox;

/// <summary>Looks up what has to be known of a message before it is decided on.</summary>
public sealed class InboxFactStore(AccessStore accesses, ProcessStore processes)
{
    /// <param name="address">Where it was delivered; null for a mailbox of the tenant's own.</param>
    /// <param name="signedPid">As <see cref="InboxAddresses.SignedPid"/> has it.</param>
    public async Task<InboxFacts> ReadAsync(TenantId tenant, IncomingMail mail, InboxAddress? address, long? signedPid, CancellationToken cancel)
    {
        var asks = InboxJudge.Asks(mail, signedPid);
        return new InboxFacts
        {
            Address = address,
            SignedPid = signedPid,
            Rules = await accesses.ReadAsync(tenant, cancel),
            Member = asks.Sender is { } sender ? await accesses.ActorAsync(tenant, sender, cancel) as Actor.OfMember : null,
            Processes = asks.Pids.Count > 0 ? await processes.KindsAsync(tenant, asks.Pids, cancel) : new Dictionary<long, string?>(),
        };
    }
}
