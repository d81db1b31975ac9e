using Eddy.Access;
using Eddy.Postgres;
using Eddy.Processes;
using Eddy.Tenants;

namespace Eddy.Mail.Inbox;

/// <summary>Looks up what has to be known of a message before it is decided on.</summary>
public sealed class InboxFactStore(EddyDbs dbs, AccessStore accesses, ProcessStore processes)
{
    /// <param name="address">Where it was delivered; null for a mailbox of the tenant's own.</param>
    /// <param name="signedPid">As <see cref="InboxAddresses.SignedPid"/> has it.</param>
    public async Task<InboxFacts> ReadAsync(TenantId tenant, IncomingMail mail, InboxAddress? address, long? signedPid, CancellationToken cancel)
    {
        var asks = InboxJudge.Asks(mail, signedPid);
        var own = asks.MessageIds.Count > 0 ? await OwnMailsAsync(tenant, asks.MessageIds, cancel) : new Dictionary<string, long>();
        var pids = asks.Pids.Concat(own.Values).Distinct().ToList();
        return new InboxFacts
        {
            Address = address,
            SignedPid = signedPid,
            Rules = await accesses.ReadAsync(tenant, cancel),
            Member = asks.Sender is { } sender ? await accesses.ActorAsync(tenant, sender, cancel) as Actor.OfMember : null,
            OwnMails = own,
            Processes = pids.Count > 0 ? await processes.KindsAsync(tenant, pids, cancel) : new Dictionary<long, string?>(),
        };
    }

    /// <summary>Those of these Message-IDs that mails of the tenant's own have, with the processes that they are about.</summary>
    private async Task<IReadOnlyDictionary<string, long>> OwnMailsAsync(TenantId tenant, IReadOnlyList<string> messageIds, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select message_id, pid from outbox where tenant_id = $1 and message_id = any($2)") { Parameters = { new() { Value = tenant.Value }, new() { Value = messageIds.ToArray() } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var found = new Dictionary<string, long>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancel))
        {
            found[rows.GetString(0)] = rows.GetInt64(1);
        }

        return found;
    }
}
