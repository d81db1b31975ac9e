using System.Net;
using System.Text;
using Eddy.Tenants;
using Eddy.Tests.Access;

namespace Eddy.Tests.Hindsight;

/// <summary>Processes and the shared bag as they were, over HTTP.</summary>
public sealed class PastApiTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    // What came in at noon, what run 7 made of it, what came a minute later, and what has happened in the shared bag meanwhile. The kind has changed too.
    private const string Log = """
        insert into events (tenant_id, position, at, pid, key, value, previous, actor, source, cause, set_position, root)
        select $1, n, timestamptz '2026-11-23 12:00:00Z' + minutes * interval '1 minute', pid, key, value::jsonb, previous::jsonb, actor, source, cause, n, gen_random_uuid()
        from (values (1, 0, 15, 'kind', '"room"', null, 'key:gateway', 'post', null), (2, 0, 15, 'temperature', '95', null, 'key:gateway', 'post', null),
          (3, 0, 15, 'alert', '"Too hot"', null, 'key:gateway', 'rule', 7), (4, 1, 0, 'limit', '90', null, 'ann@acme.test', 'ide', null), (5, 1, 15, 'temperature', '72', '95', 'key:gateway', 'post', null),
          (6, 2, 15, 'alert', null, '"Too hot"', 'key:gateway', 'rule', 8), (7, 2, 0, 'limit', '80', '90', 'ann@acme.test', 'ide', null), (8, 3, 15, 'kind', '"vault"', '"room"', 'key:gateway', 'post', null))
          e(n, minutes, pid, key, value, previous, actor, source, cause)
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_process_is_read_as_it_was_at_a_position_or_a_moment_with_who_had_set_what()
    {
        var client = (await WithLogAsync()).Client(shared.Web);

        var then = await client.GetAsync("/api/processes/15?at=4", Cancel).JsonAsync();

        then.GetProperty("kvps").ToString().ShouldBe("""{"alert":"Too hot","kind":"room","temperature":95}""");
        then.GetProperty("kind").GetString().ShouldBe("room");
        var past = then.GetProperty("past");
        (past.GetProperty("position").GetInt64(), past.GetProperty("at").GetDateTimeOffset()).ShouldBe((4, new DateTimeOffset(2026, 11, 23, 12, 1, 0, TimeSpan.Zero)));
        var alert = past.GetProperty("setBy").GetProperty("alert");
        (alert.GetProperty("position").GetInt64(), alert.GetProperty("run").GetInt64(), alert.GetProperty("rule").GetString()).ShouldBe((3, 7, "scripts/heat.py:high_temperature"));
        past.GetProperty("setBy").GetProperty("temperature").GetProperty("actor").GetString().ShouldBe("key:gateway");

        // The same moment in another zone, with its plus as it comes where nobody escapes it.
        (await client.GetAsync("/api/processes/15?at=2026-11-23T14:01:30+02:00", Cancel).JsonAsync()).GetProperty("kvps").GetProperty("temperature").GetInt32().ShouldBe(72);
        (await client.GetAsync("/api/processes/15?at=2026-11-23T12:00:59Z", Cancel).JsonAsync()).GetProperty("past").GetProperty("position").GetInt64().ShouldBe(3);
        (await client.GetAsync("/api/shared?at=5", Cancel).JsonAsync()).GetProperty("kvps").GetProperty("limit").GetInt32().ShouldBe(90);
        (await client.GetAsync("/api/shared?at=3", Cancel).JsonAsync()).GetProperty("kvps").EnumerateObject().ShouldBeEmpty();
        // What is not there yet is now.
        (await client.GetAsync("/api/processes/15?at=900", Cancel).JsonAsync()).GetProperty("past").GetProperty("position").GetInt64().ShouldBe(8);
    }

    [Fact]
    public async Task What_is_different_between_two_moments_is_told_with_who_did_it()
    {
        var client = (await WithLogAsync()).Client(shared.Web);

        var difference = await client.GetAsync("/api/processes/15/difference?from=3&to=6", Cancel).JsonAsync();

        difference.GetProperty("changes").EnumerateArray().Select(change => change.GetProperty("key").GetString()).ShouldBe(["alert", "temperature"]);
        var (alert, temperature) = (difference.GetProperty("changes")[0], difference.GetProperty("changes")[1]);
        (alert.GetProperty("from").GetString(), alert.TryGetProperty("to", out _)).ShouldBe(("Too hot", false));
        (temperature.GetProperty("from").GetInt32(), temperature.GetProperty("to").GetInt32(), temperature.GetProperty("setBy").GetProperty("position").GetInt64()).ShouldBe((95, 72, 5));
        (await client.GetAsync("/api/shared/difference?from=2026-11-23T12:01:00Z", Cancel).JsonAsync()).GetProperty("changes")[0].GetProperty("to").GetInt32().ShouldBe(80);
    }

    [Fact]
    public async Task Whoever_may_not_read_a_key_may_not_read_what_it_was()
    {
        var tenant = await WithLogAsync();
        var all = tenant.Client(shared.Web);
        await all.PostAsync("/api/access/entries", Json("""{"group": "registered", "may": ["read"], "keys": ["temperature", "alert"], "kind": "room"}"""), Cancel);
        await all.PostAsync("/api/access/entries", Json("""{"group": "registered", "may": ["read"], "keys": ["temperature"], "kind": "vault"}"""), Cancel);
        var viewer = (await tenant.AsAsync(shared.Web, "vic@acme.test", "viewer", Scope.Read)).Http;

        // It is a vault now, where an alert is not shown; and it was a room, where its kind was not.
        var then = await viewer.GetAsync("/api/processes/15?at=4", Cancel).JsonAsync();
        var difference = await viewer.GetAsync("/api/processes/15/difference?from=3&to=8", Cancel).JsonAsync();

        (then.GetProperty("kvps").ToString(), then.GetProperty("leftOut").GetInt32()).ShouldBe(("""{"temperature":95}""", 2));
        then.GetProperty("past").GetProperty("setBy").EnumerateObject().Select(one => one.Name).ShouldBe(["temperature"]);
        (difference.GetProperty("changes").GetArrayLength(), difference.GetProperty("leftOut").GetInt32()).ShouldBe((1, 2));
        var bag = await viewer.GetAsync("/api/shared?at=5", Cancel).JsonAsync();
        (bag.GetProperty("kvps").ToString(), bag.GetProperty("leftOut").GetInt32()).ShouldBe(("{}", 1));
    }

    [Theory]
    [InlineData("/api/processes/15?at=yesterday", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("/api/processes/15?at=2026-11-23T12:00:00", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("/api/processes/15?at=-1", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("/api/shared?at=", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("/api/processes/15/difference", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("/api/processes/15/difference?from=1&to=later", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("/api/processes/15?at=0", HttpStatusCode.NotFound, "unknown-process")]
    [InlineData("/api/processes/16?at=5", HttpStatusCode.NotFound, "unknown-process")]
    [InlineData("/api/processes/16/difference?from=5", HttpStatusCode.NotFound, "unknown-process")]
    public async Task What_is_no_moment_or_was_not_there_is_refused(string address, HttpStatusCode status, string type)
    {
        var client = (await WithLogAsync()).Client(shared.Web);

        (await client.GetAsync(address, Cancel).ProblemAsync(status)).ShouldBe(type);
    }

    [Fact]
    public async Task Another_tenants_past_is_not_there()
    {
        await WithLogAsync();
        var other = (await TestTenant.MakeAsync(database)).Client(shared.Web);

        (await other.GetAsync("/api/processes/15?at=4", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("unknown-process");
        (await other.GetAsync("/api/processes/15/difference?from=3", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("unknown-process");
        (await other.GetAsync("/api/shared?at=5", Cancel).JsonAsync()).GetProperty("kvps").EnumerateObject().ShouldBeEmpty();
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private async Task<TestTenant> WithLogAsync()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await tenant.PrepareAsync(Log);
        await tenant.PrepareAsync("insert into processes values ($1, 15, 'vault', null, '2026-11-23 12:00:00Z')");
        await tenant.PrepareAsync("""insert into kvps (tenant_id, pid, key, value, position) values ($1, 15, 'kind', '"vault"', 8), ($1, 15, 'temperature', '72', 5), ($1, 0, 'limit', '80', 7)""");
        await tenant.PrepareAsync(
            """
            insert into runs (tenant_id, id, at, rule, tree_version, pid, set_position, root, generation, outcome, first_position, changes, elapsed_us, cpu_us)
            values ($1, 7, '2026-11-23 12:00:00Z', 'scripts/heat.py:high_temperature', 1, 15, 1, gen_random_uuid(), 1, 1, 3, 1, 100, 100)
            """);
        return tenant;
    }
}
