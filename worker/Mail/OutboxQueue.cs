using System.Text.Json;
using Eddy.Mail.Delivery;
using Eddy.Mail.Inbox;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Mail;

/// <summary>The mails of all tenants that wait to be delivered. What is taken is nobody else's until its lease is over.</summary>
public sealed class OutboxQueue(NpgsqlDataSource source, SmtpOptions options, TimeProvider time)
{
    // Twice as long as a try may take, so that it holds until what came of it is written down.
    private DateTimeOffset LeaseEnd => time.GetUtcNow() + (2 * options.Timeout);

    /// <summary>When a mail is due next; null for never.</summary>
    public async Task<DateTimeOffset?> NextAsync(CancellationToken cancel)
    {
        await using var next = source.CreateCommand("select next_mail()");
        return await next.ExecuteScalarAsync(cancel) is DateTime at ? at == DateTime.MinValue ? DateTimeOffset.MinValue : new DateTimeOffset(at) : null;
    }

    /// <summary>Takes a mail that is due, of the first tenant after this one that has any; null where none is.</summary>
    public async Task<DueMail?> TakeAsync(TenantId? after, CancellationToken cancel)
    {
        var lease = Guid.CreateVersion7();
        await using var take = source.CreateCommand("select * from take_mail($1, $2, $3, $4, $5)");
        foreach (var value in new object[] { time.GetUtcNow(), LeaseEnd, lease, options.Domain!, after?.Value ?? Guid.Empty })
        {
            take.Parameters.Add(new() { Value = value });
        }

        await using var rows = await take.ExecuteReaderAsync(cancel);
        if (!await rows.ReadAsync(cancel))
        {
            return null;
        }

        return new DueMail(new TenantId(rows.GetGuid(0)), rows.GetInt64(1), lease, rows.GetInt64(2), rows.GetFieldValue<DateTimeOffset>(3), rows.GetString(4), rows.GetInt32(5), rows.GetFieldValue<DateTimeOffset>(6))
        {
            Slug = rows.GetString(7),
            TenantName = rows.GetString(8),
            TimeZone = rows.GetString(9),
            Receivers = rows.GetFieldValue<string[]>(10),
            Subject = rows.GetString(11),
            Text = rows.GetString(12),
            Html = rows.IsDBNull(13) ? null : rows.GetString(13),
            Attached = rows.IsDBNull(14) ? null : rows.GetString(14),
            Delivered = rows.GetFieldValue<string[]>(15),
            Refused = JsonSerializer.Deserialize<Dictionary<string, string>>(rows.GetString(16))!,
            Thread = rows.GetFieldValue<string[]>(17),
            Answers = rows.IsDBNull(18) ? null : rows.GetString(18),
        };
    }

    /// <summary>
    /// Which of these receivers may have it now, in their order: null, or the limit of the hour that keeps it back and when there is room again. Whoever may have it counts from then on, whatever becomes
    /// of it, and once for all tries.
    /// </summary>
    public async Task<IReadOnlyList<(string Receiver, StormLimit? Limit, DateTimeOffset Until)>> AdmitAsync(DueMail mail, IReadOnlyList<string> receivers, StormLimits limits, CancellationToken cancel)
    {
        await using var admit = source.CreateCommand("select cut, until from admit_mail($1, $2, $3, $4, $5, $6, $7, $8)");
        foreach (var value in new object[]
        {
            mail.Tenant.Value, mail.Id, mail.Pid, receivers.Select(People.MailAddress.Form).ToArray(), time.GetUtcNow(), limits.PerThread, limits.PerPerson, limits.PerTenant,
        })
        {
            admit.Parameters.Add(new() { Value = value });
        }

        var found = new List<(string, StormLimit?, DateTimeOffset)>(receivers.Count);
        await using var rows = await admit.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            found.Add(rows.IsDBNull(0)
                ? (receivers[found.Count], null, default)
                : (receivers[found.Count], Enum.Parse<StormLimit>(rows.GetString(0), ignoreCase: true), rows.GetFieldValue<DateTimeOffset>(1)));
        }

        return found;
    }

    /// <summary>Writes down who has it by now, and keeps it for as long again; false where its lease was over and it is another worker's.</summary>
    public async Task<bool> NoteHandedAsync(DueMail mail, DeliveryTry tried, CancellationToken cancel)
    {
        await using var note = source.CreateCommand("select note_handed($1, $2, $3, $4, $5, $6)");
        foreach (var value in new object[]
        {
            mail.Tenant.Value, mail.Id, mail.Lease, LeaseEnd, mail.Delivered.Union(tried.Delivered).ToArray(), JsonSerializer.Serialize(new Dictionary<string, string>(mail.Refused.Concat(tried.Refused))),
        })
        {
            note.Parameters.Add(new() { Value = value });
        }

        return (bool)(await note.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>Writes down what becomes of it; false where its lease was over and it is another worker's now.</summary>
    public async Task<bool> NoteAsync(DueMail mail, DeliveryTurn turn, CancellationToken cancel)
    {
        await using var note = source.CreateCommand("select note_mail($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
        foreach (var value in new object?[]
        {
            mail.Tenant.Value, mail.Id, mail.Lease, turn.State, turn.NextAt, time.GetUtcNow(), turn.Delivered.ToArray(), JsonSerializer.Serialize(turn.Refused), turn.Error, turn.IsTried,
        })
        {
            note.Parameters.Add(new() { Value = value ?? DBNull.Value });
        }

        return (bool)(await note.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>Gives it back as if it had not been taken.</summary>
    public async Task LeaveAsync(DueMail mail, CancellationToken cancel)
    {
        await using var leave = source.CreateCommand("select leave_mail($1, $2, $3)");
        leave.Parameters.Add(new() { Value = mail.Tenant.Value });
        leave.Parameters.Add(new() { Value = mail.Id });
        leave.Parameters.Add(new() { Value = mail.Lease });
        await leave.ExecuteNonQueryAsync(cancel);
    }
}
