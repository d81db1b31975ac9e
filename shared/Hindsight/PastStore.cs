using Eddy.Postgres;
using Eddy.Runs;
using Eddy.Tenants;

namespace Eddy.Hindsight;

/// <summary>
/// Reads how processes were. What has not changed since is what it is now. Of other keys the last event before the moment has the value, and the first one after it has it
/// too, as that which it replaced; whichever is nearer is taken. So a moment costs what lies around it, however long the log is.
/// </summary>
public sealed class PastStore(EddyDbs dbs)
{
    /// <summary>No more removals since a moment are looked at.</summary>
    internal const int MostRemovals = 200_000;

    private const string EndsSql = """
        select (select position from events where tenant_id = $1 order by position limit 1), e.position, e.at
        from (select 1) one left join lateral (select position, at from events where tenant_id = $1 and position <= $2 order by position desc limit 1) e on true
        """;

    private const string NowSql = "select key, value::text, position from kvps where tenant_id = $1 and pid = $2";

    private const string RemovedSql = """
        select key, count(*) from (select key from events where tenant_id = $1 and pid = $2 and position > $3 and value is null order by position limit $4) gone group by key
        """;

    // The first row says how much was looked at, and how far.
    internal const string BackSql = """
        with near as materialized (select position, key from events where tenant_id = $1 and pid = $2 and position <= $3 order by position desc limit $4)
        select null, count(*), coalesce(min(position), 0) from near union all select key, 0, max(position) from near where key = any($5) group by key
        """;

    internal const string OnSql = """
        with near as materialized (select position, key from events where tenant_id = $1 and pid = $2 and position > $3 order by position limit $4)
        select null, count(*), coalesce(max(position), 0) from near union all select key, 0, min(position) from near where key = any($5) group by key
        """;

    private const string EventsSql = """
        select u.position, e.value::text, e.previous::text, e.at, e.actor, e.source, e.cause, r.rule
        from unnest($2) u(position)
        cross join lateral (select case when u.position = any($3) then e.value end as value, case when u.position = any($4) then e.previous end as previous, e.at, e.actor, e.source, e.cause
          from events e where e.tenant_id = $1 and e.position = u.position limit 1) e
        left join lateral (select r.rule from runs r where r.tenant_id = $1 and r.id = e.cause limit 1) r on true
        """;

    /// <summary>How many events of the process are looked at around the moment, in each direction, one after another as long as a key is missing.</summary>
    internal IReadOnlyList<int> Reach { get; init; } = [500, 5_000, 100_000];

    /// <summary>The last position of the log at this moment; 0 before the first.</summary>
    public async Task<long> PositionAsync(TenantId tenant, DateTimeOffset at, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select position_at($1, $2)") { Parameters = { new() { Value = tenant.Value }, new() { Value = at.ToUniversalTime() } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        await rows.ReadAsync(cancel);
        return rows.GetInt64(0);
    }

    /// <summary>How a process (0: the shared bag) was right after the event of this position; null where the log does not reach back as far.</summary>
    public async Task<PastState?> StateAsync(TenantId tenant, long pid, long position, CancellationToken cancel)
    {
        var (first, last, at, now, removed) = await ReadNowAsync(tenant, pid, position, cancel);
        if (position < first - 1)
        {
            return null;
        }

        var wanted = now.Where(kvp => kvp.Position > position).Select(kvp => kvp.Key).Union(removed.Keys, StringComparer.Ordinal)
            .Except(now.Where(kvp => kvp.Position <= position).Select(kvp => kvp.Key), StringComparer.Ordinal).ToHashSet(StringComparer.Ordinal);
        var (set, replaced) = await LookAroundAsync(tenant, pid, position, isWhole: first is null or 1, wanted, cancel);

        var same = now.Where(kvp => kvp.Position <= position).ToList();
        var events = await ReadEventsAsync(tenant, [.. same.Select(kvp => kvp.Position)], [.. set.Values], [.. replaced.Values], cancel);
        var kvps = same.Select(kvp => new PastKvp(kvp.Key, kvp.Value, kvp.Position, events.GetValueOrDefault(kvp.Position).Origin))
            .Concat(set.Where(one => events[one.Value].Value is not null).Select(one => new PastKvp(one.Key, events[one.Value].Value!, one.Value, events[one.Value].Origin)))
            .Concat(replaced.Where(one => events[one.Value].Previous is not null).Select(one => new PastKvp(one.Key, events[one.Value].Previous!, null, null)));
        return new PastState(
            pid, last, at, [.. kvps.OrderBy(kvp => kvp.Key, StringComparer.Ordinal)], [.. wanted.Order(StringComparer.Ordinal)], removed.Values.Sum() == MostRemovals);
    }

    private async Task<(long? First, long Last, DateTimeOffset? At, List<(string Key, string Value, long Position)> Now, Dictionary<string, long> Removed)> ReadNowAsync(
        TenantId tenant, long pid, long position, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(EndsSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = position } } });
        batch.BatchCommands.Add(new(NowSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = pid } } });
        batch.BatchCommands.Add(new(RemovedSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = pid }, new() { Value = position }, new() { Value = MostRemovals } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        await rows.ReadAsync(cancel);
        var first = rows.IsDBNull(0) ? (long?)null : rows.GetInt64(0);
        var (last, at) = rows.IsDBNull(1) ? (0L, (DateTimeOffset?)null) : (rows.GetInt64(1), (DateTimeOffset?)rows.GetFieldValue<DateTimeOffset>(2));
        var now = new List<(string, string, long)>();
        await rows.NextResultAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            now.Add((rows.GetString(0), rows.GetString(1), rows.GetInt64(2)));
        }

        // Read after what is in force now, so a key that was removed between the two is in one of them at least.
        var removed = new Dictionary<string, long>(StringComparer.Ordinal);
        await rows.NextResultAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            removed[rows.GetString(0)] = rows.GetInt64(1);
        }

        return (first, last, at, now, removed);
    }

    /// <summary>
    /// The events that had set these keys, and for others those that replaced their values. What is found is not <paramref name="wanted"/> any more, nor is what is known not to have been there.
    /// </summary>
    /// <param name="isWhole">The log has its beginning.</param>
    private async Task<(Dictionary<string, long> Set, Dictionary<string, long> Replaced)> LookAroundAsync(
        TenantId tenant, long pid, long position, bool isWhole, HashSet<string> wanted, CancellationToken cancel)
    {
        var (set, replaced) = (new Dictionary<string, long>(StringComparer.Ordinal), new Dictionary<string, long>(StringComparer.Ordinal));
        var (back, on) = ((long?)position, (long?)position);
        foreach (var reach in Reach)
        {
            if (wanted.Count > 0 && back is { } before)
            {
                var (found, read, last) = await LookAsync(BackSql, before, reach);
                Take(found, set);
                back = read < reach ? null : last - 1;
            }

            if (back is null && isWhole)
            {
                wanted.Clear();
            }

            if (wanted.Count > 0 && on is { } after)
            {
                var (found, read, last) = await LookAsync(OnSql, after, reach);
                Take(found, replaced);
                on = read < reach ? null : last;
            }
        }

        return (set, replaced);

        void Take(Dictionary<string, long> found, Dictionary<string, long> into)
        {
            foreach (var (key, at) in found.Where(one => wanted.Remove(one.Key)))
            {
                into.Add(key, at);
            }
        }

        async Task<(Dictionary<string, long> Found, long Read, long Last)> LookAsync(string sql, long from, int reach)
        {
            await using var batch = dbs.BatchFor(tenant);
            batch.BatchCommands.Add(new(sql) { Parameters = { new() { Value = tenant.Value }, new() { Value = pid }, new() { Value = from }, new() { Value = reach }, new() { Value = wanted.ToArray() } } });
            await using var rows = await batch.ExecuteReaderAsync(cancel);
            await rows.NextResultAsync(cancel);
            var found = new Dictionary<string, long>(StringComparer.Ordinal);
            var (read, last) = (0L, 0L);
            while (await rows.ReadAsync(cancel))
            {
                if (rows.IsDBNull(0))
                {
                    (read, last) = (rows.GetInt64(1), rows.GetInt64(2));
                }
                else
                {
                    found[rows.GetString(0)] = rows.GetInt64(2);
                }
            }

            return (found, read, last);
        }
    }

    private async Task<Dictionary<long, (string? Value, string? Previous, KvpOrigin? Origin)>> ReadEventsAsync(TenantId tenant, long[] known, long[] set, long[] replaced, CancellationToken cancel)
    {
        var events = new Dictionary<long, (string?, string?, KvpOrigin?)>();
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(EventsSql)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = known.Concat(set).Concat(replaced).Distinct().ToArray() }, new() { Value = set }, new() { Value = replaced } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            events[rows.GetInt64(0)] = (
                Text(1), Text(2), new KvpOrigin(rows.GetFieldValue<DateTimeOffset>(3), rows.GetString(4), rows.GetString(5), rows.IsDBNull(6) ? null : rows.GetInt64(6), Text(7)));
        }

        return events;

        string? Text(int column) => rows.IsDBNull(column) ? null : rows.GetString(column);
    }
}
