using Eddy.Access;
using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Mail.Inbox;

/// <summary>Looks up what has to be known of a message before it is decided on.</summary>
public sealed class InboxFactStore(EddyDbs dbs, AccessStore accesses, TimeProvider time)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <param name="address">Where it was delivered; null for a mailbox of the tenant's own.</param>
    /// <param name="signedPid">As <see cref="InboxAddresses.SignedPid"/> has it.</param>
    public async Task<InboxFacts> ReadAsync(TenantId tenant, IncomingMail mail, InboxAddress? address, long? signedPid, CancellationToken cancel)
    {
        var asks = InboxJudge.Asks(mail, signedPid);
        var facts = new InboxFacts
        {
            Address = address,
            SignedPid = signedPid,
            Rules = await accesses.ReadAsync(tenant, cancel),
            Member = asks.Sender is { } sender ? await accesses.ActorAsync(tenant, sender, cancel) as Actor.OfMember : null,
        };
        await using var connection = await dbs.OpenAsync(tenant, cancel);
        var own = await OwnMailsAsync(connection, tenant, asks.MessageIds, cancel);
        var since = time.GetUtcNow() - Hour;
        var (processes, inProcess) = await ProcessesAsync(connection, tenant, [.. asks.Pids.Concat(own.Values).Distinct()], since, cancel);
        var (fromSender, inAll) = await CountAsync(connection, tenant, asks.Sender, mail.Verdicts.VouchedBy(mail.FromDomain) is not null, since, cancel);
        return facts with { OwnMails = own, Processes = processes, InProcess = inProcess, FromSender = fromSender, InAll = inAll };
    }

    private static async Task<Dictionary<string, long>> OwnMailsAsync(NpgsqlConnection connection, TenantId tenant, IReadOnlyList<string> ids, CancellationToken cancel)
    {
        var own = new Dictionary<string, long>(StringComparer.Ordinal);
        if (ids.Count == 0)
        {
            return own;
        }

        await using var find = new NpgsqlCommand("select o.message_id, o.pid from outbox o where o.tenant_id = $1 and o.message_id = any($2) and o.pid > 0", connection);
        find.Parameters.Add(new() { Value = tenant.Value });
        find.Parameters.Add(new() { Value = ids.ToArray() });
        await using var rows = await find.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            own[rows.GetString(0)] = rows.GetInt64(1);
        }

        return own;
    }

    private static async Task<(Dictionary<long, string?> Kinds, Dictionary<long, int> Mails)> ProcessesAsync(NpgsqlConnection connection, TenantId tenant, long[] pids, DateTimeOffset since, CancellationToken cancel)
    {
        var (kinds, mails) = (new Dictionary<long, string?>(), new Dictionary<long, int>());
        if (pids.Length == 0)
        {
            return (kinds, mails);
        }

        // Those too that wait in the line.
        await using var look = new NpgsqlCommand(
            """
            select k.pid, p.kind, (select count(*) from inbox_messages m where m.tenant_id = $1 and m.pid = k.pid and m.at > $3)::int
            from known_pids($1, $2) k(pid) left join processes p on p.tenant_id = $1 and p.pid = k.pid
            """, connection);
        look.Parameters.Add(new() { Value = tenant.Value });
        look.Parameters.Add(new() { Value = pids });
        look.Parameters.Add(new() { Value = since });
        await using var rows = await look.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            kinds[rows.GetInt64(0)] = rows.IsDBNull(1) ? null : rows.GetString(1);
            mails[rows.GetInt64(0)] = rows.GetInt32(2);
        }

        return (kinds, mails);
    }

    // What set nothing and was not answered is in nobody's circle: were it counted, strangers who write as somebody could keep that one's mail out, and by refused mail everybody's. Nor does what only
    // claims to be somebody's count against mail that is.
    private static async Task<(int FromSender, int InAll)> CountAsync(NpgsqlConnection connection, TenantId tenant, string? sender, bool isVouched, DateTimeOffset since, CancellationToken cancel)
    {
        await using var count = new NpgsqlCommand(
            """
            select (select count(*) from inbox_messages m where m.tenant_id = $1 and m.sender = $2 and m.at > $3
                and case when $4 then m.answered is not null or m.actor not like 'unproven:%' else m.answered is not null or m.arrival is not null end)::int,
              (select count(*) from (select from inbox_messages m where m.tenant_id = $1 and m.at > $3 and (m.arrival is not null or m.answered is not null) limit $5) m)::int
            """, connection);
        count.Parameters.Add(new() { Value = tenant.Value });
        count.Parameters.Add(new() { Value = (object?)sender ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        count.Parameters.Add(new() { Value = since });
        count.Parameters.Add(new() { Value = isVouched });
        count.Parameters.Add(new() { Value = StormLimits.In.PerTenant });
        await using var rows = await count.ExecuteReaderAsync(cancel);
        await rows.ReadAsync(cancel);
        return (rows.GetInt32(0), rows.GetInt32(1));
    }
}
