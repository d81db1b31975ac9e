using Eddy.Access;
using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Mail.Inbox;

/// <summary>What tenants have said of their inboxes.</summary>
public sealed class InboxPolicyStore(EddyDbs dbs, AccessStore accesses, TimeProvider time)
{
    private const string ReadSql = "select opening, listed, secrets, takes_answers, answers_refused from inbox_policies where tenant_id = $1";

    private const string SaveSql = """
        insert into inbox_policies (tenant_id, opening, listed, secrets, takes_answers, answers_refused, changed_at, changed_by) values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant_id) do update
        set opening = excluded.opening, listed = excluded.listed, secrets = excluded.secrets, takes_answers = excluded.takes_answers, answers_refused = excluded.answers_refused,
          changed_at = excluded.changed_at, changed_by = excluded.changed_by
        """;

    /// <summary>What holds now: <see cref="InboxPolicy.Default"/> where nobody has said anything.</summary>
    public async Task<InboxPolicy> ReadAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(ReadSql) { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel)
            ? new InboxPolicy
            {
                Opening = Enum.Parse<InboxOpening>(rows.GetString(0), ignoreCase: true),
                Listed = rows.GetFieldValue<string[]>(1),
                Secrets = rows.GetFieldValue<string[]>(2),
                TakesAnswers = rows.GetBoolean(3),
                AnswersRefused = rows.GetBoolean(4),
            }
            : InboxPolicy.Default;
    }

    /// <summary>Says it anew; why not, in a sentence, or null. The audit has it, without the secrets.</summary>
    public async Task<string?> SaveAsync(TenantId tenant, InboxPolicy policy, string author, CancellationToken cancel)
    {
        if (policy.Listed.Count > InboxPolicy.MostListed)
        {
            return $"At most {InboxPolicy.MostListed} senders and domains are listed; a domain stands for all its addresses.";
        }

        if (policy.Listed.Select(InboxPolicy.ListedFault).FirstOrDefault(fault => fault is not null) is { } wrong)
        {
            return wrong;
        }

        await using var batch = dbs.BatchFor(tenant);
        var opening = policy.Opening.ToString().ToLowerInvariant();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(SaveSql)
        {
            Parameters =
            {
                new() { Value = tenant.Value }, new() { Value = opening }, new() { Value = policy.Listed.Select(one => one.ToLowerInvariant()).Distinct().Order(StringComparer.Ordinal).ToArray() },
                new() { Value = policy.Secrets.ToArray() }, new() { Value = policy.TakesAnswers }, new() { Value = policy.AnswersRefused }, new() { Value = time.GetUtcNow() }, new() { Value = author },
            },
        });
        await batch.ExecuteNonQueryAsync(cancel);
        await accesses.NoteAsync(
            tenant, author, "set-inbox", opening, System.Text.Json.JsonSerializer.Serialize(new { opening, listed = policy.Listed, secrets = policy.Secrets.Count, policy.TakesAnswers, policy.AnswersRefused }), cancel);
        return null;
    }
}
