using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using Eddy.Access;
using Eddy.Keys;
using Eddy.Postgres;
using Eddy.Tenants;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Access;

/// <summary>The doors go by what the entries say of whoever acts.</summary>
public sealed partial class AccessDoorTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private const string Root = "'00000000-0000-7000-8000-000000000001'";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private AccessStore Store => shared.Web.Services.GetRequiredService<AccessStore>();

    [Fact]
    public async Task Whatever_the_rules_the_doors_explanations_and_the_function_say_the_same() =>
        await Gen.Select(AccessGen.Entries, AccessGen.Members, Gen.OneOf("editor", "viewer", "viewer"), AccessGen.Question.Array[4]).SampleAsync(
            async (entries, groups, role, questions) =>
            {
                var tenant = await TestTenant.MakeAsync(database);
                var ann = await tenant.AsAsync(shared.Web, "ann@acme.test", role);
                var rules = await WriteAsync(tenant, entries, groups);
                var actor = (await Store.MembersAsync(tenant.Id, Cancel)).Single();
                await tenant.PrepareAsync("insert into processes select $1, n, k, null, now() from (values (1, null), (2, 'invoice'), (3, 'invoice_paid'), (4, 'order')) x(n, k)");
                await tenant.PrepareAsync($"insert into kvps select $1, n, k, '1', '1', 1, null, 1 from generate_series(0, 4) n, unnest(array['{string.Join("','", AccessGen.Keys)}']) k");

                foreach (var (act, place, key) in questions)
                {
                    var expected = rules.Decide(actor, act, place, key);
                    var pid = place.IsShared ? 0 : 1 + Array.IndexOf(AccessGen.Kinds, place.Kind);

                    var explained = await ann.GetAsync($"/api/access/explain?act={(act == KeyAct.Read ? "read" : "set")}&key={Uri.EscapeDataString(key)}{(place.IsShared ? "&shared=true" : place.Kind is null ? "" : "&kind=" + place.Kind)}");
                    explained.GetProperty("allowed").GetBoolean().ShouldBe(expected.IsAllowed);
                    explained.GetProperty("sentence").GetString().ShouldBe(expected.Sentence);
                    if (act == KeyAct.Read)
                    {
                        var shown = await ann.GetAsync(pid == 0 ? "/api/shared" : $"/api/processes/{pid}");
                        shown.GetProperty("kvps").TryGetProperty(key, out _).ShouldBe(expected.IsAllowed);
                        (shown.TryGetProperty("leftOut", out var left) ? left.GetInt32() : 0).ShouldBe(AccessGen.Keys.Length - shown.GetProperty("kvps").EnumerateObject().Count());
                    }
                    else if (!expected.IsAllowed)
                    {
                        var path = pid == 0 ? $"/api/shared/{Uri.EscapeDataString(key)}" : $"/api/processes/{pid}/{Uri.EscapeDataString(key)}";
                        (await ann.PutAsync(path, "1").JsonAsync(HttpStatusCode.Forbidden)).GetProperty("detail").GetString().ShouldBe(expected.RefusalFor(place));
                        (await ann.Http.DeleteAsync(path, Cancel).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("not-allowed");
                    }

                    // A kind that is set is judged for both, by AccessRulesTests.
                    if (act == KeyAct.Set && pid > 0 && key != "kind")
                    {
                        using var posted = await ann.PostAsync($"{{\"{key}\": 1}}", $"?pid={pid}");
                        posted.StatusCode.ShouldBe(expected.IsAllowed ? HttpStatusCode.Accepted : HttpStatusCode.Forbidden);
                    }
                }
            },
            iter: 25, threads: 1);

    [Fact]
    public async Task A_list_shows_what_may_be_read_and_says_how_many_were_left_out()
    {
        var (tenant, ann) = await WithEntriesAsync(AccessGen.Lets(1, "registered", "read", "room kind", "reading"), AccessGen.Lets(2, "registered", "read", "lamp", shared: true));
        await tenant.PrepareAsync("insert into processes values ($1, 1, 'reading', null, now()), ($1, 2, 'salary', null, now())");
        await tenant.PrepareAsync("insert into kvps select $1, n, k, '\"x\"', 'x', null, null, 1 from generate_series(0, 2) n, unnest(array['room', 'amount', 'lamp']) k");

        var list = (await ann.GetAsync("/api/processes?order=oldest")).GetProperty("processes");
        var bag = await ann.GetAsync("/api/shared");

        Strip(list[0]).ShouldBe("""{"pid":1,"kind":"reading","kvps":{"room":"x"},"leftOut":2}""");
        Strip(list[1]).ShouldBe("""{"pid":2,"kind":null,"kvps":{},"leftOut":3}""");
        bag.ToString().ShouldBe("""{"kvps":{"lamp":"x"},"leftOut":2}""");
        (await tenant.Client(shared.Web).GetAsync("/api/shared", Cancel).JsonAsync()).TryGetProperty("leftOut", out _).ShouldBeFalse();

        static string Strip(JsonElement process) => $$"""{"pid":{{process.GetProperty("pid")}},"kind":{{process.GetProperty("kind").GetRawText()}},"kvps":{{process.GetProperty("kvps")}},"leftOut":{{process.GetProperty("leftOut")}}}""";
    }

    [Theory]
    [InlineData("key.room=x", true)]
    [InlineData("key.amount=1", false)]
    [InlineData("key.amount=1&kind=invoice", true)]
    [InlineData("key.amount=1&key.iban=2&kind=invoice", false)]
    [InlineData("kind=invoice", true)]
    [InlineData("kind=salary", false)]
    [InlineData("parent=1", false)]
    public async Task Nobody_looks_for_values_that_they_may_not_read(string query, bool may)
    {
        var (_, ann) = await WithEntriesAsync(AccessGen.Lets(1, "registered", "read", "room"), AccessGen.Lets(2, "registered", "read", "amount kind", "invoice"));

        using var answer = await ann.Http.GetAsync("/api/processes?" + query, Cancel);

        answer.StatusCode.ShouldBe(may ? HttpStatusCode.OK : HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task The_log_shows_the_events_whose_keys_may_be_read_and_goes_on_behind_the_others()
    {
        var (tenant, ann) = await WithEntriesAsync(AccessGen.Lets(1, "registered", "read", "a", "open"), AccessGen.Lets(2, "registered", "read", "s", shared: true));
        await tenant.PrepareAsync("insert into processes values ($1, 1, 'open', null, now()), ($1, 2, 'closed', null, now())");
        await tenant.PrepareAsync($"insert into events select $1, n, now(), p, k, '1', null, 'x', 'post', null, n, {Root} from (values (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'a'), (4, 0, 's'), (5, 0, 'a'), (6, 9, 'a')) x(n, p, k)");

        var events = await ann.GetAsync("/api/events");
        var part = await ann.GetAsync("/api/events?after=1&limit=2");

        events.GetProperty("events").EnumerateArray().Select(one => one.GetProperty("position").GetInt32()).ShouldBe([1, 4]);
        (events.GetProperty("last").GetInt32(), events.GetProperty("leftOut").GetInt32()).ShouldBe((6, 4));
        (part.GetProperty("last").GetInt32(), part.GetProperty("leftOut").GetInt32(), part.GetProperty("events").GetArrayLength()).ShouldBe((3, 2, 0));
    }

    [Theory]
    [InlineData("viewer")]
    [InlineData("editor")]
    public async Task Of_a_run_the_changes_that_may_be_read_are_shown_and_its_log_to_who_may_change_rules(string role)
    {
        var (tenant, _) = await WithEntriesAsync(AccessGen.Lets(1, "registered", "read", "a"));
        var bob = await tenant.AsAsync(shared.Web, "bob@acme.test", role);
        await tenant.PrepareAsync($"insert into events select $1, n, now(), 1, k, '1', null, 'x', 'rule', 1, 1, {Root} from (values (1, 'a'), (2, 'b')) x(n, k)");
        await tenant.PrepareAsync($$"""insert into runs values ($1, 1, now(), 'scripts/a.py:a', null, 1, 1, 1, {{Root}}, 1, 2, 1, 2, 5, 5, 'printed', '{"kind":"ValueError","message":"no"}', null)""");

        var run = await bob.GetAsync("/api/runs/1");
        var listed = (await bob.GetAsync("/api/runs")).GetProperty("runs")[0];

        run.GetProperty("changes").EnumerateArray().Select(change => change.GetProperty("key").GetString()).ShouldBe(["a"]);
        run.GetProperty("leftOut").GetInt32().ShouldBe(1);
        run.GetProperty("log").GetString().ShouldBe(role == "editor" ? "printed" : null);
        run.TryGetProperty("withheld", out _).ShouldBe(role == "viewer");
        listed.TryGetProperty("error", out _).ShouldBe(role == "editor");
    }

    [Theory]
    [InlineData("""{"order_total": 1}""", "", null)]
    [InlineData("""{"order_total": 1, "kind": "invoice"}""", "", "/order_total /kind")]
    [InlineData("""[{"order_total": 1}, {"note": 1}, {"a/b": 1}]""", "", "/1/note /2/a~1b")]
    [InlineData("note=1", "", "/note")]
    [InlineData("anything", "?as=payload", "/payload /content_type")]
    public async Task A_body_is_refused_as_a_whole_with_each_key_that_may_not_be_set(string body, string query, string? pointers)
    {
        var (_, ann) = await WithEntriesAsync(AccessGen.Lets(1, "registered", "set", "order_total"));
        await WriteAsync(ann.Tenant, [AccessGen.Lets(1, "registered", "set", "order_total", pointers?.Contains("kind", StringComparison.Ordinal) == true ? "order" : null)], []);

        using var answer = await ann.PostAsync(body, query, body[0] is '{' or '[' ? "application/json" : "application/x-www-form-urlencoded");

        if (pointers is null)
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
            return;
        }

        var problem = await Task.FromResult(answer).JsonAsync(HttpStatusCode.Forbidden);
        problem.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("pointer").GetString()).ShouldBe(pointers.Split(' '), ignoreOrder: true);
        problem.GetProperty("detail").GetString()!.ShouldStartWith("ann@acme.test may not set ");
        await using var waiting = database.Superuser.CreateCommand("select count(*) from arrivals where tenant_id = $1");
        waiting.Parameters.Add(new() { Value = ann.Tenant.Id.Value });
        (await waiting.ExecuteScalarAsync(Cancel)).ShouldBe(0L);
    }

    [Theory]
    [InlineData("application/json", """[{"kind": "order"}, {"amount": 1}]""", "/1/amount")]
    [InlineData("application/x-ndjson", "{\"kind\": \"order\"}\n{\"amount\": 1}", "/1/amount")]
    [InlineData("application/json", """[{"kind": "order"}, {"kind": "invoice"}, {"amount": 1}]""", null)]
    [InlineData("text/csv", "kind,amount\ninvoice,1\norder,2", "/1/amount")]
    [InlineData("text/plain", "amount := 1\nkind := order", "/amount")]
    public async Task Of_a_list_for_one_process_each_is_judged_by_the_kind_that_those_before_it_made(string type, string body, string? pointer)
    {
        var (tenant, ann) = await WithEntriesAsync(AccessGen.Lets(1, "registered", "set", "kind"), AccessGen.Lets(2, "registered", "set", "amount", "invoice"));
        await tenant.PrepareAsync("insert into processes values ($1, 1, 'invoice', null, now())");

        using var answer = await ann.PostAsync(body, "?pid=1", type);

        if (pointer is null)
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
            return;
        }

        (await Task.FromResult(answer).JsonAsync(HttpStatusCode.Forbidden)).GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("pointer").GetString()).ShouldBe([pointer]);
    }

    [Theory]
    [InlineData("text/csv", "order_total,note\n1,2")]
    [InlineData("application/x-ndjson", "{\"order_total\": 1}\n{\"note\": 1}")]
    [InlineData("text/plain", "order_total := 1\nnote := 2")]
    [InlineData("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n1\r\n--x--\r\n")]
    [InlineData("image/png", "anything")]
    public async Task Whatever_a_body_is_its_keys_are_judged(string type, string body)
    {
        var (_, ann) = await WithEntriesAsync(AccessGen.Lets(1, "registered", "set", "order_total"));

        (await ann.PostAsync(body, "", type).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("not-allowed");
    }

    [Theory]
    [InlineData("""{"amount": 1}""", "ann@acme.test may not set amount of this process: no entry lets public or registered do that.")]
    [InlineData("""[{"note": 1}, {"amount": 1}]""", "ann@acme.test may not set amount of this process: no entry lets public or registered do that.")]
    [InlineData("""{"kind": "order", "note": 1}""", "ann@acme.test may not set kind of this process: no entry lets public or registered do that.")]
    public async Task A_refusal_does_not_tell_a_kind_that_may_not_be_read(string body, string sentence)
    {
        var (tenant, ann) = await WithEntriesAsync(AccessGen.Lets(1, "registered", "set", "note"), AccessGen.Lets(2, "registered", "read", "kind", "invoice"));
        await tenant.PrepareAsync("insert into processes values ($1, 1, 'salary', null, now()), ($1, 2, null, null, now()), ($1, 3, 'invoice', null, now())");

        foreach (var pid in (int[])[1, 2])
        {
            var problem = await ann.PostAsync(body, $"?pid={pid}").JsonAsync(HttpStatusCode.Forbidden);
            problem.GetProperty("detail").GetString().ShouldBe(sentence);
            problem.ToString().ShouldNotContain("salary");
        }

        (await ann.PostAsync(body, "?pid=3").JsonAsync(HttpStatusCode.Forbidden)).GetProperty("detail").GetString().ShouldBe(sentence.Replace("this process", "a process of kind invoice"));
    }

    [Fact]
    public async Task A_drip_sets_what_who_saves_or_runs_it_may_set()
    {
        var (tenant, _) = await WithEntriesAsync(AccessGen.Lets(1, "registered", "set", "report", "daily"), AccessGen.Lets(2, "registered", "set", "kind"));
        var (owner, editor) = (new TestCaller(tenant, tenant.Client(shared.Web)), await tenant.AsAsync(shared.Web, "bob@acme.test", "editor"));
        const string Own = """{"cron": "30 2 * * *", "kvps": "kind := daily\nreport := 1"}""", Others = """{"cron": "30 2 * * *", "kvps": "kind := daily\namount := 1"}""";

        var refused = await editor.PutAsync("/api/drips/others", Others).JsonAsync(HttpStatusCode.Forbidden);
        refused.GetProperty("detail").GetString().ShouldBe("bob@acme.test may not set amount of a process of kind daily: no entry lets public or registered do that.");
        refused.GetProperty("errors")[0].GetProperty("pointer").GetString().ShouldBe("/kvps");
        (await editor.PutAsync("/api/drips/own", Own)).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await editor.Http.PostAsync("/api/drips/own/run", null, Cancel)).StatusCode.ShouldBe(HttpStatusCode.Accepted);

        (await owner.PutAsync("/api/drips/others", Others)).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await editor.Http.PostAsync("/api/drips/others/run", null, Cancel).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("not-allowed");
        (await editor.PutAsync("/api/drips/others", Others).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("not-allowed");
        (await owner.Http.PostAsync("/api/drips/others/run", null, Cancel)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task The_kind_that_waits_for_its_turn_counts_already()
    {
        // No worker: everything waits.
        var (tenant, ann) = await WithEntriesAsync(AccessGen.Lets(1, "registered", "set", "amount kind", "invoice"));
        var pid = (await ann.SendAsync("""{"kind": "invoice", "amount": 1}""")).GetProperty("pid").GetInt64();

        (await ann.PostAsync("""{"amount": 2}""", $"?pid={pid}")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await new TestCaller(tenant, tenant.Client(shared.Web)).SendAsync("""{"note": "kind", "kind": "salary"}""", $"?pid={pid}");
        (await ann.PostAsync("""{"amount": 3}""", $"?pid={pid}")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        await tenant.Client(shared.Web).PostAsync($"/in?pid={pid}", new StringContent("kind=invoice", Encoding.UTF8, "application/x-www-form-urlencoded"), Cancel);
        (await ann.PostAsync("""{"amount": 4}""", $"?pid={pid}")).StatusCode.ShouldBe(HttpStatusCode.Accepted);

        // What another tenant waits for under the same number says nothing here.
        var (_, bob) = await WithEntriesAsync(AccessGen.Lets(1, "registered", "set", "amount", "invoice"));
        (await bob.PostAsync("""{"amount": 5}""", $"?pid={pid}")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task The_key_in_an_address_acts_for_its_person_too()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var key = await tenant.AddKeyOfAsync(await tenant.AddMemberAsync("ann@acme.test", "viewer"), Scope.Ingest);
        using var client = new HttpClient { BaseAddress = shared.Web.Address };

        (await client.PostAsync($"/in/{key}", new StringContent("""{"n": 1}""", Encoding.UTF8, "application/json"), Cancel).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("not-allowed");
    }

    [Theory]
    [InlineData("PUT", "/api/files/workspace/a")]
    [InlineData("DELETE", "/api/files/workspace/a")]
    [InlineData("POST", "/api/files/scripts/a.py/check")]
    [InlineData("GET", "/api/secrets")]
    [InlineData("PUT", "/api/secrets/A")]
    [InlineData("DELETE", "/api/secrets/A")]
    [InlineData("GET", "/api/quarantine")]
    [InlineData("GET", "/api/quarantine/runs")]
    [InlineData("PUT", "/api/rules/off?rule=a")]
    public async Task Who_may_not_change_rules_changes_no_files_and_sees_no_secrets_and_no_errors(string method, string path)
    {
        var tenant = await TestTenant.MakeAsync(database);
        var viewer = await tenant.AsAsync(shared.Web, "ann@acme.test", "viewer");
        var editor = await tenant.AsAsync(shared.Web, "bob@acme.test", "editor");

        (await viewer.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path), Cancel).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("not-allowed");
        (await editor.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path), Cancel)).StatusCode.ShouldNotBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task An_entry_is_in_force_with_the_next_request_and_a_person_who_left_has_no_key()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var person = await tenant.AddMemberAsync("ann@acme.test", "viewer");
        var ann = new TestCaller(tenant, tenant.Client(shared.Web, await tenant.AddKeyOfAsync(person)));
        (await ann.PostAsync("""{"n": 1}""")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);

        var entry = (AccessOutcome.EntrySet)await Store.SetEntryAsync(tenant.Id, null, AccessGen.Lets(0, "registered", "set", "n"), "test", WriteCondition.None, Cancel);
        (await ann.PostAsync("""{"n": 1}""")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await Store.DeleteEntryAsync(tenant.Id, entry.Entry.Id, "test", WriteCondition.None, Cancel);
        (await ann.PostAsync("""{"n": 1}""")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);

        await tenant.RemoveMemberAsync(person);
        await Patience.UntilAsync("the key is out of force", Patience.Long, async () => (await ann.PostAsync("""{"n": 1}""")).StatusCode == HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task An_address_that_nobody_has_shown_to_be_theirs_opens_no_group()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await WriteAsync(tenant, [AccessGen.Lets(1, "sales", "set", "*")], [new AccessGroup("sales", new HashSet<string> { "ann@acme.test", "zoe@acme.test" }, new HashSet<Guid>())]);
        var key = await tenant.AddKeyOfAsync(await tenant.AddMemberAsync("ann@acme.test", "viewer", isProven: false));

        (await new TestCaller(tenant, tenant.Client(shared.Web, key)).PostAsync("""{"n": 1}""")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await Store.ActorAsync(tenant.Id, "ann@acme.test", Cancel)).ShouldBe(new Actor.OfAddress("ann@acme.test"));
        (await Store.OfAsync(tenant.Id, new Actor.OfAddress("zoe@acme.test"), Cancel)).May(KeyAct.Set, KvpPlace.Process(null), "n").ShouldBeTrue();
    }

    [Fact]
    public async Task An_address_is_one_however_a_person_and_a_group_write_it()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var ann = await tenant.AsAsync(shared.Web, "Ann@Müller.test", "viewer");
        await tenant.Client(shared.Web).PutAsync("/api/access/groups/sales", new StringContent("""{"members": ["ann@müller.test"]}""", Encoding.UTF8, "application/json"), Cancel);

        (await ann.GetAsync("/api/access/explain?act=set&key=a")).GetProperty("groups").ToString().ShouldBe("""["public","registered","sales"]""");
    }

    [Fact]
    public void Only_addresses_that_ask_for_each_KVP_or_have_none_are_open_to_everybody_in_the_tenant()
    {
        string[] judged =
        [
            "POST /in", "POST /in/{key}", "PUT /api/processes/{pid:long:min(1)}/{key}", "DELETE /api/processes/{pid:long:min(1)}/{key}", "PUT /api/shared/{key}", "DELETE /api/shared/{key}",
            "GET /api/processes", "GET /api/processes/{pid:long:min(1)}", "GET /api/shared", "GET /api/events", "GET /api/runs", "GET /api/runs/{id:long:min(1)}", "GET /api/access/explain",
            "GET /api/processes/{pid:long:min(1)}/difference", "GET /api/shared/difference", "POST /api/replays", "GET /api/why",
        ];
        string[] without = ["GET /api/me", "GET /api/tree", "GET /api/files", "GET /api/files/{**path}", "GET /api/rules", "GET /api/rules/graph", "GET /api/app", "GET /api/usage", "GET /git/{slug}.git/info/refs", "POST /git/{slug}.git/git-upload-pack"];

        var open = shared.Web.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().Where(endpoint => endpoint.Metadata.GetMetadata<PersonRequired>()?.Kind == PersonKind.Anybody)
            .Select(endpoint => $"{endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0]} /{endpoint.RoutePattern.RawText!.Trim('/')}");

        open.ShouldBe(judged.Concat(without), ignoreOrder: true);
    }

    [Fact]
    public async Task Every_other_address_is_closed_to_who_may_not_change_rules()
    {
        var ann = await (await TestTenant.MakeAsync(database)).AsAsync(shared.Web, "ann@acme.test", "viewer");
        var closed = shared.Web.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<ScopeRequired>() is not null && endpoint.Metadata.GetMetadata<PersonRequired>()?.Kind != PersonKind.Anybody).ToList();

        closed.Count.ShouldBeGreaterThan(20);
        foreach (var endpoint in closed)
        {
            var path = Part().Replace(endpoint.RoutePattern.RawText!, part =>
                part.Value.Contains("path", StringComparison.Ordinal) ? "workspace/a/check" : part.Value.Contains(":guid", StringComparison.Ordinal) ? $"{Guid.NewGuid()}" : "1");
            using var request = new HttpRequestMessage(new HttpMethod(endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0]), path);
            (await ann.Http.SendAsync(request, Cancel).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("not-allowed", $"{request.Method} {path}");
        }
    }

    /// <summary>A tenant with these entries, and Ann, who may look on.</summary>
    private async Task<(TestTenant Tenant, TestCaller Ann)> WithEntriesAsync(params AccessEntry[] entries)
    {
        var tenant = await TestTenant.MakeAsync(database);
        var ann = await tenant.AsAsync(shared.Web, "ann@acme.test", "viewer");
        await WriteAsync(tenant, entries, []);
        return (tenant, ann);
    }

    /// <summary>These entries and groups, and no others; as they are then.</summary>
    private async Task<AccessRules> WriteAsync(TestTenant tenant, AccessEntry[] entries, AccessGroup[] groups)
    {
        foreach (var old in (await Store.ReadAsync(tenant.Id, Cancel)).Entries)
        {
            await Store.DeleteEntryAsync(tenant.Id, old.Id, "test", WriteCondition.None, Cancel);
        }

        var belonging = (await Store.MembersAsync(tenant.Id, Cancel)).Where(member => member.IsProven).Select(member => member.Address).ToHashSet();
        foreach (var name in groups.Select(group => group.Name).Union(entries.Select(entry => entry.Group)).Where(name => name is not ("public" or "registered")))
        {
            var addresses = groups.FirstOrDefault(group => group.Name == name)?.Addresses.Where(address => name != "admins" || belonging.Contains(address)) ?? [];
            (await Store.SetGroupAsync(tenant.Id, name, [.. addresses], [], "test", WriteCondition.None, Cancel)).ShouldBeOfType<AccessOutcome.GroupSet>();
        }

        foreach (var entry in entries)
        {
            (await Store.SetEntryAsync(tenant.Id, null, entry, "test", WriteCondition.None, Cancel)).ShouldBeOfType<AccessOutcome.EntrySet>();
        }

        return await Store.ReadAsync(tenant.Id, Cancel);
    }

    [GeneratedRegex(@"\{[^{}]*\}")]
    private static partial Regex Part();
}
