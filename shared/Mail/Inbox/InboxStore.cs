using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Mail.Inbox;

/// <summary>The mail that has come in to a tenant, and what was attached to it. Only the worker puts messages in, with what they became.</summary>
public sealed class InboxStore(EddyDbs dbs)
{
    private const string Columns =
        "m.id, m.at, m.mailbox, m.message_id, m.sender, m.delivered_to, m.subject, m.sent_at, m.kind, m.bytes, m.spf, m.dkim, m.dmarc, m.state, m.why, m.code, m.reason, m.pid, m.arrival, m.actor, m.answered";

    /// <summary>The last messages, newest first.</summary>
    /// <param name="before">Only those that came before this one; null for the very last. Before one that is gone there is none.</param>
    public async Task<IReadOnlyList<StoredMessage>> LastAsync(TenantId tenant, Guid? before, int limit, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        var where = before is null ? "" : "and (m.at, m.id) < (select b.at, b.id from inbox_messages b where b.tenant_id = $1 and b.id = $3)";
        var list = new NpgsqlBatchCommand($"select {Columns} from inbox_messages m where m.tenant_id = $1 {where} order by m.at desc, m.id desc limit $2") { Parameters = { new() { Value = tenant.Value }, new() { Value = limit } } };
        if (before is { } last)
        {
            list.Parameters.Add(new() { Value = last });
        }

        batch.BatchCommands.Add(list);
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var found = new List<StoredMessage>();
        while (await rows.ReadAsync(cancel))
        {
            found.Add(ReadRow(rows));
        }

        return found;
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
