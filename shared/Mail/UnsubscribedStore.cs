using Eddy.Postgres;
using Eddy.Tenants;

namespace Eddy.Mail;

/// <summary>Who wants no more mail of a tenant's rules. They have said so themselves; owners and editors can lift it.</summary>
public sealed class UnsubscribedStore(EddyDbs dbs)
{
    /// <summary>By their addresses.</summary>
    /// <param name="after">The address that the page before ended with; null for the first.</param>
    public async Task<IReadOnlyList<UnsubscribedReceiver>> ListAsync(TenantId tenant, string? after, int limit, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select u.receiver, u.at from unsubscribed u where u.tenant_id = $1 and u.receiver > $2 order by u.receiver limit $3")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = after ?? "" }, new() { Value = limit } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var found = new List<UnsubscribedReceiver>();
        while (await rows.ReadAsync(cancel))
        {
            found.Add(new UnsubscribedReceiver(rows.GetString(0), rows.GetFieldValue<DateTimeOffset>(1)));
        }

        return found;
    }

    /// <summary>From now on no mail of a rule goes there. Said twice, the first counts.</summary>
    public async Task AddAsync(TenantId tenant, string receiver, DateTimeOffset at, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("insert into unsubscribed (tenant_id, receiver, at) values ($1, $2, $3) on conflict do nothing")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = People.MailAddress.Form(receiver) }, new() { Value = at } },
        });
        await batch.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Mail goes there again; false where it did anyway.</summary>
    public async Task<bool> LiftAsync(TenantId tenant, string receiver, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("delete from unsubscribed where tenant_id = $1 and receiver = $2 returning receiver")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = People.MailAddress.Form(receiver) } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel);
    }
}

/// <summary>Somebody who wants no more mail of a tenant's rules.</summary>
public sealed record UnsubscribedReceiver(string Receiver, DateTimeOffset At);
