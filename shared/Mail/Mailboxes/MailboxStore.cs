using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Mail.Mailboxes;

/// <summary>The mailboxes that tenants have added.</summary>
public sealed class MailboxStore(EddyDbs dbs)
{
    internal const string Columns = "b.name, b.host, b.port, b.tls, b.username, b.secret, b.folder, b.error, b.changed_at, b.changed_by";

    public async Task<IReadOnlyList<StoredMailbox>> ListAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new($"select {Columns} from mailboxes b where b.tenant_id = $1 order by b.name") { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var found = new List<StoredMailbox>();
        while (await rows.ReadAsync(cancel))
        {
            found.Add(ReadRow(rows, 0));
        }

        return found;
    }

    /// <summary>Adds it, or puts it in the place of the one of its name; false where the tenant has as many as it may.</summary>
    public async Task<bool> SaveAsync(TenantId tenant, StoredMailbox mailbox, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(
            """
            insert into mailboxes (tenant_id, name, host, port, tls, username, secret, folder, changed_at, changed_by)
            select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
            where (select count(*) from mailboxes o where o.tenant_id = $1 and o.name <> $2) < $11
            on conflict (tenant_id, name) do update
            set host = excluded.host, port = excluded.port, tls = excluded.tls, username = excluded.username, secret = excluded.secret, folder = excluded.folder, error = null,
              changed_at = excluded.changed_at, changed_by = excluded.changed_by
            returning name
            """)
        {
            Parameters =
            {
                new() { Value = tenant.Value }, new() { Value = mailbox.Name }, new() { Value = mailbox.Host }, new() { Value = mailbox.Port }, new() { Value = mailbox.Tls.ToString() }, new() { Value = mailbox.User },
                new() { Value = mailbox.Secret }, new() { Value = mailbox.Folder }, new() { Value = mailbox.ChangedAt }, new() { Value = mailbox.ChangedBy }, new() { Value = StoredMailbox.Most },
            },
        });
        return await IsDoneAsync(batch, cancel);
    }

    /// <summary>It is read no more; false where there is none of this name.</summary>
    public async Task<bool> DeleteAsync(TenantId tenant, string name, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("delete from mailboxes where tenant_id = $1 and name = $2 returning name") { Parameters = { new() { Value = tenant.Value }, new() { Value = name } } });
        return await IsDoneAsync(batch, cancel);
    }

    /// <summary>Notes why it can not be read now; null where it can.</summary>
    public async Task NoteAsync(TenantId tenant, string name, string? error, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("update mailboxes set error = $3 where tenant_id = $1 and name = $2 and error is distinct from $3 returning name")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = name }, new() { Value = (object?)error ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text } },
        });
        await IsDoneAsync(batch, cancel);
    }

    internal static StoredMailbox ReadRow(NpgsqlDataReader rows, int from) => new(
        rows.GetString(from), rows.GetString(from + 1), rows.GetInt32(from + 2), Enum.Parse<MailTls>(rows.GetString(from + 3)), rows.GetString(from + 4), rows.GetString(from + 5), rows.GetString(from + 6))
    {
        Error = rows.IsDBNull(from + 7) ? null : rows.GetString(from + 7),
        ChangedAt = rows.GetFieldValue<DateTimeOffset>(from + 8),
        ChangedBy = rows.GetString(from + 9),
    };

    private static async Task<bool> IsDoneAsync(NpgsqlBatch batch, CancellationToken cancel)
    {
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel);
    }
}
