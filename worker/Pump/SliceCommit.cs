using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Pump;

/// <summary>
/// Commits a slice: one statement, one round trip, one transaction, with the lease's row as its fence. One statement and not a batch, for each one more costs PostgreSQL and Npgsql
/// as much as a small function does. Functions without rows are left out.
/// </summary>
internal static class SliceCommit
{
    /// <summary>The lease is lost: nothing was written.</summary>
    public const string LeaseLost = "ED001";

    /// <summary>The line, a head or what is owed is not as this worker knows it: nothing was written, and what it knows does not hold.</summary>
    public const string OutOfDate = "ED002";

    /// <summary>NOTIFY takes less than 8,000 bytes.</summary>
    private const int PayloadBytes = 7500;

    private const NpgsqlDbType Array = NpgsqlDbType.Array;
    private const NpgsqlDbType Uuid = NpgsqlDbType.Uuid;
    private const NpgsqlDbType Long = NpgsqlDbType.Bigint;
    private const NpgsqlDbType Int = NpgsqlDbType.Integer;
    private const NpgsqlDbType Short = NpgsqlDbType.Smallint;
    private const NpgsqlDbType Text = NpgsqlDbType.Text;
    private const NpgsqlDbType Moment = NpgsqlDbType.TimestampTz;
    private const NpgsqlDbType Double = NpgsqlDbType.Double;

    public static void Execute(NpgsqlConnection connection, Guid worker, List<ShardLine> shards, SliceRows rows)
    {
        using var commit = new NpgsqlCommand { Connection = connection };
        var heads = rows.Heads;
        // What the other functions see, they see once the fence has the locks: a subquery has its row before the query around it.
        var fence = Call(commit, "fence_slice", (worker, Uuid), Column(shards.ConvertAll(shard => shard.Shard), Short), Column(shards.ConvertAll(shard => shard.Epoch), Long),
            Column(shards.ConvertAll(shard => shard.Slice + 1), Long), Column(rows.DoneShards, Short), Column(rows.Done, Long),
            Column(heads.Tenants, Uuid), Column(heads.Before, Long), Column(heads.Positions, Long), Column(heads.Runs, Long), Column(heads.At, Moment), Column(heads.Cpu, Long));
        var calls = new List<string>();
        AddProcesses("make_processes", rows.Processes);
        AddProcesses("add_processes", rows.NewProcesses);
        if (rows.Gone is { Tenants.Count: > 0 } gone)
        {
            Add("remove_processes", Column(gone.Tenants, Uuid), Column(gone.Pids, Long));
        }

        if (rows.Events is { Tenants.Count: > 0 } events)
        {
            Add("append_events", Column(events.Tenants, Uuid), Column(events.Positions, Long), Column(events.At, Moment), Column(events.Pids, Long),
                Column(events.Keys, Text), Column(events.Values, Text), Column(events.Previous, Text), Column(events.Actors, Text),
                Column(events.Sources, Text), Column(events.Causes, Long), Column(events.Sets, Long), Column(events.Roots, Uuid));
        }

        AddKvps("fold_kvps", rows.Kvps);
        AddKvps("add_kvps", rows.NewKvps);
        if (rows.Removed is { Tenants.Count: > 0 } removed)
        {
            Add("remove_kvps", Column(removed.Tenants, Uuid), Column(removed.Pids, Long), Column(removed.Keys, Text));
        }

        if (rows.Runs is { Tenants.Count: > 0 } runs)
        {
            Add("append_runs", Column(runs.Tenants, Uuid), Column(runs.Ids, Long), Column(runs.At, Moment), Column(runs.Rules, Text),
                Column(runs.SaidNo, Text), Column(runs.Trees, Long), Column(runs.Pids, Long), Column(runs.Sets, Long), Column(runs.Roots, Uuid),
                Column(runs.Generations, Int), Column(runs.Outcomes, Short), Column(runs.First, Long), Column(runs.Changes, Int), Column(runs.Elapsed, Long),
                Column(runs.Cpu, Long), Column(runs.Logs, Text), Column(runs.Errors, Text), Column(runs.Traces, Text), Column(runs.Calls, Text));
        }

        if (rows.Paid.Ids.Count > 0 || rows.Wakings.Tenants.Count > 0)
        {
            var wakings = rows.Wakings;
            Add("owe_runs", Column(rows.Paid.Tenants, Uuid), Column(rows.Paid.Ids, Long),
                Column(wakings.Tenants, Uuid), Column(wakings.Rules, Text), Column(wakings.Pids, Long), Column(wakings.Sets, Long), Column(wakings.Counts, Int),
                Column(wakings.SetAt, Moment), Column(wakings.Generations, Int), Column(wakings.Chains, Text), Column(wakings.Roots, Uuid),
                Column(wakings.Actors, Text), Column(wakings.Runs, Int), Column(wakings.FirstRuns, Long), Column(wakings.LastRuns, Long),
                Column(wakings.Tags, Text), Column(wakings.Traces, Text), Column(wakings.Beside, NpgsqlDbType.Boolean),
                Column(wakings.Quiet, NpgsqlDbType.Boolean), Column(wakings.Quarantine, Long), Column(wakings.Attempts, Int), Column(wakings.Due, NpgsqlDbType.Boolean), Column(wakings.Acting, Text));
        }

        if (rows.Quarantined.Ids.Count + rows.Released.Ids.Count + rows.Off.Rules.Count > 0)
        {
            var (aside, off) = (rows.Quarantined, rows.Off);
            Add("quarantine_runs", Column(aside.Tenants, Uuid), Column(aside.Ids, Long), Column(aside.Rules, Text), Column(aside.Pids, Long), Column(aside.Wakings, Text),
                Column(aside.Kinds, Text), Column(aside.Holds, NpgsqlDbType.Boolean), Column(aside.At, Moment), Column(aside.Runs, Long), Column(aside.Errors, Text),
                Column(rows.Released.Tenants, Uuid), Column(rows.Released.Ids, Long),
                Column(off.Tenants, Uuid), Column(off.Rules, Text), Column(off.At, Moment), Column(off.Reasons, Text));
        }

        if (rows.Deferred is { Tenants.Count: > 0 } deferred)
        {
            Add("defer_runs", Column(deferred.Tenants, Uuid), Column(deferred.Rules, Text), Column(deferred.Pids, Long), Column(deferred.Streams, Text),
                Column(deferred.Kinds, Text), Column(deferred.Waits, Long), Column(deferred.Most, Int), Column(deferred.Wakings, Text), Column(deferred.At, Moment));
        }

        if (rows.Refused is { Tenants.Count: > 0 } refused)
        {
            Add("refuse_arrivals", Column(refused.Tenants, Uuid), Column(refused.Arrivals, Uuid), Column(refused.Pids, Long), Column(refused.Kvps, Text),
                Column(refused.Actors, Text), Column(refused.Sources, Text), Column(refused.ReceivedAt, Moment), Column(refused.Reasons, Text));
        }

        if (rows.Effects.Files is { Paths.Count: > 0 } files)
        {
            Add("save_files", Column(files.Tenants, Uuid), Column(files.Paths, Text), Column(files.Contents, NpgsqlDbType.Bytea), Column(files.Authors, Text), Column(files.At, Moment));
        }

        if (rows.Effects is { IsEmpty: false } effects)
        {
            var (mails, cards) = (effects.Mails, effects.Cards);
            Add("append_effects", Column(mails.Tenants, Uuid), Column(mails.Ids, Long), Column(mails.Runs, Long), Column(mails.Pids, Long), Column(mails.At, Moment),
                Column(mails.Receivers, Text), Column(mails.Subjects, Text), Column(mails.Texts, Text), Column(mails.Htmls, Text), Column(mails.Attached, Text),
                Column(cards.Tenants, Uuid), Column(cards.Ids, Long), Column(cards.Runs, Long), Column(cards.Pids, Long), Column(cards.At, Moment), Column(cards.Names, Text), Column(cards.Users, Text));
        }

        if (rows.Told.Count > 0)
        {
            var (channels, payloads) = Payloads(rows.Told);
            Add("tell_doors", Column(channels, Text), Column(payloads, Text));
        }

        commit.CommandText = calls.Count == 0 ? $"select {fence}" : $"select {string.Join(',', calls)} from (select {fence} offset 0) fence";
        commit.ExecuteNonQuery();

        void AddProcesses(string function, SliceRows.ProcessRows made)
        {
            if (made.Tenants.Count > 0)
            {
                Add(function, Column(made.Tenants, Uuid), Column(made.Pids, Long), Column(made.Kinds, Text), Column(made.Parents, Long), Column(made.At, Moment));
            }
        }

        void AddKvps(string function, SliceRows.KvpRows kvps)
        {
            if (kvps.Tenants.Count > 0)
            {
                Add(function, Column(kvps.Tenants, Uuid), Column(kvps.Pids, Long), Column(kvps.Keys, Text), Column(kvps.Values, Text),
                    Column(kvps.Txt, Text), Column(kvps.Num, Double), Column(kvps.At, Moment), Column(kvps.Positions, Long));
            }
        }

        void Add(string function, params ReadOnlySpan<(object Value, NpgsqlDbType Type)> arguments) => calls.Add(Call(commit, function, arguments));
    }

    private static (List<string> Channels, List<string> Payloads) Payloads(Dictionary<string, List<string>> told)
    {
        var (channels, payloads) = (new List<string>(), new List<string>());
        foreach (var (channel, parts) in told)
        {
            var payload = new StringBuilder();
            foreach (var part in parts)
            {
                if (payload.Length + part.Length + 1 > PayloadBytes)
                {
                    channels.Add(channel);
                    payloads.Add(payload.ToString());
                    payload.Clear();
                }

                payload.Append(payload.Length > 0 ? "," : "").Append(part);
            }

            channels.Add(channel);
            payloads.Add(payload.ToString());
        }

        return (channels, payloads);
    }

    private static string Call(NpgsqlCommand commit, string function, params ReadOnlySpan<(object Value, NpgsqlDbType Type)> arguments)
    {
        var call = new StringBuilder(function).Append('(');
        foreach (var (value, type) in arguments)
        {
            commit.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
            call.Append(call[^1] == '(' ? "$" : ",$").Append(commit.Parameters.Count);
        }

        return call.Append(')').ToString();
    }

    /// <summary>A column without any value goes empty: unnest gives nulls for an array that has ended before the others.</summary>
    private static (object Value, NpgsqlDbType Type) Column<T>(List<T> values, NpgsqlDbType type) =>
        (values.TrueForAll(static value => value is null) ? System.Array.Empty<T>() : values, Array | type);
}
