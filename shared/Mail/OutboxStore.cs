using System.Globalization;
using System.Text;
using System.Text.Json;
using Eddy.Cards;
using Eddy.Postgres;
using Eddy.Processes;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Mail;

/// <summary>The mails that runs have sent. Only the pump puts them in, with the run, and only the worker's couriers deliver them.</summary>
public sealed class OutboxStore(EddyDbs dbs)
{
    internal const string Columns = "o.id, o.run, o.pid, o.at, o.receivers, o.subject, o.state, o.tries, o.next_at, o.ended_at, o.error, o.refused::text, o.message_id, o.lease is not null";

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
            ? ReadRow(rows) with { Text = CardLinks.Plain(rows.GetString(14)), Html = Text(rows, 15) is { } html ? CardLinks.Plain(html) : null, Attached = Text(rows, 16) }
            : null;
    }

    /// <summary>Has it tried anew, at once and for two days, for those who do not have it. False where there is no such mail, or all have it, or it is being delivered in this moment.</summary>
    public Task<bool> RetryAsync(TenantId tenant, long id, CancellationToken cancel) => ChangeAsync(
        tenant, id,
        "update outbox set state = 'waiting', next_at = '-infinity', tries = 0, first_at = null, ended_at = null, refused = '{}', lease = null where tenant_id = $1 and id = $2 and state <> 'sent' and lease is null returning id",
        null, cancel);

    /// <summary>Has it delivered to nobody any more. False where there is no such mail that waits, or it is being delivered in this moment.</summary>
    public Task<bool> CancelAsync(TenantId tenant, long id, DateTimeOffset at, CancellationToken cancel) => ChangeAsync(
        tenant, id, "update outbox set state = 'cancelled', ended_at = $3 where tenant_id = $1 and id = $2 and state = 'waiting' and lease is null returning id", at, cancel);

    internal static StoredMail ReadRow(NpgsqlDataReader rows) => new(
        rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2), rows.GetFieldValue<DateTimeOffset>(3), rows.GetFieldValue<string[]>(4), CardLinks.Plain(rows.GetString(5)), rows.GetString(6))
    {
        Tries = rows.GetInt32(7),
        // What has not been tried is due since ever.
        NextAt = rows.GetString(6) != MailState.Waiting || rows.GetDateTime(8) == DateTime.MinValue ? null : rows.GetFieldValue<DateTimeOffset>(8),
        EndedAt = rows.IsDBNull(9) ? null : rows.GetFieldValue<DateTimeOffset>(9),
        Error = Text(rows, 10),
        Refused = JsonSerializer.Deserialize<Dictionary<string, string>>(rows.GetString(11))!,
        MessageId = Text(rows, 12),
        IsUnderWay = rows.GetBoolean(13),
    };

    private async Task<bool> ChangeAsync(TenantId tenant, long id, string statement, DateTimeOffset? at, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        var change = new NpgsqlBatchCommand(statement) { Parameters = { new() { Value = tenant.Value }, new() { Value = id } } };
        if (at is { } moment)
        {
            change.Parameters.Add(new() { Value = moment });
        }

        batch.BatchCommands.Add(change);
        batch.BatchCommands.Add(new("select pg_notify('eddy_post', '')"));
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var isChanged = await rows.ReadAsync(cancel);
        // To its end, so that what follows is done, too.
        while (await rows.NextResultAsync(cancel))
        {
        }

        return isChanged;
    }

    private static string? Text(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);
}
