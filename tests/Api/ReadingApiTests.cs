using System.Net;
using System.Text.Json;

namespace Eddy.Tests.Api;

/// <summary>What is read: processes, the shared bag, the log, the record of runs.</summary>
public sealed class ReadingApiTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private const string Root = "'00000000-0000-7000-8000-000000000001'";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_process_shows_its_KVPs_in_the_canonical_form()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await tenant.PrepareAsync("insert into processes values ($1, 15, 'reading', null, '2026-11-23 10:00:00.5+00')");
        await tenant.PrepareAsync("""insert into kvps select $1, 15, k, v::jsonb, null, null, null, 1 from (values ('due', '{"$date":"2026-11-23"}'), ('f', '95.0'), ('list', '[{"bb":1,"a":"ä\n"}]'), ('n', 'null')) x(k, v)""");

        using var response = await tenant.Client(shared.Web).GetAsync("/api/processes/15", Cancel);

        (await response.Content.ReadAsStringAsync(Cancel)).ShouldBe(
            """{"pid":15,"kind":"reading","createdAt":"2026-11-23T10:00:00.5+00:00","kvps":{"due":{"$date":"2026-11-23"},"f":95.0,"list":[{"a":"ä\n","bb":1}],"n":null}}""");
    }

    [Fact]
    public async Task Another_tenants_processes_events_and_runs_are_not_there()
    {
        var (mine, other) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        await mine.PrepareAsync("insert into processes values ($1, 1, null, null, now())");
        await mine.PrepareAsync("insert into kvps values ($1, 0, 'secret', '1', '1', 1, null, 1)");
        await mine.PrepareAsync($"insert into events values ($1, 1, now(), 1, 'k', '1', null, 'a', 'post', null, 1, {Root})");
        await mine.PrepareAsync($"insert into runs values ($1, 1, now(), 'scripts/a.py:a', null, 1, 1, 1, {Root}, 1, 1, null, 0, 5, 5, null, null, null)");
        var client = other.Client(shared.Web);

        (await client.GetAsync("/api/processes/1", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("unknown-process");
        (await client.GetAsync("/api/runs/1", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await client.GetAsync("/api/processes", Cancel).JsonAsync()).GetProperty("processes").GetArrayLength().ShouldBe(0);
        (await client.GetAsync("/api/events", Cancel).JsonAsync()).GetProperty("events").GetArrayLength().ShouldBe(0);
        (await client.GetAsync("/api/runs", Cancel).JsonAsync()).GetProperty("runs").GetArrayLength().ShouldBe(0);
        (await client.GetAsync("/api/shared", Cancel).JsonAsync()).GetProperty("kvps").EnumerateObject().ShouldBeEmpty();
        (await mine.Client(shared.Web).GetAsync("/api/shared", Cancel).JsonAsync()).GetProperty("kvps").GetProperty("secret").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task A_list_of_processes_goes_on_page_by_page_and_names_each_once()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await tenant.PrepareAsync("insert into processes select $1, n, case when n % 2 = 0 then 'even' end, null, now() from generate_series(1, 25) n");
        var client = tenant.Client(shared.Web);

        foreach (var (query, expected) in new (string, IEnumerable<int>)[]
        {
            ("limit=10", Enumerable.Range(1, 25).Reverse()),
            ("limit=10&order=oldest", Enumerable.Range(1, 25)),
            ("limit=5&kind=even&order=oldest", Enumerable.Range(1, 12).Select(n => 2 * n)),
        })
        {
            var seen = new List<int>();
            for (var address = "/api/processes?" + query; address.Length > 0;)
            {
                using var page = await client.GetAsync(address, Cancel);
                var json = await Task.FromResult(page).JsonAsync();
                seen.AddRange(json.GetProperty("processes").EnumerateArray().Select(process => process.GetProperty("pid").GetInt32()));
                address = json.GetProperty("next").ValueKind == JsonValueKind.Null ? "" : page.Headers.GetValues("Link").Single().Split('<', '>')[1];
            }

            seen.ShouldBe(expected);
        }
    }

    [Fact]
    public async Task Processes_are_found_by_what_their_keys_say()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await tenant.PrepareAsync("insert into processes select $1, n, null, null, now() from generate_series(1, 3) n");
        await tenant.PrepareAsync("""insert into kvps select $1, n, 'room', to_jsonb('attic'::text), 'attic', null, null, 1 from generate_series(1, 2) n""");
        await tenant.PrepareAsync("""insert into kvps values ($1, 2, 'a b', '95', '95', 95, null, 1)""");
        var client = tenant.Client(shared.Web);

        Pids(await client.GetAsync("/api/processes?key.room=attic", Cancel).JsonAsync()).ShouldBe([2, 1]);
        Pids(await client.GetAsync("/api/processes?key.room=attic&key.a%20b=95", Cancel).JsonAsync()).ShouldBe([2]);
        Pids(await client.GetAsync("/api/processes?key.room=cellar", Cancel).JsonAsync()).ShouldBeEmpty();
        (await client.GetAsync("/api/processes?key.=1", Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
    }

    [Theory]
    [InlineData("/api/processes?limit=0")]
    [InlineData("/api/processes?limit=201")]
    [InlineData("/api/processes?cursor=nonsense!")]
    [InlineData("/api/processes?order=up")]
    [InlineData("/api/processes?kind=a%00b")]
    [InlineData("/api/events?after=-1")]
    [InlineData("/api/events?after=x")]
    [InlineData("/api/events?limit=1001")]
    [InlineData("/api/runs?outcome=maybe")]
    [InlineData("/api/runs?rule=%00")]
    [InlineData("/api/runs?cursor=YWZ0ZXI6eA")]
    public async Task A_parameter_that_is_none_is_refused(string address)
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);

        (await client.GetAsync(address, Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
    }

    [Fact]
    public async Task Addresses_that_are_none_answer_with_problems_too()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);

        (await client.GetAsync("/api/nothing", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await client.GetAsync("/api/processes/x", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await client.PostAsync("/api/events", null, Cancel).ProblemAsync(HttpStatusCode.MethodNotAllowed)).ShouldBe("method-not-allowed");
    }

    [Fact]
    public async Task The_log_is_read_in_its_order_from_where_one_was()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await tenant.PrepareAsync($"insert into events select $1, n, now(), 7, 'k', to_jsonb(n), case when n > 1 then to_jsonb(n - 1) end, 'key:a', 'post', null, n, {Root} from generate_series(1, 4) n");
        await tenant.PrepareAsync($"insert into events values ($1, 5, now(), 7, 'k', null, '4', 'key:a', 'rule', 3, 5, {Root})");
        var client = tenant.Client(shared.Web);

        using var first = await client.GetAsync("/api/events?limit=3", Cancel);
        var page = await Task.FromResult(first).JsonAsync();
        var rest = await client.GetAsync(first.Headers.GetValues("Link").Single().Split('<', '>')[1], Cancel).JsonAsync();

        page.GetProperty("last").GetInt64().ShouldBe(3);
        rest.GetProperty("last").GetInt64().ShouldBe(5);
        page.GetProperty("events").EnumerateArray().Concat(rest.GetProperty("events").EnumerateArray()).Select(e => e.GetProperty("position").GetInt64()).ShouldBe([1, 2, 3, 4, 5]);
        page.GetProperty("events")[0].TryGetProperty("previous", out _).ShouldBeFalse();
        page.GetProperty("events")[0].TryGetProperty("deleted", out _).ShouldBeFalse();
        var removed = rest.GetProperty("events")[1];
        removed.GetProperty("deleted").GetBoolean().ShouldBeTrue();
        removed.TryGetProperty("value", out _).ShouldBeFalse();
        removed.GetProperty("previous").GetInt32().ShouldBe(4);
        removed.GetProperty("cause").GetInt64().ShouldBe(3);
        removed.GetProperty("changeSet").GetInt64().ShouldBe(5);
        (await client.GetAsync("/api/events?after=5", Cancel).JsonAsync()).GetProperty("last").GetInt64().ShouldBe(5);
    }

    [Fact]
    public async Task Runs_are_found_by_event_process_rule_and_outcome_and_checks_that_said_no_are_one_item_each()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await tenant.PrepareAsync($"insert into events values ($1, 1, '2026-11-23 10:00Z', 7, 'a', '1', null, 'x', 'post', null, 1, {Root}), ($1, 2, '2026-11-23 10:00Z', 7, 'b', '1', null, 'x', 'post', null, 1, {Root}), ($1, 3, '2026-11-23 10:00Z', 7, 'c', '\"alert\"', null, 'x', 'rule', 2, 3, {Root}), ($1, 4, '2026-11-23 10:00Z', 0, 's', '1', null, 'x', 'rule', 2, 3, {Root})");
        await tenant.PrepareAsync($$"""
            insert into runs values
              ($1, 1, '2026-11-23 10:00Z', null, '{scripts/a.py:one,scripts/a.py:two}', 4, 7, 1, {{Root}}, 1, 0, null, 0, 10, 10, null, null, null),
              ($1, 2, '2026-11-23 10:00Z', 'scripts/b.py:loud', null, 4, 7, 1, {{Root}}, 1, 1, 3, 2, 1500, 700, E'hello\n', null, 'trace'),
              ($1, 3, '2026-11-23 10:00Z', 'scripts/c.py:bad', null, 4, 7, 3, {{Root}}, 2, 2, null, 0, 10, 10, null, '{"kind":"ValueError","message":"no"}', null),
              ($1, 4, '2026-11-23 10:00Z', 'scripts/c.py:bad', null, 4, 8, 9, {{Root}}, 1, 3, null, 0, 10, 10, null, null, null)
            """.Replace("{{Root}}", Root));
        var client = tenant.Client(shared.Web);

        (await FindAsync("")).ShouldBe([(4, "scripts/c.py:bad", "killed"), (3, "scripts/c.py:bad", "failed"), (2, "scripts/b.py:loud", "ran"), (1, "scripts/a.py:one", "no"), (1, "scripts/a.py:two", "no")]);
        (await FindAsync("event=2")).ShouldBe([(2, "scripts/b.py:loud", "ran"), (1, "scripts/a.py:one", "no"), (1, "scripts/a.py:two", "no")]);
        (await FindAsync("event=4")).ShouldBe([(3, "scripts/c.py:bad", "failed")]);
        (await FindAsync("event=99")).ShouldBeEmpty();
        (await FindAsync("pid=8")).ShouldBe([(4, "scripts/c.py:bad", "killed")]);
        (await FindAsync("rule=scripts/a.py:two")).ShouldBe([(1, "scripts/a.py:two", "no")]);
        (await FindAsync("rule=bad&outcome=failed")).ShouldBe([(3, "scripts/c.py:bad", "failed")]);
        (await FindAsync("outcome=no")).Count.ShouldBe(2);
        var page = await client.GetAsync("/api/runs?limit=1", Cancel).JsonAsync();
        (await FindAsync("limit=1&cursor=" + page.GetProperty("next").GetString())).ShouldBe([(3, "scripts/c.py:bad", "failed")]);

        var run = await client.GetAsync("/api/runs/2", Cancel).JsonAsync();
        run.GetProperty("log").GetString().ShouldBe("hello\n");
        run.GetProperty("milliseconds").GetDouble().ShouldBe(1.5);
        run.GetProperty("treeVersion").GetInt64().ShouldBe(4);
        run.GetProperty("changes").EnumerateArray().Select(change => change.GetProperty("key").GetString()).ShouldBe(["c", "s"]);
        (await client.GetAsync("/api/runs/3", Cancel).JsonAsync()).GetProperty("error").GetProperty("kind").GetString().ShouldBe("ValueError");
        (await client.GetAsync("/api/runs/1", Cancel).JsonAsync()).GetProperty("rules").GetArrayLength().ShouldBe(2);

        async Task<List<(int, string?, string?)>> FindAsync(string query) =>
            [.. (await client.GetAsync("/api/runs?" + query, Cancel).JsonAsync()).GetProperty("runs").EnumerateArray()
                .Select(item => (item.GetProperty("id").GetInt32(), item.GetProperty("rule").GetString(), item.GetProperty("outcome").GetString()))];
    }

    private static IEnumerable<int> Pids(JsonElement list) => list.GetProperty("processes").EnumerateArray().Select(process => process.GetProperty("pid").GetInt32());
}
