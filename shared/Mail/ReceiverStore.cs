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
        var normal = addresses.ToLookup(Normal);
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

    /// <summary>The tenant's name in addresses.</summary>
    public async Task<string?> SlugAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select slug from tenants where id = $1") { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? rows.GetString(0) : null;
    }

    /// <summary>Who of these belongs to the tenant, and who has unsubscribed.</summary>
    public async Task<IReadOnlyDictionary<string, ReceiverStanding>> StandingAsync(TenantId tenant, IReadOnlyList<string> addresses, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(
            """
            select exists (select from people p join members m on m.person_id = p.id and m.tenant_id = $1 where p.normalized_email = a.normal and p.email_confirmed), u.at
            from unnest($2::text[], $3::text[]) with ordinality a(normal, form, place) left join unsubscribed u on u.tenant_id = $1 and u.receiver = a.form
            order by a.place
            """)
        {
            Parameters =
            {
                new() { Value = tenant.Value }, new() { Value = addresses.Select(Normal).ToArray() }, new() { Value = addresses.Select(People.MailAddress.Form).ToArray() },
            },
        });
        var found = new Dictionary<string, ReceiverStanding>(StringComparer.Ordinal);
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        for (var i = 0; await rows.ReadAsync(cancel); i++)
        {
            found[addresses[i]] = new ReceiverStanding(rows.GetBoolean(0), rows.IsDBNull(1) ? null : rows.GetFieldValue<DateTimeOffset>(1));
        }

        return found;
    }

    private static string Normal(string address) => address.Normalize().ToUpperInvariant();
}

/// <summary>What a receiver is to a tenant.</summary>
/// <param name="IsMember">Somebody who belongs to it has confirmed the address.</param>
/// <param name="UnsubscribedAt">When it was said that no more mail is wanted; null where nobody has.</param>
public sealed record ReceiverStanding(bool IsMember, DateTimeOffset? UnsubscribedAt);
