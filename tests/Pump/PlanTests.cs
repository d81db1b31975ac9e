using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Tests.Pump;

/// <summary>What statements read that are many, with plans that were made while the tables were empty.</summary>
public sealed class PlanTests(TestDatabase database)
{
    private const int Waiting = 3000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_commit_reads_the_arrivals_that_it_is_about_and_no_others()
    {
        await using var own = await database.OfItsOwnAsync();
        await using var connection = await OpenAsync(own);
        await ExecuteAsync(connection, "set enable_bitmapscan = off; set enable_sort = off");
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
        var plans = await ExplainAsync(connection);

        await CommitAsync(connection, worker, shard, tenant.Id.Value, slice: 2, done: [1, 2, 3], before: 1, position: 2);

        ShouldRead(plans, "arrivals", 3);
    }

    [Fact]
    public async Task A_key_is_looked_up_among_many_by_reading_its_row_and_its_tenants()
    {
        await using var own = await database.OfItsOwnAsync();
        await using var connection = await OpenAsync(own);
        var tenant = await TestTenant.MakeAsync(own);
        var key = tenant.Key;
        await ExecuteAsync(connection, "vacuum analyze api_keys, tenants");
        await ResolveAsync(connection, key);
        await ExecuteAsync(connection,
            $"""
            insert into tenants (id, slug, name, time_zone, tree_version, created_at) select gen_random_uuid(), 'plan-' || g, 'Plan', 'UTC', 0, now() from generate_series(1, {Waiting}) g;
            insert into api_keys (tenant_id, id, name, hash, hint, scopes, created_at)
            select id, gen_random_uuid(), 'plan', sha256(uuid_send(id)), 'eddy_plan', array['ingest'], now() from tenants where slug like 'plan-%'
            """);
        var plans = await ExplainAsync(connection);

        await ResolveAsync(connection, key);

        ShouldRead(plans, "api_keys", 1);
        ShouldRead(plans, "tenants", 1);
    }

    private static async Task<NpgsqlConnection> OpenAsync(TestDatabase own)
    {
        var source = new NpgsqlConnectionStringBuilder(own.SuperuserConnection) { Options = EddyDbs.PlanSettings, Pooling = false };
        var connection = new NpgsqlConnection(source.ConnectionString);
        await connection.OpenAsync(Cancel);
        return connection;
    }

    private static async Task ResolveAsync(NpgsqlConnection connection, string key)
    {
        await using var resolve = new NpgsqlCommand("select count(*) from resolve_keys($1)", connection);
        resolve.Parameters.Add(new() { Value = new[] { ApiKey.HashOf(key) } });
        (await resolve.ExecuteScalarAsync(Cancel)).ShouldBe(1L);
    }

    /// <summary>From now on the plans of this connection's statements, as they were gone through.</summary>
    private static async Task<List<string>> ExplainAsync(NpgsqlConnection connection)
    {
        await ExecuteAsync(connection,
            "load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set auto_explain.log_analyze = on; set auto_explain.log_timing = off; set client_min_messages = log");
        var plans = new List<string>();
        connection.Notice += (_, told) => plans.Add(told.Notice.MessageText);
        return plans;
    }

    private static void ShouldRead(List<string> plans, string table, int most)
    {
        // "Index Scan using … on arrivals a  (cost=… rows=1 width=6) (actual rows=3 loops=1)", and for a bitmap the scan of its index.
        var scans = plans.SelectMany(plan => plan.Split('\n'))
            .Where(line => line.Contains($" on {table}", StringComparison.Ordinal) || line.Contains($" on ix_{table}", StringComparison.Ordinal)).ToList();
        scans.ShouldNotBeEmpty(string.Join('\n', plans));
        foreach (var scan in scans)
        {
            // What a filter removes is in a line of its own.
            scan.ShouldNotContain("Seq Scan", Case.Sensitive, string.Join('\n', plans));
            var actual = scan[(scan.LastIndexOf("actual rows=", StringComparison.Ordinal) + "actual rows=".Length)..];
            var parts = actual.TrimEnd(')').Split(" loops=");
            (double.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture) * double.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture))
                .ShouldBeLessThanOrEqualTo(most, string.Join('\n', plans));
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
