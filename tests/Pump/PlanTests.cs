using Npgsql;
using NpgsqlTypes;

namespace Eddy.Tests.Pump;

/// <summary>What the pump's statements read, with plans that were made while the tables were empty.</summary>
public sealed class PlanTests(TestDatabase database)
{
    private const int Waiting = 3000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_commit_reads_the_arrivals_that_it_is_about_and_no_others()
    {
        await using var own = await database.OfItsOwnAsync();
        var source = new NpgsqlConnectionStringBuilder(own.SuperuserConnection) { Options = "-c plan_cache_mode=force_generic_plan -c jit=off", Pooling = false };
        await using var connection = new NpgsqlConnection(source.ConnectionString);
        await connection.OpenAsync(Cancel);
        await ExecuteAsync(connection, "set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off");
        var tenant = await TestTenant.MakeAsync(own);
        var shard = tenant.Id.Shard;
        var worker = Guid.NewGuid();
        await ExecuteAsync(connection, $"update leases set owner = '{worker}', expires_at = now() + interval '1 hour'");
        // Planned now, as by a worker that starts when nothing waits, and the server knows it.
        await ExecuteAsync(connection, "vacuum arrivals");
        await CommitAsync(connection, worker, shard, tenant.Id.Value, slice: 1, done: [], before: 0, position: 1);
        await ExecuteAsync(connection,
            $"""
            insert into arrivals (shard, tenant_id, arrival, pid, wake_pid, fresh, kvps, actor, source, received_at)
            select {shard}, '{tenant.Id.Value}', gen_random_uuid(), g, g, true, '[]', 'test', 'post', now() from generate_series(1, {Waiting}) g
            """);
        await ExecuteAsync(connection,
            "load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set auto_explain.log_analyze = on; set auto_explain.log_timing = off; set client_min_messages = log");
        var plans = new List<string>();
        connection.Notice += (_, told) => plans.Add(told.Notice.MessageText);

        await CommitAsync(connection, worker, shard, tenant.Id.Value, slice: 2, done: [1, 2, 3], before: 1, position: 2);

        var scans = plans.SelectMany(plan => plan.Split('\n')).Where(line => line.Contains(" on arrivals", StringComparison.Ordinal)).ToList();
        scans.ShouldNotBeEmpty(string.Join('\n', plans));
        foreach (var scan in scans)
        {
            // (actual rows=3 loops=1)
            var actual = scan[(scan.LastIndexOf("actual rows=", StringComparison.Ordinal) + "actual rows=".Length)..];
            var parts = actual.TrimEnd(')').Split(" loops=");
            (double.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture) * double.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture))
                .ShouldBeLessThanOrEqualTo(3, scan);
        }
    }

    private static async Task CommitAsync(NpgsqlConnection connection, Guid worker, short shard, Guid tenant, long slice, long[] done, long before, long position)
    {
        await using var fence = new NpgsqlCommand("select fence_slice($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)", connection);
        object[] values =
        [
            worker, new[] { shard }, new[] { 0L }, new[] { slice }, done.Select(_ => shard).ToArray(), done, new[] { tenant }, new[] { before }, new[] { position },
            new[] { 0L }, new[] { DateTime.UtcNow }, new[] { 0L },
        ];
        foreach (var value in values)
        {
            fence.Parameters.Add(new() { Value = value });
        }

        fence.Parameters[^2].NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz;
        await fence.ExecuteNonQueryAsync(Cancel);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
