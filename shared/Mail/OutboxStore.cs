using System.Globalization;
using System.Text;
using Eddy.Postgres;
using Eddy.Processes;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Mail;

/// <summary>Reads the mails that runs have sent. Only the pump puts them in, with the run.</summary>
public sealed class OutboxStore(EddyDbs dbs)
{
    internal const string Columns = "o.id, o.run, o.pid, o.at, o.receivers, o.subject, o.state";

    /// <summary>A page of mails without their texts, newest first.</summary>
    public async Task<Page<StoredMail>> ListAsync(TenantId tenant, MailQuery query, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        var command = new NpgsqlBatchCommand { Parameters = { new() { Value = tenant.Value }, new() { Value = query.Limit + 1 } } };
        var where = new StringBuilder("o.tenant_id = $1");
        Add("o.pid =", query.Pid);
        Add("o.run =", query.Run);
        // By the index, too.
        Add("o.id >", query.Run * 1000);
        Add("o.id <", (query.Run + 1) * 1000);
        Add("o.id <", query.Beyond);
        command.CommandText = $"select {Columns} from outbox o where {where} order by o.id desc limit $2";
        batch.BatchCommands.Add(command);
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var mails = new List<StoredMail>();
        while (await rows.ReadAsync(cancel))
        {
            mails.Add(ReadRow(rows));
        }

        return mails.Count > query.Limit ? new Page<StoredMail>([.. mails.Take(query.Limit)], mails[query.Limit - 1].Id) : new Page<StoredMail>(mails, null);

        void Add(string condition, long? value)
        {
            if (value is { } given)
            {
                command.Parameters.Add(new() { Value = given });
                where.Append(CultureInfo.InvariantCulture, $" and {condition} ${command.Parameters.Count}");
            }
        }
    }

    /// <summary>A mail with all that it says, or null where the tenant has none of this number.</summary>
    public async Task<StoredMail?> ReadAsync(TenantId tenant, long id, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new($"select {Columns}, o.text, o.html, o.attached::text from outbox o where o.tenant_id = $1 and o.id = $2")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = id } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel)
            ? ReadRow(rows) with { Text = rows.GetString(7), Html = rows.IsDBNull(8) ? null : rows.GetString(8), Attached = rows.IsDBNull(9) ? null : rows.GetString(9) }
            : null;
    }

    internal static StoredMail ReadRow(NpgsqlDataReader rows) => new(
        rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2), rows.GetFieldValue<DateTimeOffset>(3), rows.GetFieldValue<string[]>(4), rows.GetString(5), rows.GetString(6));
}
