using System.Globalization;
using System.Text;
using Eddy.Postgres;
using Eddy.Processes;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Cards;

/// <summary>The cards that runs show. Only the pump puts them in, with the run; whoever is done with one closes it. Both is told on <c>eddy_cards</c>, with the tenant.</summary>
public sealed class CardStore(EddyDbs dbs)
{
    internal const string Columns = "c.id, c.run, c.pid, c.at, c.name, c.for_user, c.state";

    /// <summary>A page of cards, newest first: those that are not closed, or all of one run.</summary>
    public async Task<Page<StoredCard>> ListAsync(TenantId tenant, CardQuery query, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        var command = new NpgsqlBatchCommand { Parameters = { new() { Value = tenant.Value }, new() { Value = query.Limit + 1 } } };
        var where = new StringBuilder("c.tenant_id = $1").Append(query.Run is null ? " and c.state <> 'closed'" : "");
        Add("c.for_user =", query.User);
        Add("c.pid =", query.Pid);
        Add("c.id >", query.Run * 1000);
        Add("c.id <", (query.Run + 1) * 1000);
        Add("c.id <", query.Beyond);
        command.CommandText = $"select {Columns} from cards c where {where} order by c.id desc limit $2";
        batch.BatchCommands.Add(command);
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var cards = new List<StoredCard>();
        while (await rows.ReadAsync(cancel))
        {
            cards.Add(ReadRow(rows));
        }

        return cards.Count > query.Limit ? new Page<StoredCard>([.. cards.Take(query.Limit)], cards[query.Limit - 1].Id) : new Page<StoredCard>(cards, null);

        void Add(string condition, object? value)
        {
            if (value is not null)
            {
                command.Parameters.Add(new() { Value = value });
                where.Append(CultureInfo.InvariantCulture, $" and {condition} ${command.Parameters.Count}");
            }
        }
    }

    internal static StoredCard ReadRow(NpgsqlDataReader rows) => new(
        rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2), rows.GetFieldValue<DateTimeOffset>(3), rows.GetString(4), rows.GetString(5), rows.GetString(6));

    /// <summary>What is there for somebody, newest first.</summary>
    /// <param name="address">In the form of <see cref="People.MailAddress"/>.</param>
    public async Task<IReadOnlyList<StoredCard>> OpenForAsync(TenantId tenant, string address, int limit, CancellationToken cancel) =>
        (await ListAsync(tenant, new CardQuery(address, null, null, null, limit), cancel)).Items;

    /// <summary>The process for which a card of this name was shown last, of the newest there are; null for none.</summary>
    public async Task<long?> NewestPidAsync(TenantId tenant, string name, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select c.pid from (select pid, name from cards where tenant_id = $1 order by id desc limit 1000) c where c.name = $2 limit 1")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = name } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? rows.GetInt64(0) : null;
    }

    /// <summary>Closes a card; false where there is none of this number that is not closed.</summary>
    public async Task<bool> CloseAsync(TenantId tenant, long id, DateTimeOffset at, CancellationToken cancel) =>
        await ChangeAsync(tenant, "update cards set state = 'closed', closed_at = $2 where tenant_id = $1 and id = $3 and state <> 'closed' returning id", cancel, at, id) > 0;

    /// <summary>Closes what is there for somebody by this name in this process: it is answered.</summary>
    public Task<int> CloseAnsweredAsync(TenantId tenant, string name, long pid, string address, DateTimeOffset at, CancellationToken cancel) =>
        ChangeAsync(tenant, "update cards set state = 'closed', closed_at = $2 where tenant_id = $1 and pid = $3 and name = $4 and for_user = $5 and state <> 'closed' returning id", cancel, at, pid, name, address);

    /// <summary>Notes that somebody has it open.</summary>
    public Task<int> NoteShownAsync(TenantId tenant, string name, long pid, string address, CancellationToken cancel) =>
        ChangeAsync(tenant, "update cards set state = 'shown' where tenant_id = $1 and pid = $2 and name = $3 and for_user = $4 and state = 'waiting' returning id", cancel, pid, name, address);

    /// <summary>Whether this link has had its answer.</summary>
    public async Task<bool> IsAnsweredAsync(TenantId tenant, CardLink link, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select from answered_links where tenant_id = $1 and mail = $2 and card = $3 and address = $4")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = link.Mail }, new() { Value = link.Card }, new() { Value = link.Address } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel);
    }

    /// <summary>Uses a link up; false where it was before.</summary>
    public async Task<bool> NoteAnsweredAsync(TenantId tenant, CardLink link, DateTimeOffset at, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("insert into answered_links (tenant_id, mail, card, address, at) values ($1, $2, $3, $4, $5) on conflict do nothing returning mail")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = link.Mail }, new() { Value = link.Card }, new() { Value = link.Address }, new() { Value = at } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel);
    }

    // Whoever watches the tenant's cards is told, where there was something to change.
    private async Task<int> ChangeAsync(TenantId tenant, string update, CancellationToken cancel, params object[] values)
    {
        await using var batch = dbs.BatchFor(tenant);
        var command = new NpgsqlBatchCommand($"with changed as ({update}) select pg_notify('eddy_cards', $1::text), n from (select count(*)::int as n from changed) c where n > 0") { Parameters = { new() { Value = tenant.Value } } };
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }

        batch.BatchCommands.Add(command);
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? rows.GetInt32(1) : 0;
    }
}

/// <summary>A card that a run shows to a user.</summary>
/// <param name="Id">Its number, unique in the tenant and rising: that of its run, and its place in it.</param>
/// <param name="User">Who is to see it: an address or a name, as the rule gave it, or the actor of its cascade.</param>
/// <param name="State"><c>waiting</c>, <c>shown</c> or <c>closed</c>.</param>
public sealed record StoredCard(long Id, long Run, long Pid, DateTimeOffset At, string Name, string User, string State);

/// <summary>Which cards to list, newest first. What is null does not matter.</summary>
/// <param name="Run">Those of this run, closed ones too.</param>
/// <param name="Beyond">The number that the page before ended with.</param>
public sealed record CardQuery(string? User, long? Pid, long? Run, long? Beyond, int Limit);
