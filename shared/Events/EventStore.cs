using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Events;

/// <summary>Reads a tenant's log. Only the pump writes it.</summary>
public sealed class EventStore(EddyDbs dbs)
{
    /// <summary>A page ends early once its values are this many characters.</summary>
    public const int PageCharacters = 8 << 20;

    /// <summary>As far back the log is searched for keys, which no index has.</summary>
    public const int RecentEvents = 10_000;

    private const string RecentKeysSql = """
        select distinct k from (
          select case when pid = 0 then 'shared.' else '' end || key as k
          from (select pid, key from events where tenant_id = $1 order by position desc limit $3) recent
          union all
          select 'shared.' || key from kvps where tenant_id = $1 and pid = 0) had
        where k = any($2)
        """;

    // Long values stay where they are: whoever asks shows a few characters.
    private const string LatestSql = """
        select e.key, e.pid, e.at, case when pg_column_size(e.value) <= 4000 then e.value::text end
        from (
          select distinct on (pid = 0, key) position, at
          from (select position, at, pid, key from events where tenant_id = $1 order by position desc limit $2) recent
          order by pid = 0, key, position desc
          limit $3) l
        join events e on e.tenant_id = $1 and e.position = l.position and e.at = l.at
        """;

    private const int MostKeys = 2000;

    internal const string Columns = "position, at, pid, key, value::text, previous::text, actor, source, cause, set_position, root";

    private const string AfterSql = $"select {Columns} from events where tenant_id = $1 and position > $2 order by position limit $3";

    /// <summary>Of these keys those that the last <see cref="RecentEvents"/> events have set or removed, and the shared ones that are there. Shared ones are written <c>shared.key</c>.</summary>
    public async Task<IReadOnlySet<string>> RecentKeysAsync(TenantId tenant, IReadOnlyList<string> keys, CancellationToken cancel)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        if (keys.Count == 0)
        {
            return seen;
        }

        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(RecentKeysSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = keys.ToArray() }, new() { Value = RecentEvents } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            seen.Add(rows.GetString(0));
        }

        return seen;
    }

    /// <summary>Of each key that the last <see cref="RecentEvents"/> events have set or removed, what it was set to last, in whichever process.</summary>
    public async Task<IReadOnlyList<LatestValue>> LatestAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(LatestSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = RecentEvents }, new() { Value = MostKeys } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var latest = new List<LatestValue>();
        while (await rows.ReadAsync(cancel))
        {
            latest.Add(new LatestValue(rows.GetString(0), rows.GetInt64(1), rows.GetFieldValue<DateTimeOffset>(2), rows.IsDBNull(3) ? null : rows.GetString(3)));
        }

        return latest;
    }

    /// <summary>The events after this position, in their order, and whether there are more.</summary>
    public async Task<(IReadOnlyList<StoredEvent> Events, bool More)> ReadAfterAsync(TenantId tenant, long after, int limit, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(AfterSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = after }, new() { Value = limit + 1 } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var events = new List<StoredEvent>();
        var characters = 0;
        while (await rows.ReadAsync(cancel))
        {
            if (events.Count == limit || characters > PageCharacters)
            {
                return (events, true);
            }

            events.Add(ReadRow(rows));
            characters += (events[^1].Value?.Length ?? 0) + (events[^1].Previous?.Length ?? 0);
        }

        return (events, false);
    }

    /// <summary>All events of the change sets that events of these positions belong to, in their order. Nothing of those whose run is not kept any more.</summary>
    public async Task<IReadOnlyList<StoredEvent>> ReadSetsAsync(TenantId tenant, IReadOnlyCollection<long> positions, CancellationToken cancel)
    {
        var events = new List<StoredEvent>();
        await using (var named = dbs.BatchFor(tenant))
        {
            named.BatchCommands.Add(new($"select {Columns} from unnest($2) u(at_position) cross join lateral (select * from events where tenant_id = $1 and position = u.at_position limit 1) e order by position")
            {
                Parameters = { new() { Value = tenant.Value }, new() { Value = positions.Distinct().ToArray() } },
            });
            await ReadInto(named);
        }

        var sets = events.DistinctBy(one => one.ChangeSet).ToList();
        events.Clear();
        if (sets.Count == 0)
        {
            return events;
        }

        // A set of a rule is what its run says; one from outside is found by its arrival.
        await using var batch = dbs.BatchFor(tenant);
        foreach (var set in sets)
        {
            batch.BatchCommands.Add(set.Cause is { } run
                ? new($"select {Columns} from events where tenant_id = $1 and position >= $2 and position < $2 + (select changes from runs where tenant_id = $1 and id = $3 limit 1) order by position")
                {
                    Parameters = { new() { Value = tenant.Value }, new() { Value = set.ChangeSet }, new() { Value = run } },
                }
                : new($"select {Columns} from events where tenant_id = $1 and root = $2 and cause is null and set_position = $3 order by position")
                {
                    Parameters = { new() { Value = tenant.Value }, new() { Value = set.Arrival }, new() { Value = set.ChangeSet } },
                });
        }

        await ReadInto(batch);
        return events;

        async Task ReadInto(NpgsqlBatch asked)
        {
            await using var rows = await asked.ExecuteReaderAsync(cancel);
            while (await rows.NextResultAsync(cancel))
            {
                while (await rows.ReadAsync(cancel))
                {
                    events.Add(ReadRow(rows));
                }
            }
        }
    }

    /// <summary>The last events, the newest first; large values and those before are left out.</summary>
    public async Task<IReadOnlyList<StoredEvent>> ReadLastAsync(TenantId tenant, int limit, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select position, at, pid, key, case when pg_column_size(value) < 8192 then value::text end, null, actor, source, cause, set_position, root from events where tenant_id = $1 order by position desc limit $2")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = limit } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var events = new List<StoredEvent>();
        while (await rows.ReadAsync(cancel))
        {
            events.Add(ReadRow(rows));
        }

        return events;
    }

    internal static StoredEvent ReadRow(NpgsqlDataReader rows) => new(
        rows.GetInt64(0),
        rows.GetFieldValue<DateTimeOffset>(1),
        rows.GetInt64(2),
        rows.GetString(3),
        rows.IsDBNull(4) ? null : rows.GetString(4),
        rows.IsDBNull(5) ? null : rows.GetString(5),
        rows.GetString(6),
        rows.GetString(7),
        rows.IsDBNull(8) ? null : rows.GetInt64(8),
        rows.GetInt64(9),
        rows.GetGuid(10));
}

/// <summary>What a key was set to last.</summary>
/// <param name="Pid">In which process; 0 for the shared bag.</param>
/// <param name="Value">JSON; null where it was removed, or is long.</param>
public sealed record LatestValue(string Key, long Pid, DateTimeOffset At, string? Value);
