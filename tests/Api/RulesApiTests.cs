using System.Net;
using System.Text;
using System.Text.Json;

namespace Eddy.Tests.Api;

public sealed class RulesApiTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private const string Heat = "class heat(Rule):\n    listens_to = ['temperature']\n    def check(self): return self.temperature > 90\n    def action(self): self.alert = 'Too hot'\n";
    private const string Ping = "class ping(Rule):\n    listens_to = ['pong']\n    def action(self): self.ping = self.pong\n\nclass pong(Rule):\n    listens_to = ['ping']\n    def action(self): self.pong = self.ping\n";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_rules_read_and_write_is_listed_in_the_order_of_the_files()
    {
        var client = await ClientAsync(("scripts/p.py", Ping), ("scripts/heat.py", Heat), ("libraries/none.py", "class none: pass\n"));

        var rules = (await client.GetAsync("/api/rules", Cancel).JsonAsync()).GetProperty("rules");

        rules.EnumerateArray().Select(rule => rule.GetProperty("id").GetString()).ShouldBe(["scripts/heat.py:heat", "scripts/p.py:ping", "scripts/p.py:pong"]);
        rules[0].GetRawText().ShouldBe(
            """{"id":"scripts/heat.py:heat","file":"scripts/heat.py","class":"heat","line":1,"endLine":4,"listensTo":["temperature"],"schedule":null,"reads":["temperature"],"checkReads":["temperature"],"writes":["alert"],"unknownReads":false,"unknownWrites":false}""");
    }

    [Fact]
    public async Task The_graph_tells_edges_loops_and_keys()
    {
        var client = await ClientAsync(("scripts/heat.py", Heat), ("scripts/p.py", Ping));

        var graph = await client.GetAsync("/api/rules/graph", Cancel).JsonAsync();

        graph.GetProperty("nodes").GetArrayLength().ShouldBe(3);
        graph.GetProperty("edges").EnumerateArray().Select(edge => $"{edge.GetProperty("from")} {edge.GetProperty("to")} {edge.GetProperty("keys")}")
            .ShouldBe(["scripts/p.py:ping scripts/p.py:pong [\"ping\"]", "scripts/p.py:pong scripts/p.py:ping [\"pong\"]"]);
        var loop = graph.GetProperty("loops").EnumerateArray().ShouldHaveSingleItem();
        loop.GetProperty("guarded").GetBoolean().ShouldBeFalse();
        loop.GetProperty("message").GetString().ShouldBe("scripts/p.py:ping and scripts/p.py:pong wake one another by ping and pong; no check that reads what they set stands in between, so only a value that stays the same ends that.");
        graph.GetProperty("neverSet").EnumerateArray().ShouldHaveSingleItem().GetProperty("message").GetString()
            .ShouldBe("scripts/heat.py:heat listens to temperature, which no rule sets and none of the last 10,000 events has set.");
        graph.GetProperty("neverRead").EnumerateArray().ShouldHaveSingleItem().GetProperty("message").GetString().ShouldBe("scripts/heat.py:heat sets alert, which no rule reads or listens to.");
    }

    [Fact]
    public async Task A_key_that_came_from_outside_is_not_told_as_one_that_nobody_sets()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var client = await ClientAsync(tenant, ("scripts/r.py", "class r(Rule):\n    listens_to = ['temperature', 'shared.rate', 'never', 'shared.never', 'rate']\n    def action(self): pass\n"));
        await tenant.PrepareAsync(
            """
            insert into events (tenant_id, position, at, pid, key, value, actor, source, set_position, root)
            values ($1, 1, now(), 7, 'temperature', '1', 'key:x', 'post', 1, gen_random_uuid()), ($1, 2, now(), 0, 'rate', '1', 'key:x', 'post', 2, gen_random_uuid())
            """);

        (await NeverSetAsync(client)).ShouldBe(["never", "rate", "shared.never"]);

        // The log of long ago is dropped; what it set is still there.
        await tenant.PrepareAsync("insert into kvps (tenant_id, pid, key, value, position) values ($1, 0, 'never', '1', 3)");
        (await NeverSetAsync(client)).ShouldBe(["never", "rate"]);

        static async Task<IEnumerable<string?>> NeverSetAsync(HttpClient client) =>
            (await client.GetAsync("/api/rules/graph", Cancel).JsonAsync()).GetProperty("neverSet").EnumerateArray().Select(key => key.GetProperty("key").GetString()).ToList();
    }

    [Fact]
    public async Task What_a_library_or_an_API_script_sets_is_set_and_wakes()
    {
        var client = await ClientAsync(
            ("scripts/r.py", "class r(Rule):\n    listens_to = ['shared.rate', 'paid', 'told']\n    def action(self): pass\n"),
            ("libraries/money.py", "def refresh(to):\n    shared.rate = 1\n    to.told = True\n\nclass Box:\n    def __init__(self): self.other = 1\n"),
            ("api/billing.py", "def paid(request):\n    request.PROCESS.paid = True\n    Process.objects.create(kind='bill')\n"));

        var graph = await client.GetAsync("/api/rules/graph", Cancel).JsonAsync();

        graph.GetProperty("nodes").EnumerateArray().Select(node => node.GetString()).ShouldBe(["api/billing.py", "libraries/money.py", "scripts/r.py:r"]);
        graph.GetProperty("edges").EnumerateArray().Select(edge => $"{edge.GetProperty("from")} {edge.GetProperty("keys")}").ShouldBe(["api/billing.py [\"paid\"]", "libraries/money.py [\"shared.rate\",\"told\"]"]);
        graph.GetProperty("neverSet").GetArrayLength().ShouldBe(0);
        graph.GetProperty("neverRead").GetArrayLength().ShouldBe(0);
        (await client.GetAsync("/api/rules", Cancel).JsonAsync()).GetProperty("rules").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Another_tenants_rules_and_events_are_not_there()
    {
        var other = await TestTenant.MakeAsync(database);
        await ClientAsync(other, ("scripts/p.py", Ping));
        await other.PrepareAsync("insert into events (tenant_id, position, at, pid, key, value, actor, source, set_position, root) values ($1, 1, now(), 7, 'temperature', '1', 'key:x', 'post', 1, gen_random_uuid())");
        var client = await ClientAsync(("scripts/heat.py", Heat));

        (await client.GetAsync("/api/rules", Cancel).JsonAsync()).GetProperty("rules").GetArrayLength().ShouldBe(1);
        var graph = await client.GetAsync("/api/rules/graph", Cancel).JsonAsync();
        graph.GetProperty("loops").GetArrayLength().ShouldBe(0);
        graph.GetProperty("neverSet").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task A_file_that_nobody_has_looked_at_is_looked_at_once()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var client = await ClientAsync(tenant, ("scripts/heat.py", Heat));
        await tenant.PrepareAsync("update files set rules = null where tenant_id = $1");

        (await client.GetAsync("/api/rules", Cancel).JsonAsync()).GetProperty("rules").GetArrayLength().ShouldBe(1);
        await using var known = database.Superuser.CreateCommand("select rules->0->>'name' from files where tenant_id = $1");
        known.Parameters.Add(new() { Value = tenant.Id.Value });
        (await known.ExecuteScalarAsync(Cancel)).ShouldBe("heat");
    }

    [Fact]
    public async Task The_rules_are_those_in_force_where_a_later_version_is_not()
    {
        var client = await ClientAsync(("scripts/heat.py", Heat), ("scripts/heat.py", Heat + "print 'x'\n"));

        (await client.GetAsync("/api/rules", Cancel).JsonAsync()).GetProperty("rules").GetArrayLength().ShouldBe(1);
        (await client.DeleteAsync("/api/files/scripts/heat.py", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await client.GetAsync("/api/rules", Cancel).JsonAsync()).GetProperty("rules").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task A_save_tells_all_findings_and_only_errors_keep_it_out_of_force()
    {
        var client = await ClientAsync();

        var warned = await SaveAsync(client, "scripts/r.py", Heat.Replace("> 90", "> limt", StringComparison.Ordinal));
        var refused = await SaveAsync(client, "scripts/r.py", Heat + "print 'x'\n");
        var listed = (await client.GetAsync("/api/files", Cancel).JsonAsync()).GetProperty("files")[0];
        var mended = await SaveAsync(client, "scripts/r.py", Heat);

        warned.GetProperty("faults").GetArrayLength().ShouldBe(0);
        warned.GetProperty("inForce").GetInt64().ShouldBe(1);
        Codes(warned).ShouldBe(["warning unknown-name 3:48"]);
        refused.GetProperty("inForce").GetInt64().ShouldBe(1);
        refused.GetProperty("faults")[0].GetProperty("message").GetString().ShouldBe("print is a function in Python 3; write print('x')");
        (refused.GetProperty("faults")[0].GetProperty("line").GetInt32(), refused.GetProperty("faults")[0].GetProperty("column").GetInt32()).ShouldBe((5, 1));
        Codes(refused).ShouldBe(["error python-2-print 5:1"]);
        refused.GetProperty("findings")[0].GetProperty("fix").GetRawText().ShouldBe("""{"line":5,"column":1,"endLine":5,"endColumn":10,"text":"print('x')"}""");
        Codes(listed).ShouldBe(["error python-2-print 5:1"]);
        Codes(mended).ShouldBeEmpty();
        mended.GetProperty("inForce").GetInt64().ShouldBe(3);
    }

    [Fact]
    public async Task A_text_is_checked_as_a_save_would_and_nothing_is_saved()
    {
        var client = await ClientAsync();
        var text = Heat + "print 'x'\n";

        var answer = await client.PostAsync("/api/files/scripts/deep/r.py/check", Text(text), Cancel).JsonAsync();
        var good = await client.PostAsync("/api/files/scripts/deep/r.py/check", Text(Heat), Cancel).JsonAsync();

        Codes(answer).ShouldBe(["error python-2-print 5:1"]);
        good.GetProperty("findings").GetArrayLength().ShouldBe(0);
        good.GetProperty("rules")[0].GetProperty("id").GetString().ShouldBe("scripts/deep/r.py:heat");
        (await client.GetAsync("/api/files", Cancel).JsonAsync()).GetProperty("files").GetArrayLength().ShouldBe(0);
        Codes(await client.PostAsync("/api/files/scripts/r.py/check", new ByteArrayContent([0xff]), Cancel).JsonAsync()).ShouldBe(["error not-text 1:1"]);
    }

    [Fact]
    public async Task What_can_not_be_checked_is_refused_in_words()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var client = tenant.Client(shared.Web);

        (await client.PostAsync("/api/files/workspace/a.txt/check", Text("x"), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
        (await client.PostAsync("/api/files/scripts/%2e%2e%2fr.py/check", Text("x"), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
        (await client.PostAsync("/api/files/scripts/r.py", Text("x"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        var reader = tenant.Client(shared.Web, await tenant.AddKeyAsync("reader", "read"));
        (await reader.PostAsync("/api/files/scripts/r.py/check", Text("x"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await reader.GetAsync("/api/rules/graph", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_text_that_would_be_too_large_a_file_is_not_checked()
    {
        await using var web = await TestWeb.StartAsync(database, "Web:FileBytes=100");
        var client = (await TestTenant.MakeAsync(database)).Client(web);

        (await client.PostAsync("/api/files/scripts/r.py/check", Text(new string('#', 101)), Cancel).ProblemAsync(HttpStatusCode.RequestEntityTooLarge)).ShouldBe("body-too-large");
        Codes(await client.PostAsync("/api/files/scripts/r.py/check", Text(new string('#', 100)), Cancel).JsonAsync()).ShouldBeEmpty();
    }

    private static List<string> Codes(JsonElement answer) => answer.GetProperty("findings").EnumerateArray()
        .Select(finding => $"{finding.GetProperty("severity").GetString()} {finding.GetProperty("code").GetString()} {finding.GetProperty("line").GetInt32()}:{finding.GetProperty("column").GetInt32()}").ToList();

    private static StringContent Text(string text) => new(text, Encoding.UTF8, "text/x-python");

    private async Task<HttpClient> ClientAsync(params (string Path, string Text)[] files) => await ClientAsync(await TestTenant.MakeAsync(database), files);

    private async Task<HttpClient> ClientAsync(TestTenant tenant, params (string Path, string Text)[] files)
    {
        var client = tenant.Client(shared.Web);
        foreach (var (path, text) in files)
        {
            await SaveAsync(client, path, text);
        }

        return client;
    }

    private static async Task<JsonElement> SaveAsync(HttpClient client, string path, string text)
    {
        using var answer = await client.PutAsync($"/api/files/{path}", Text(text), Cancel);
        answer.IsSuccessStatusCode.ShouldBeTrue();
        return JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync(Cancel));
    }
}
