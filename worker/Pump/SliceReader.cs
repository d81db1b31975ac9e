using System.Text.Json;
using Eddy.Endpoints;
using Eddy.Kvps;
using Eddy.Sandbox;
using Eddy.Tenants;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Pump;

/// <summary>What a slice reads, outside of any transaction: the line, owed runs, tenants, and the state that is not known yet.</summary>
internal static class SliceReader
{
    public static List<LineArrival> Line(NpgsqlConnection connection, IEnumerable<ShardLine> shards, IEnumerable<TenantId> without, IEnumerable<TenantId> held, int limit)
    {
        using var read = new NpgsqlCommand(
            "select id, tenant_id, arrival, pid, wake_pid, fresh, kvps, actor, source, received_at, tag, trace, tree_version, waking, call from read_slice($1, $2, $3, $4)", connection);
        read.Parameters.Add(new() { Value = shards.Select(shard => shard.Shard).ToArray() });
        read.Parameters.Add(new() { Value = without.Select(tenant => tenant.Value).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        read.Parameters.Add(new() { Value = limit });
        read.Parameters.Add(new() { Value = held.Select(tenant => tenant.Value).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        using var rows = read.ExecuteReader();
        var line = new List<LineArrival>();
        List<(int At, StoredWaking Waking)>? wakings = null;
        while (rows.Read())
        {
            var kvps = rows.GetString(6);
            var (changes, fault) = Changes(kvps);
            var call = rows.IsDBNull(14) ? null : Call(rows.GetString(14), ref fault);
            if (!rows.IsDBNull(13))
            {
                (wakings ??= []).Add((line.Count, StoredWaking.Read(rows.GetString(13))));
            }

            line.Add(new LineArrival(
                rows.GetInt64(0),
                new TenantId(rows.GetGuid(1)),
                new ArrivalSet(rows.GetGuid(2), rows.GetInt64(3), rows.GetInt64(4), rows.GetString(7), rows.GetString(8), changes),
                rows.GetBoolean(5),
                kvps,
                rows.GetDateTime(9),
                rows.IsDBNull(10) ? null : rows.GetString(10),
                rows.IsDBNull(11) ? null : rows.GetString(11),
                rows.IsDBNull(12) ? 0 : rows.GetInt64(12),
                fault) { Call = call });
        }

        rows.Close();
        if (wakings is not null)
        {
            Wake(connection, line, wakings);
        }

        // Whatever join the planner took: a tenant's arrivals are applied in the order of the line.
        line.Sort(static (a, b) => a.Id.CompareTo(b.Id));
        return line;
    }

    /// <summary>Gives those arrivals that wake a run again what it was woken by.</summary>
    private static void Wake(NpgsqlConnection connection, List<LineArrival> line, List<(int At, StoredWaking Waking)> wakings)
    {
        var sets = Sets(connection, wakings.ConvertAll(one => (line[one.At].Tenant, one.Waking.Set, one.Waking.Count, one.Waking.SetAt)));
        foreach (var (at, waking) in wakings)
        {
            var arrival = line[at];
            // The events may be of a month that is not kept any more.
            var (source, events) = sets.GetValueOrDefault((arrival.Tenant, waking.Set), (arrival.Set.Source, []));
            line[at] = arrival with { Set = arrival.Set with { Waking = waking.ToOwed(source, events) }, Root = waking.Root };
        }
    }

    /// <summary>What nobody can read is refused like what can not be applied; it must not hold up its shard.</summary>
    private static (IReadOnlyList<Change> Changes, string? Fault) Changes(string kvps)
    {
        try
        {
            return (ChangeList.Read(kvps), null);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return ([], $"Its KVPs can not be read: {fault.Message}");
        }
    }

    private static EndpointLanding? Call(string json, ref string? fault)
    {
        try
        {
            return EndpointLanding.Read(json);
        }
        catch (JsonException unread)
        {
            fault = $"What the request came to can not be read: {unread.Message}";
            return null;
        }
    }

    /// <summary>Those of the requests that depend on what has changed since.</summary>
    public static HashSet<Guid> Conflicts(NpgsqlConnection connection, IReadOnlyList<LineArrival> calls)
    {
        if (calls.Count == 0)
        {
            return [];
        }

        using var ask = new NpgsqlCommand("select * from calls_in_conflict($1, $2, $3, $4, $5)", connection);
        var reads = calls.SelectMany((call, at) => call.Call!.Reads.Select(read => (Of: at + 1, read.Pid, read.Key))).ToList();
        ask.Parameters.Add(new() { Value = calls.Select(call => call.Tenant.Value).ToArray() });
        ask.Parameters.Add(new() { Value = calls.Select(call => call.Call!.Snapshot).ToArray() });
        ask.Parameters.Add(new() { Value = reads.ConvertAll(read => read.Of).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer });
        ask.Parameters.Add(new() { Value = reads.ConvertAll(read => read.Pid).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint });
        ask.Parameters.Add(new() { Value = reads.ConvertAll(read => read.Key).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        using var rows = ask.ExecuteReader();
        var conflicting = new HashSet<Guid>();
        while (rows.Read())
        {
            conflicting.Add(calls[rows.GetInt32(0) - 1].Set.Arrival);
        }

        return conflicting;
    }

    /// <summary>The owed cascades of these shards, one a tenant.</summary>
    public static List<OwedCascade> Owed(NpgsqlConnection connection, IEnumerable<ShardLine> shards) =>
    [
        .. Wakings(connection, shards, beside: false).GroupBy(owed => owed.Waking.Tenant).Select(tenant =>
        {
            var first = tenant.First();
            return new OwedCascade(
                tenant.Key, [.. tenant.Select(owed => owed.Waking.Id)], [.. tenant.Select(owed => owed.Run)], first.Run.Cascade, first.Waking.FirstRun, first.Waking.Tag,
                first.Waking.Trace, first.Waking.TreeVersion);
        }),
    ];

    /// <summary>The runs of these shards that are beside the line.</summary>
    public static List<Flight> Beside(NpgsqlConnection connection, IEnumerable<ShardLine> shards) =>
        Wakings(connection, shards, beside: true).ConvertAll(owed => new Flight(
            owed.Waking.Tenant, owed.Waking.Id, owed.Run, owed.Waking.FirstRun, owed.Waking.Tag, owed.Waking.Trace, owed.Waking.TreeVersion));

    private static List<(Waking Waking, OwedRun Run)> Wakings(NpgsqlConnection connection, IEnumerable<ShardLine> shards, bool beside)
    {
        var wakings = new List<Waking>();
        using (var read = new NpgsqlCommand(
            """
            select id, tenant_id, rule, pid, set_position, set_count, set_at, generation, chain, root, actor, runs, first_run, last_run, tag, trace, tree_version, quiet, quarantine, attempt, due, acting
            from read_owed($1, $2)
            """, connection))
        {
            read.Parameters.Add(new() { Value = shards.Select(shard => shard.Shard).ToArray() });
            read.Parameters.Add(new() { Value = beside });
            using var rows = read.ExecuteReader();
            while (rows.Read())
            {
                wakings.Add(new Waking(
                    rows.GetInt64(0), new TenantId(rows.GetGuid(1)), rows.GetString(2), rows.GetInt64(3), rows.GetInt64(4), rows.GetInt32(5), rows.GetDateTime(6),
                    rows.GetInt32(7), rows.GetFieldValue<string[]>(8), rows.GetGuid(9), rows.GetString(10), rows.GetInt32(11), rows.GetInt64(12), rows.GetInt64(13),
                    rows.IsDBNull(14) ? null : rows.GetString(14), rows.IsDBNull(15) ? null : rows.GetString(15), rows.GetInt64(16), rows.GetBoolean(17), new Again(rows.IsDBNull(18) ? null : rows.GetInt64(18), rows.GetInt32(19), rows.GetBoolean(20)),
                    rows.IsDBNull(21) ? null : rows.GetString(21)));
            }
        }

        if (wakings.Count == 0)
        {
            return [];
        }

        var sets = Sets(connection, wakings.ConvertAll(waking => (waking.Tenant, waking.SetPosition, waking.SetCount, waking.SetAt)));
        return wakings.ConvertAll(waking =>
        {
            var (source, events) = sets.GetValueOrDefault((waking.Tenant, waking.SetPosition), ("rule", []));
            return (waking, new OwedRun(
                waking.Rule, waking.Pid, events, waking.SetAt, source, new Cascade(waking.Root, waking.Actor, waking.Runs) { Acting = waking.Acting }, waking.Generation, waking.Chain)
            {
                IsQuiet = waking.Quiet,
                Again = waking.Again,
            });
        });
    }

    private static Dictionary<(TenantId, long), (string Source, List<SetEvent> Events)> Sets(NpgsqlConnection connection, List<(TenantId Tenant, long Position, int Count, DateTime At)> sought)
    {
        var wanted = sought.DistinctBy(set => (set.Tenant, set.Position)).ToList();
        using var read = new NpgsqlCommand(
            "select tenant_id, set_position, position, pid, key, value, previous, source from read_sets($1, $2, $3, $4)", connection);
        read.Parameters.Add(new() { Value = wanted.ConvertAll(set => set.Tenant.Value).ToArray() });
        read.Parameters.Add(new() { Value = wanted.ConvertAll(set => set.Position).ToArray() });
        read.Parameters.Add(new() { Value = wanted.ConvertAll(set => set.Count).ToArray() });
        read.Parameters.Add(new() { Value = wanted.ConvertAll(set => set.At).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz });
        using var rows = read.ExecuteReader();
        var sets = new Dictionary<(TenantId, long), (string, List<SetEvent>)>();
        while (rows.Read())
        {
            var key = (new TenantId(rows.GetGuid(0)), rows.GetInt64(1));
            if (!sets.TryGetValue(key, out var set))
            {
                sets[key] = set = (rows.GetString(7), []);
            }

            set.Item2.Add(new SetEvent(
                rows.GetInt64(2), rows.GetInt64(3), rows.GetString(4), rows.IsDBNull(5) ? null : rows.GetString(5), rows.IsDBNull(6) ? null : rows.GetString(6)));
        }

        return sets;
    }

    /// <summary>Fills in tenants that are met for the first time under this lease.</summary>
    public static void Tenants(NpgsqlConnection connection, IReadOnlyList<TenantLine> tenants)
    {
        if (tenants.Count == 0)
        {
            return;
        }

        var lines = tenants.ToDictionary(line => line.Tenant.Value);
        using var read = new NpgsqlCommand("select tenant_id, position, run, at, time_zone, tree_version, keys from read_tenants($1)", connection);
        read.Parameters.Add(new() { Value = lines.Keys.ToArray() });
        using var rows = read.ExecuteReader();
        while (rows.Read())
        {
            var line = lines[rows.GetGuid(0)];
            line.Position = rows.GetInt64(1);
            line.Run = rows.GetInt64(2);
            line.At = rows.IsDBNull(3) ? DateTime.UnixEpoch : rows.GetDateTime(3);
            line.TimeZone = rows.GetString(4);
            line.Wakes = rows.IsDBNull(5) ? null : (rows.GetInt64(5), rows.GetFieldValue<string[]>(6).ToHashSet(StringComparer.Ordinal));
        }
    }

    /// <summary>Fills in the KVPs of processes.</summary>
    public static void State(NpgsqlConnection connection, IReadOnlyList<(TenantLine Line, long Pid)> wanted)
    {
        if (wanted.Count == 0)
        {
            return;
        }

        var lines = new Dictionary<Guid, TenantLine>();
        foreach (var (line, pid) in wanted)
        {
            lines[line.Tenant.Value] = line;
            line.State(pid);
        }

        using var read = new NpgsqlCommand("select tenant_id, pid, key, value from read_state($1, $2)", connection);
        read.Parameters.Add(new() { Value = wanted.Select(want => want.Line.Tenant.Value).ToArray() });
        read.Parameters.Add(new() { Value = wanted.Select(want => want.Pid).ToArray() });
        using var rows = read.ExecuteReader();
        while (rows.Read())
        {
            lines[rows.GetGuid(0)].State(rows.GetInt64(1))[rows.GetString(2)] = KvpValue.Stored(rows.GetString(3));
        }
    }

    private sealed record Waking(
        long Id, TenantId Tenant, string Rule, long Pid, long SetPosition, int SetCount, DateTime SetAt, int Generation, string[] Chain, Guid Root, string Actor,
        int Runs, long FirstRun, long LastRun, string? Tag, string? Trace, long TreeVersion, bool Quiet, Again Again, string? Acting);
}
