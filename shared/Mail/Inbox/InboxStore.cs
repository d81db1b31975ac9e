using System.Globalization;
using System.Text;
using Eddy.Postgres;
using Eddy.Processes;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Mail.Inbox;

/// <summary>The mail that has come in to a tenant, what was attached to it, and whose mail the tenant takes. Only the worker puts messages in, with what they became.</summary>
public sealed class InboxStore(EddyDbs dbs)
{
    private const string Columns =
        "m.id, m.at, m.mailbox, m.message_id, m.sender, m.delivered_to, m.subject, m.sent_at, m.kind, m.bytes, m.spf, m.dkim, m.dmarc, m.state, m.why, m.code, m.reason, m.pid, m.arrival, m.actor, m.answered";

    /// <summary>A page of messages, newest first.</summary>
    public async Task<Page<StoredMessage>> ListAsync(TenantId tenant, MessageQuery query, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        var command = new NpgsqlBatchCommand { Parameters = { new() { Value = tenant.Value }, new() { Value = query.Limit + 1 } } };
        var where = new StringBuilder("m.tenant_id = $1");
        Add("m.pid =", query.Pid);
        Add("m.state =", query.State);
        if (query.Beyond is { } beyond)
        {
            // Their numbers rise with their time.
            Add("m.id <", beyond);
            where.Append(CultureInfo.InvariantCulture, $" and m.at <= (select o.at from inbox_messages o where o.tenant_id = $1 and o.id = ${command.Parameters.Count})");
        }

        command.CommandText = $"select {Columns} from inbox_messages m where {where} order by m.at desc, m.id desc limit $2";
        batch.BatchCommands.Add(command);
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var found = new List<StoredMessage>();
        while (await rows.ReadAsync(cancel))
        {
            found.Add(ReadRow(rows));
        }

        return new Page<StoredMessage>([.. found.Take(query.Limit)], null);

        void Add(string condition, object? value)
        {
            if (value is not null)
            {
                command.Parameters.Add(new() { Value = value });
                where.Append(CultureInfo.InvariantCulture, $" and {condition} ${command.Parameters.Count}");
            }
        }
    }

    /// <summary>A message with what is attached to it, or null where the tenant has none of this name.</summary>
    public async Task<StoredMessage?> ReadAsync(TenantId tenant, Guid id, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new($"select {Columns}, m.text from inbox_messages m where m.tenant_id = $1 and m.id = $2") { Parameters = { new() { Value = tenant.Value }, new() { Value = id } } });
        batch.BatchCommands.Add(new("select a.id, a.name, a.type, a.bytes from attachments a where a.tenant_id = $1 and a.message = $2 order by a.place") { Parameters = { new() { Value = tenant.Value }, new() { Value = id } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        if (!await rows.ReadAsync(cancel))
        {
            return null;
        }

        var message = ReadRow(rows) with { Text = rows.GetString(21) };
        await rows.NextResultAsync(cancel);
        var attachments = new List<StoredAttachment>();
        while (await rows.ReadAsync(cancel))
        {
            attachments.Add(new StoredAttachment(rows.GetGuid(0), rows.GetString(1), rows.GetString(2), rows.GetInt32(3)));
        }

        return message with { Attachments = attachments };
    }

    /// <summary>The bytes of an attachment, or null where the tenant has none of this name.</summary>
    public async Task<(StoredAttachment Attachment, byte[] Content)?> AttachmentAsync(TenantId tenant, Guid id, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select a.id, a.name, a.type, a.bytes, a.content from attachments a where a.tenant_id = $1 and a.id = $2") { Parameters = { new() { Value = tenant.Value }, new() { Value = id } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? (new StoredAttachment(rows.GetGuid(0), rows.GetString(1), rows.GetString(2), rows.GetInt32(3)), rows.GetFieldValue<byte[]>(4)) : null;
    }

    /// <summary>Whose mail the tenant takes, and how often it has said so.</summary>
    public async Task<(InboxPolicy Policy, long Version)> PolicyAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select p.opening, p.listed, p.secrets, p.takes_answers, p.answers_refused, p.version from inbox_policies p where p.tenant_id = $1") { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel)
            ? (new InboxPolicy
            {
                Opening = Enum.Parse<InboxOpening>(rows.GetString(0), ignoreCase: true),
                Listed = rows.GetFieldValue<string[]>(1),
                Secrets = rows.GetFieldValue<string[]>(2),
                TakesAnswers = rows.GetBoolean(3),
                AnswersRefused = rows.GetBoolean(4),
            }, rows.GetInt64(5))
            : (InboxPolicy.Default, 0);
    }

    /// <summary>Says whose mail the tenant takes; false where somebody has said so since <paramref name="seen"/>.</summary>
    public async Task<bool> SetPolicyAsync(TenantId tenant, InboxPolicy policy, long seen, string by, DateTimeOffset at, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(
            """
            insert into inbox_policies as p (tenant_id, opening, listed, secrets, takes_answers, answers_refused, version, changed_at, changed_by)
            select $1, $2, $3, $4, $5, $6, $7 + 1, $8, $9
            where $7 = 0 or exists (select from inbox_policies o where o.tenant_id = $1)
            on conflict (tenant_id) do update
            set opening = excluded.opening, listed = excluded.listed, secrets = excluded.secrets, takes_answers = excluded.takes_answers, answers_refused = excluded.answers_refused,
              version = excluded.version, changed_at = excluded.changed_at, changed_by = excluded.changed_by
            where p.version = $7
            returning version
            """)
        {
            Parameters =
            {
                new() { Value = tenant.Value }, new() { Value = policy.Opening.ToString().ToLowerInvariant() }, new() { Value = policy.Listed.ToArray() }, new() { Value = policy.Secrets.ToArray() },
                new() { Value = policy.TakesAnswers }, new() { Value = policy.AnswersRefused }, new() { Value = seen }, new() { Value = at }, new() { Value = by },
            },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel);
    }

    private static StoredMessage ReadRow(NpgsqlDataReader rows) => new(rows.GetGuid(0), rows.GetFieldValue<DateTimeOffset>(1), rows.GetString(6), rows.GetString(8), rows.GetString(13))
    {
        Mailbox = rows.GetString(2),
        MessageId = Text(rows, 3),
        Sender = Text(rows, 4),
        DeliveredTo = Text(rows, 5),
        SentAt = rows.IsDBNull(7) ? null : rows.GetFieldValue<DateTimeOffset>(7),
        Bytes = rows.GetInt32(9),
        Spf = rows.GetString(10),
        Dkim = rows.GetString(11),
        Dmarc = rows.GetString(12),
        Why = rows.GetFieldValue<string[]>(14),
        Code = Text(rows, 15),
        Reason = Text(rows, 16),
        Pid = rows.IsDBNull(17) ? null : rows.GetInt64(17),
        Arrival = rows.IsDBNull(18) ? null : rows.GetGuid(18),
        Actor = Text(rows, 19),
        Answered = Text(rows, 20),
    };

    private static string? Text(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);
}
