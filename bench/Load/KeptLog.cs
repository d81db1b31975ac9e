using Npgsql;

namespace Eddy.Bench.Load;

/// <summary>
/// A long log, written straight into the tables: so many events of one tenant in months of their own, each of which woke a rule whose check said no. It is dropped with its months.
/// </summary>
internal sealed class KeptLog : IDisposable
{
    private const int Processes = 100_000;

    // Months that nothing else is in.
    private const string Begin = "2020-01-01 00:00:00+00";
    private const string End = "2020-04-01 00:00:00+00";

    private readonly NpgsqlDataSource _source;

    private KeptLog(NpgsqlDataSource source) => _source = source;

    /// <summary>What an event takes, with its indices.</summary>
    public double BytesPerEvent { get; private set; }

    /// <summary>What the record of a run takes, with its indices.</summary>
    public double BytesPerRun { get; private set; }

    /// <summary>Every process has had a temperature of 0 to 79 every <see cref="Processes"/> events.</summary>
    public static KeptLog Write(NpgsqlDataSource source, Guid tenant, long events)
    {
        var log = new KeptLog(source);
        log.Run($"select make_partitions('{Begin}')", null);
        const string at = $"timestamptz '{Begin}' + (n * (timestamptz '{End}' - timestamptz '{Begin}') / ($2::bigint + 1))";
        const string root = "('01700000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid";
        log.Run(
            $"""
            insert into events (tenant_id, position, at, pid, key, value, previous, actor, source, cause, set_position, root)
            select $1, n, {at}, 1 + n % {Processes}, 'temperature', to_jsonb(n % 80), case when n > {Processes} then to_jsonb((n - {Processes}) % 80) end, 'key:bench', 'post', null, n, {root}
            from generate_series(1, $2::bigint) n
            """,
            tenant, events);
        log.Run(
            $$"""
            insert into runs (tenant_id, id, at, rule, said_no, tree_version, pid, set_position, root, generation, outcome, first_position, changes, elapsed_us, cpu_us)
            select $1, n, {{at}}, null, '{scripts/bench.py:high_temperature}', 1, 1 + n % {{Processes}}, n, {{root}}, 1, 0, null, 0, 80, 80
            from generate_series(1, $2::bigint) n
            """,
            tenant, events);
        log.Run(
            $"""
            insert into kvps (tenant_id, pid, key, value, position)
            select $1, 1 + n % {Processes}, 'temperature', to_jsonb(n % 80), n from generate_series(greatest(1, $2::bigint - {Processes} + 1), $2::bigint) n
            """,
            tenant, events);
        log.Run($"insert into processes (tenant_id, pid, created_at) select $1, pid, now() from generate_series(1, least({Processes}, $2::bigint)) pid", tenant, events);
        log.Run("insert into heads (tenant_id, position, run, at) values ($1, $2, $2, now())", tenant, events);
        log.Run($"insert into pids (tenant_id, next) values ($1, {Processes} + 2)", tenant);
        log.Run("analyze events, runs, kvps", null);
        (log.BytesPerEvent, log.BytesPerRun) = (log.Bytes("events") / (double)events, log.Bytes("runs") / (double)events);
        return log;
    }

    public void Dispose() => Run($"select drop_partitions('{End}')", null);

    private void Run(string sql, Guid? tenant, long? events = null)
    {
        using var command = _source.CreateCommand(sql);
        command.CommandTimeout = 0;
        if (tenant is { } of)
        {
            command.Parameters.Add(new() { Value = of });
        }

        if (events is { } count)
        {
            command.Parameters.Add(new() { Value = count });
        }

        command.ExecuteNonQuery();
    }

    private long Bytes(string table)
    {
        using var command = _source.CreateCommand($"select sum(pg_total_relation_size(c.oid))::bigint from pg_class c where c.relname ~ '^{table}_2020_0[1-3]$'");
        return (long)command.ExecuteScalar()!;
    }
}
