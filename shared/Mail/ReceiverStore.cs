using Eddy.Postgres;
using Eddy.Tenants;

namespace Eddy.Mail;

/// <summary>Who the receivers of mail are.</summary>
public sealed class ReceiverStore(EddyDbs dbs)
{
    /// <summary>Those of the addresses that are a member's of the tenant, whose mail has been confirmed.</summary>
    public async Task<IReadOnlySet<string>> MembersAsync(TenantId tenant, IReadOnlyCollection<string> addresses, CancellationToken cancel)
    {
        if (addresses.Count == 0)
        {
            return new HashSet<string>();
        }

        var normal = addresses.ToLookup(address => address.Normalize().ToUpperInvariant());
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(
            """
            select p.normalized_email from people p
            where p.normalized_email = any($2) and p.email_confirmed and exists (select from members m where m.tenant_id = $1 and m.person_id = p.id)
            """)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = normal.Select(one => one.Key).ToArray() } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var members = new HashSet<string>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancel))
        {
            members.UnionWith(normal[rows.GetString(0)]);
        }

        return members;
    }
}
