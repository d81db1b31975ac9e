using Eddy.Access;
using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Mail.Inbox;

/// <summary>Looks up what has to be known before a message is decided on.</summary>
public sealed class InboxFactsStore(EddyDbs dbs, AccessStore accesses)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <param name="address">Where it was delivered; null for a mailbox of the tenant's own.</param>
    /// <param name="signedPid">As <see cref="InboxFacts.SignedPid"/>.</param>
    public async Task<InboxFacts> OfAsync(TenantId tenant, InboxAddress? address, long? signedPid, InboxQuestions asked, DateTimeOffset now, CancellationToken cancel)
    {
        var rules = await accesses.ReadAsync(tenant, cancel);
        await using var connection = await dbs.OpenAsync(tenant, cancel);
        var own = new Dictionary<string, long>(StringComparer.Ordinal);
        await using (var find = new NpgsqlCommand("select o.message_id, o.pid from outbox o where o.tenant_id = $1 and o.message_id = any($2) and o.pid > 0", connection))
        {
            find.Parameters.Add(new() { Value = tenant.Value });
            find.Parameters.Add(new() { Value = asked.MessageIds.ToArray() });
            await using var rows = await find.ExecuteReaderAsync(cancel);
            while (await rows.ReadAsync(cancel))
            {
                own[rows.GetString(0)] = rows.GetInt64(1);
            }
        }

        var pids = asked.Pids.Concat(own.Values).Distinct().ToArray();
        var processes = new Dictionary<long, string?>();
        var inProcess = new Dictionary<long, int>();
        await using (var look = new NpgsqlCommand(
            """
            select k.pid, p.kind, (select count(*) from inbox_messages m where m.tenant_id = $1 and m.pid = k.pid and m.at > $3)::int
            from known_pids($1, $2) k(pid) left join processes p on p.tenant_id = $1 and p.pid = k.pid
            """, connection))
        {
            look.Parameters.Add(new() { Value = tenant.Value });
            look.Parameters.Add(new() { Value = pids });
            look.Parameters.Add(new() { Value = now - Hour });
            await using var rows = await look.ExecuteReaderAsync(cancel);
            while (await rows.ReadAsync(cancel))
            {
                processes[rows.GetInt64(0)] = rows.IsDBNull(1) ? null : rows.GetString(1);
                inProcess[rows.GetInt64(0)] = rows.GetInt32(2);
            }
        }

        Actor.OfMember? member = null;
        int fromSender, inAll;
        await using (var count = new NpgsqlCommand(
            """
            select (select count(*) from inbox_messages m where m.tenant_id = $1 and m.sender = $2 and m.at > $3)::int, (select count(*) from (select from inbox_messages m where m.tenant_id = $1 and m.at > $3 limit 100000) m)::int,
              p.id, m.role
            from (select 1) one
            left join (people p join members m on m.person_id = p.id and m.tenant_id = $1) on p.normalized_email = $4 and p.email_confirmed
            """, connection))
        {
            count.Parameters.Add(new() { Value = tenant.Value });
            count.Parameters.Add(new() { Value = (object?)asked.Sender ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
            count.Parameters.Add(new() { Value = now - Hour });
            count.Parameters.Add(new() { Value = (object?)asked.Sender?.Normalize().ToUpperInvariant() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
            await using var rows = await count.ExecuteReaderAsync(cancel);
            await rows.ReadAsync(cancel);
            (fromSender, inAll) = (rows.GetInt32(0), rows.GetInt32(1));
            if (!rows.IsDBNull(2))
            {
                member = new Actor.OfMember(rows.GetGuid(2), rows.GetString(3), People.MailAddress.Form(asked.Sender!), IsProven: true);
            }
        }

        return new InboxFacts { Address = address, SignedPid = signedPid, Rules = rules, Member = member, OwnMails = own, Processes = processes, InProcess = inProcess, FromSender = fromSender, InAll = inAll };
    }
}
