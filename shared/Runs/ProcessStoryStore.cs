using Eddy.Events;
using Eddy.Postgres;
using Eddy.Tenants;

namespace Eddy.Runs;

/// <summary>Reads what became of one process: its KVPs with who set them when, and its change sets, the last first.</summary>
public sealed class ProcessStoryStore(EddyDbs dbs)
{
    /// <summary>More KVPs of a process are not shown.</summary>
    public const int MostKvps = 5000;

    /// <summary>A longer value is shown only where it is asked for.</summary>
    public const int MostCharacters = 4000;

    // A KVP's position leads to its event, and that to its run, wherever these partitions are.
    private static readonly string KvpsSql = $"""
        select k.key, case when length(k.value) <= {MostCharacters} then k.value end, k.position, e.at, e.actor, e.source, e.cause, r.rule
        from (select key, value::text as value, position from kvps where tenant_id = $1 and pid = $2 order by key limit {MostKvps}) k
        left join lateral (select e.at, e.actor, e.source, e.cause from events e where e.tenant_id = $1 and e.position = k.position limit 1) e on true
        left join lateral (select r.rule from runs r where r.tenant_id = $1 and r.id = e.cause limit 1) r on true
        order by k.key collate "C"
        """;

    internal const string HistorySql = $"select {EventStore.Columns} from events where tenant_id = $1 and pid = $2 and position < $3 order by position desc limit $4";

    /// <summary>The KVPs of a process (0: the shared bag), by key.</summary>
    public async Task<IReadOnlyList<KnownKvp>> KvpsAsync(TenantId tenant, long pid, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(KvpsSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = pid } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var kvps = new List<KnownKvp>();
        while (await rows.ReadAsync(cancel))
        {
            kvps.Add(new KnownKvp(
                rows.GetString(0), Text(1), rows.GetInt64(2),
                rows.IsDBNull(3) ? null : new KvpOrigin(rows.GetFieldValue<DateTimeOffset>(3), rows.GetString(4), rows.GetString(5), rows.IsDBNull(6) ? null : rows.GetInt64(6), Text(7))));
        }

        return kvps;

        string? Text(int column) => rows.IsDBNull(column) ? null : rows.GetString(column);
    }

    /// <summary>The events of a process before this position, the last first, and whether there are more.</summary>
    public async Task<(IReadOnlyList<StoredEvent> Events, bool More)> HistoryAsync(TenantId tenant, long pid, long before, int limit, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(HistorySql) { Parameters = { new() { Value = tenant.Value }, new() { Value = pid }, new() { Value = before }, new() { Value = limit + 1 } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var events = new List<StoredEvent>();
        var characters = 0;
        while (await rows.ReadAsync(cancel))
        {
            if (events.Count == limit || characters > EventStore.PageCharacters)
            {
                return (events, true);
            }

            events.Add(EventStore.ReadRow(rows));
            characters += (events[^1].Value?.Length ?? 0) + (events[^1].Previous?.Length ?? 0);
        }

        return (events, false);
    }
}

/// <summary>A KVP as it is in force, and how it came to be.</summary>
/// <param name="Value">JSON; null where it is too long to be shown unasked.</param>
/// <param name="Position">That of the event that set it.</param>
/// <param name="Origin">Null where the log does not go back as far.</param>
public sealed record KnownKvp(string Key, string? Value, long Position, KvpOrigin? Origin);

/// <summary>Who set a KVP, when.</summary>
/// <param name="Source">The door by which it came, as in <c>post</c>, or <c>rule</c>.</param>
/// <param name="Cause">The run that did it; null for what came from outside.</param>
/// <param name="Rule">The rule of that run.</param>
public sealed record KvpOrigin(DateTimeOffset At, string Actor, string Source, long? Cause, string? Rule);
