using Eddy.Access;
using Eddy.Postgres;
using Eddy.Tenants;

namespace Eddy.Mail;

/// <summary>Who the receivers of mail are.</summary>
public sealed class ReceiverStore(EddyDbs dbs, AccessStore accesses)
{
    /// <summary>What each of these addresses may: that of somebody who belongs to the tenant and has confirmed it as that person, any other as an address alone.</summary>
    public async Task<IReadOnlyDictionary<string, ActorAccess>> OfAsync(TenantId tenant, IReadOnlyCollection<string> addresses, CancellationToken cancel)
    {
        var found = new Dictionary<string, ActorAccess>(StringComparer.Ordinal);
        if (addresses.Count == 0)
        {
            return found;
        }

        var rules = await accesses.ReadAsync(tenant, cancel);
        var normal = addresses.ToLookup(address => address.Normalize().ToUpperInvariant());
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(
            """
            select p.normalized_email, p.id, m.role from people p join members m on m.person_id = p.id and m.tenant_id = $1
            where p.normalized_email = any($2) and p.email_confirmed
            """)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = normal.Select(one => one.Key).ToArray() } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            foreach (var address in normal[rows.GetString(0)])
            {
                found[address] = rules.Of(new Actor.OfMember(rows.GetGuid(1), rows.GetString(2), People.MailAddress.Form(address), IsProven: true));
            }
        }

        foreach (var address in addresses)
        {
            found.TryAdd(address, rules.Of(new Actor.OfAddress(People.MailAddress.Form(address))));
        }

        return found;
    }
}
