using System.Net;
using Npgsql;

namespace Eddy.Tests.Way;

/// <summary>What keeps tenants apart: keys at the door, names in the database.</summary>
public sealed class WallTests(TestWay way) : IClassFixture<TestWay>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_of_a_tenant_is_found_with_the_key_of_another()
    {
        var owner = await way.CallerAsync(("scripts/a.py", """
            class a(Rule):
                listens_to = ["secret"]

                def action(self):
                    shared.seen = self.secret
            """));
        var stranger = await way.CallerAsync();
        // So that the numbers differ: what the stranger asks for is not his own.
        for (var i = 0; i < 3; i++)
        {
            await owner.SettleAsync("""{"secret": "gold"}""");
        }

        var pid = (await owner.SettleAsync("""{"secret": "gold"}""", headers: ("Idempotency-Key", "k"))).GetProperty("pid").GetInt64();
        var run = (await owner.GetAsync("/api/runs?limit=1")).GetProperty("runs")[0].GetProperty("id");

        foreach (var path in new[] { $"/api/processes/{pid}", $"/api/runs/{run}", "/api/files/scripts/a.py" })
        {
            (await owner.Http.GetAsync(path, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
            (await stranger.Http.GetAsync(path, Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldNotBeEmpty();
        }

        (await stranger.PutAsync($"/api/processes/{pid}/secret", "1").ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("unknown-process");
        (await stranger.Http.DeleteAsync($"/api/processes/{pid}/secret", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("unknown-process");
        (await stranger.Http.DeleteAsync("/api/files/scripts/a.py", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await stranger.PostAsync("""{"n": 1}""", $"?pid={pid}").ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("unknown-process");

        // A key of idempotency is one's own, too; and lists are empty.
        (await stranger.SettleAsync("""{"other": 1}""", headers: ("Idempotency-Key", "k"))).GetProperty("kvps").ToString().ShouldBe("""{"other":1}""");
        (await stranger.SharedAsync()).EnumerateObject().ShouldBeEmpty();
        foreach (var path in new[] { "/api/processes", "/api/events", "/api/runs", "/api/files", "/api/processes?key.secret=gold", $"/api/runs?pid={pid}" })
        {
            var text = (await stranger.GetAsync(path)).ToString();
            text.ShouldNotContain("gold");
            text.ShouldNotContain("secret");
            text.ShouldNotContain("scripts/a.py");
        }

        (await owner.ProcessAsync(pid)).GetProperty("secret").GetString().ShouldBe("gold");
    }

    [Fact]
    public async Task A_connection_sees_the_rows_of_the_tenant_that_it_names_and_none_without_a_name()
    {
        var owner = await way.CallerAsync(("scripts/a.py", "class a(Rule):\n    listens_to = ['n']\n    def action(self):\n        self.m = 1\n"));
        var stranger = await way.CallerAsync();
        await owner.SettleAsync("""{"n": 1}""", headers: ("Idempotency-Key", "k"));
        foreach (var row in new[]
        {
            "package_files (tenant_id, path, content) values ($1, 'a.py', '')", "cards (tenant_id, id, run, pid, at, name, for_user) values ($1, 900001, 900, 1, now(), 'a', 'b')",
            "answered_links (tenant_id, mail, card, address, at) values ($1, 1, 'a', 'b', now())", "uploads (tenant_id, id, at, bytes, actor) values ($1, gen_random_uuid(), now(), 1, 'b')",
            "site_codes (tenant_id, hash, state, session_id, ends_at) values ($1, sha256('a'), sha256('b'), gen_random_uuid(), now())", "site_drafts (tenant_id, person_id, path, content, ends_at) values ($1, gen_random_uuid(), 'a', '', now())",
            "ended_site_cookies (tenant_id, id, ends_at) values ($1, gen_random_uuid(), now())", "git_pushes (tenant_id, version, tip, pack, author, at) values ($1, 9, repeat('a', 40), '', 'b', now())", "endpoint_totals (tenant_id, endpoint, calls, failed, elapsed_us, cpu_us, last_at) values ($1, 'a', 1, 0, 1, 1, now())",
            "endpoint_calls (tenant_id, id, at, endpoint, method, path, status, actor, landed, conflicts, tree_version, elapsed_us, cpu_us, bytes_in, bytes_out) values ($1, gen_random_uuid(), now(), 'a', 'GET', '/', 200, 'b', false, 0, 1, 1, 1, 0, 0)",
        })
        {
            await owner.Tenant.PrepareAsync("insert into " + row);
        }

        foreach (var table in new[]
        {
            "api_keys", "files", "file_versions", "package_files", "processes", "kvps", "events", "runs", "idempotency", "heads", "trees",
            "cards", "answered_links", "uploads", "site_codes", "site_drafts", "ended_site_cookies", "git_pushes", "endpoint_totals", "endpoint_calls",
        })
        {
            (await CountAsync(table, owner)).ShouldBeGreaterThan(0, table);
            (await CountAsync(table, stranger)).ShouldBe(0, table);
            (await CountAsync(table, null)).ShouldBe(0, table);
        }

        // What only the functions of the pump and the door may touch.
        foreach (var table in new[] { "arrivals", "leases", "pids", "doors", "workers" })
        {
            (await Should.ThrowAsync<PostgresException>(() => CountAsync(table, owner))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege, table);
        }

        async Task<long> CountAsync(string table, TestCaller? named)
        {
            await using var connection = await way.Database.App.OpenConnectionAsync(Cancel);
            if (named is not null)
            {
                await using var name = new NpgsqlCommand($"select set_config('app.tenant_id', '{named.Tenant.Id}', false)", connection);
                await name.ExecuteNonQueryAsync(Cancel);
            }

            // Of the owner's rows; a stranger has a key of its own.
            await using var count = new NpgsqlCommand($"select count(*) from {table}" + (table is "api_keys" or "arrivals" ? $" where tenant_id = '{owner.Tenant.Id}'" : ""), connection);
            return (long)(await count.ExecuteScalarAsync(Cancel))!;
        }
    }

    [Fact]
    public async Task Runs_that_are_owed_are_seen_by_their_tenant_alone_and_changed_by_none()
    {
        var (owner, stranger) = (await way.CallerAsync(), await way.CallerAsync());
        await using var connection = await way.Database.Superuser.OpenConnectionAsync(Cancel);
        // Never committed, so that no worker takes it.
        await using var transaction = await connection.BeginTransactionAsync(Cancel);
        await SayAsync($"""
            insert into wakings (tenant_id, shard, rule, pid, set_position, set_count, set_at, generation, chain, root, actor, runs, first_run, last_run, beside, quiet, attempt, due)
            values ('{owner.Tenant.Id}', 0, 'scripts/a.py:a', 1, 1, 1, now(), 1, '{"{}"}', gen_random_uuid(), 'a', 0, 1, 0, true, false, 0, false)
            """);
        await SayAsync("set local role eddy_app");

        (await SeenAsync($"'{owner.Tenant.Id}'")).ShouldBe(1L);
        (await SeenAsync($"'{stranger.Tenant.Id}'")).ShouldBe(0L);
        (await Should.ThrowAsync<PostgresException>(() => SayAsync("delete from wakings"))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);

        async Task<object?> SeenAsync(string tenant)
        {
            await SayAsync($"select set_config('app.tenant_id', {tenant}, true)");
            await using var count = new NpgsqlCommand("select count(*) from wakings", connection, transaction);
            return await count.ExecuteScalarAsync(Cancel);
        }

        async Task SayAsync(string statement)
        {
            await using var command = new NpgsqlCommand(statement, connection, transaction);
            await command.ExecuteNonQueryAsync(Cancel);
        }
    }

    [Fact]
    public async Task The_application_can_not_write_to_the_log_or_the_line()
    {
        var owner = await way.CallerAsync();
        await owner.SettleAsync("""{"n": 1}""");
        await using var connection = await way.Database.App.OpenConnectionAsync(Cancel);
        await using (var name = new NpgsqlCommand($"select set_config('app.tenant_id', '{owner.Tenant.Id}', false)", connection))
        {
            await name.ExecuteNonQueryAsync(Cancel);
        }

        foreach (var statement in new[]
        {
            "update kvps set value = '2'", "delete from events", "update heads set position = 0", "delete from runs", "delete from idempotency", "update leases set owner = null", "truncate events", "drop table kvps",
            "alter table kvps disable row level security", "select list_tenants()", "set role eddy_system", "set role eddy_owner",
        })
        {
            await using var command = new NpgsqlCommand(statement, connection);
            (await Should.ThrowAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Cancel))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege, statement);
        }
    }
}
