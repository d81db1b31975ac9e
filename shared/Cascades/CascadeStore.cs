using System.Text.Json;
using Eddy.Cards;
using Eddy.Egress;
using Eddy.Events;
using Eddy.Mail;
using Eddy.Postgres;
using Eddy.Quarantine;
using Eddy.Runs;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Cascades;

/// <summary>
/// Reads what an arrival has led to, whole: its events and runs, in pages, and what stands of it. Runs are found by their root; events that runs made have no index of their
/// own: a run says which they are.
/// </summary>
public sealed class CascadeStore(EddyDbs dbs)
{
    /// <summary>An arrival has at most so many changes of its own.</summary>
    public const int MostArrived = 1000;

    /// <summary>Of what stands, the newest of a tenant are looked at: it changes all the time, and no index has whose it is.</summary>
    public const int MostStanding = 1000;

    internal const string ArrivedSql = $"select {EventStore.Columns} from events where tenant_id = $1 and root = $2 and cause is null order by position limit $3";

    internal const string RunsSql = $"select {RunStore.Columns} from runs r where r.tenant_id = $1 and r.root = $2 and r.id > $3 order by r.id limit $4";

    private const string ChangesSql = $"select {EventStore.Columns} from events where tenant_id = $1 and position = any($2) order by position";

    /// <summary>What came in with an arrival; empty where the tenant has none of this number, or the clock was it.</summary>
    public async Task<IReadOnlyList<StoredEvent>> ReadArrivedAsync(TenantId tenant, Guid root, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(ArrivedSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = root }, new() { Value = MostArrived } } });
        return await ReadEventsAsync(batch, cancel);
    }

    /// <summary>A page of its runs after this number, without their logs, and what these changed.</summary>
    public async Task<(IReadOnlyList<StoredRun> Runs, IReadOnlyList<StoredEvent> Changes, bool More)> ReadRunsAsync(TenantId tenant, Guid root, long after, int limit, CancellationToken cancel)
    {
        List<StoredRun> runs = [];
        await using (var batch = dbs.BatchFor(tenant))
        {
            batch.BatchCommands.Add(new(RunsSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = root }, new() { Value = after }, new() { Value = limit + 1 } } });
            await using var rows = await batch.ExecuteReaderAsync(cancel);
            await rows.NextResultAsync(cancel);
            while (await rows.ReadAsync(cancel))
            {
                runs.Add(RunStore.ReadRow(rows));
            }
        }

        var more = runs.Count > limit;
        var page = more ? runs[..limit] : runs;
        var positions = page.Where(run => run.FirstPosition is not null).SelectMany(run => Enumerable.Range(0, run.Changes).Select(i => run.FirstPosition!.Value + i)).ToArray();
        if (positions.Length == 0)
        {
            return (page, [], more);
        }

        await using var changes = dbs.BatchFor(tenant);
        changes.BatchCommands.Add(new(ChangesSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = positions } } });
        return (page, await ReadEventsAsync(changes, cancel), more);
    }

    /// <summary>The runs that are put off and those in quarantine, of whichever arrival, the newest first.</summary>
    public async Task<(IReadOnlyList<DeferredRun> Deferred, IReadOnlyList<QuarantinedRun> Quarantined)> ReadStandingAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new($"select {DeferredStore.Columns} from deferred where tenant_id = $1 order by id desc limit $2") { Parameters = { new() { Value = tenant.Value }, new() { Value = MostStanding } } });
        batch.BatchCommands.Add(new($"select {QuarantineStore.Columns} from quarantine where tenant_id = $1 order by id desc limit $2") { Parameters = { new() { Value = tenant.Value }, new() { Value = MostStanding } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var deferred = new List<DeferredRun>();
        while (await rows.ReadAsync(cancel))
        {
            deferred.Add(DeferredStore.ReadRow(rows));
        }

        await rows.NextResultAsync(cancel);
        var quarantined = new List<QuarantinedRun>();
        while (await rows.ReadAsync(cancel))
        {
            quarantined.Add(QuarantineStore.ReadRow(rows));
        }

        return (deferred, quarantined);
    }

    /// <summary>What these runs told beside their changes, of those that told anything.</summary>
    public async Task<IReadOnlyList<RunTold>> ReadToldAsync(TenantId tenant, IReadOnlyCollection<long> runs, CancellationToken cancel)
    {
        if (runs.Count == 0)
        {
            return [];
        }

        // Numbers of mails and cards begin with that of their run; so they are found by their keys.
        var (ids, first, last) = (runs.ToArray(), runs.Min() * 1000, (runs.Max() + 1) * 1000);
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new($"select r.id, r.log, {RunStore.ToldCalls} from runs r where r.tenant_id = $1 and r.id = any($2) and (r.log is not null or r.calls is not null) order by r.id")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = ids } },
        });
        batch.BatchCommands.Add(new($"select {OutboxStore.Columns} from outbox o where o.tenant_id = $1 and o.id between $2 and $3 and o.run = any($4) order by o.id")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = first }, new() { Value = last }, new() { Value = ids } },
        });
        batch.BatchCommands.Add(new($"select {CardStore.Columns} from cards c where c.tenant_id = $1 and c.id between $2 and $3 and c.run = any($4) order by c.id")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = first }, new() { Value = last }, new() { Value = ids } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        var said = new Dictionary<long, (string? Log, IReadOnlyList<CallRecord> Calls)>();
        await rows.NextResultAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            said[rows.GetInt64(0)] = (rows.IsDBNull(1) ? null : rows.GetString(1), rows.IsDBNull(2) ? [] : JsonSerializer.Deserialize<List<CallRecord>>(rows.GetString(2), JsonSerializerOptions.Web)!);
        }

        var mails = new List<StoredMail>();
        await rows.NextResultAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            mails.Add(OutboxStore.ReadRow(rows));
        }

        var cards = new List<StoredCard>();
        await rows.NextResultAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            cards.Add(CardStore.ReadRow(rows));
        }

        var (mailed, shown) = (mails.ToLookup(mail => mail.Run), cards.ToLookup(card => card.Run));
        return
        [
            .. runs.Distinct().Order().Where(run => said.ContainsKey(run) || mailed.Contains(run) || shown.Contains(run))
                .Select(run => new RunTold(run, said.GetValueOrDefault(run).Log, said.GetValueOrDefault(run).Calls ?? [], [.. mailed[run]], [.. shown[run]])),
        ];
    }

    private static async Task<List<StoredEvent>> ReadEventsAsync(NpgsqlBatch batch, CancellationToken cancel)
    {
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var events = new List<StoredEvent>();
        while (await rows.ReadAsync(cancel))
        {
            events.Add(EventStore.ReadRow(rows));
        }

        return events;
    }
}
