using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Eddy.Access;
using Eddy.Postgres;
using Eddy.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Access;

/// <summary>Groups, entries, the audit and explanations over HTTP.</summary>
public sealed class AccessApiTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private const string Entry = """{"group": "sales", "may": ["set"], "keys": ["order_*"], "kind": "invoice"}""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Groups_are_made_changed_listed_and_deleted_with_their_versions()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var person = await tenant.AddMemberAsync("bob@acme.test", "viewer");
        var client = tenant.Client(shared.Web);

        using var made = await client.PutAsync("/api/access/groups/sales", Json($$"""{"members": ["Ann@ACME.test", "{{person}}", "ann@acme.test"]}"""), Cancel);
        using var changed = await SendAsync(client, HttpMethod.Put, "/api/access/groups/sales", """{"members": []}""", "\"1\"");
        var list = await client.GetAsync("/api/access/groups", Cancel).JsonAsync();

        made.StatusCode.ShouldBe(HttpStatusCode.Created);
        made.Headers.Location!.ToString().ShouldBe("/api/access/groups/sales");
        made.Headers.ETag!.Tag.ShouldBe("\"1\"");
        (await Task.FromResult(made).JsonAsync(HttpStatusCode.Created)).GetProperty("members").ToString().ShouldBe($"""["ann@acme.test","{person}"]""");
        changed.Headers.ETag!.Tag.ShouldBe("\"2\"");
        (await SendAsync(client, HttpMethod.Put, "/api/access/groups/sales", """{"members": []}""", "\"1\"").ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        list.GetProperty("groups").EnumerateArray().Select(group => (group.GetProperty("name").GetString(), group.GetProperty("reserved").GetBoolean()))
            .ShouldBe([("admins", true), ("public", true), ("registered", true), ("sales", false)]);
        (await client.GetAsync("/api/access/groups/sales", Cancel)).Headers.ETag!.Tag.ShouldBe("\"2\"");

        (await SendAsync(client, HttpMethod.Delete, "/api/access/groups/sales", null, "\"1\"").ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await client.DeleteAsync("/api/access/groups/sales", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await client.DeleteAsync("/api/access/groups/sales", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await client.GetAsync("/api/access/groups/sales", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
    }

    [Fact]
    public async Task Entries_get_numbers_that_never_come_twice_and_a_group_stays_while_one_names_it()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);
        (await client.PostAsync("/api/access/entries", Json(Entry), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
        await client.PutAsync("/api/access/groups/sales", Json("""{"members": []}"""), Cancel);

        using var first = await client.PostAsync("/api/access/entries", Json(Entry), Cancel);
        using var second = await client.PostAsync("/api/access/entries", Json("""{"group": "public", "may": ["read"], "keys": ["*"], "shared": true}"""), Cancel);
        var inUse = await client.DeleteAsync("/api/access/groups/sales", Cancel).JsonAsync(HttpStatusCode.Conflict);
        await client.DeleteAsync("/api/access/entries/2", Cancel);
        using var third = await client.PostAsync("/api/access/entries", Json(Entry), Cancel);
        using var replaced = await SendAsync(client, HttpMethod.Put, "/api/access/entries/1", """{"group": "sales", "may": ["set", "read"], "keys": ["note"], "kind": "*"}""", first.Headers.ETag!.Tag);

        first.StatusCode.ShouldBe(HttpStatusCode.Created);
        first.Headers.Location!.ToString().ShouldBe("/api/access/entries/1");
        inUse.GetProperty("detail").GetString().ShouldBe("Entry 1 names it; delete that first, or let it name another group.");
        second.Headers.Location!.ToString().ShouldBe("/api/access/entries/2");
        third.Headers.Location!.ToString().ShouldBe("/api/access/entries/3");
        (await SendAsync(client, HttpMethod.Put, "/api/access/entries/1", Entry, first.Headers.ETag.Tag).ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await client.PutAsync("/api/access/entries/2", Json(Entry), Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await client.DeleteAsync("/api/access/entries/2", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        var list = (await client.GetAsync("/api/access/entries", Cancel).JsonAsync()).GetProperty("entries");
        list.EnumerateArray().Select(entry => entry.GetProperty("id").GetInt64()).ShouldBe([1, 3]);
        var one = await client.GetAsync("/api/access/entries/1", Cancel).JsonAsync();
        one.GetProperty("may").ToString().ShouldBe("""["read","set"]""");
        one.GetProperty("keys").ToString().ShouldBe("""["note"]""");
        one.GetProperty("kind").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Theory]
    [InlineData("groups/sales", "[]", "")]
    [InlineData("groups/sales", "{}", "/members")]
    [InlineData("groups/sales", """{"members": ["ann"]}""", "/members/0")]
    [InlineData("groups/sales", """{"members": [], "who": 1}""", "")]
    [InlineData("groups/sales", """{"members": [], "\ud800": 1}""", "")]
    [InlineData("entries/1", """{"group": "sales", "may": ["read"], "keys": ["a"], "\ud800": 1}""", "")]
    [InlineData("entries/1", """{"group": "Sales!", "may": ["read"], "keys": ["a"]}""", "/group")]
    [InlineData("entries/1", """{"group": "sales", "may": ["look"], "keys": ["a"]}""", "/may")]
    [InlineData("entries/1", """{"group": "sales", "may": ["read"], "keys": []}""", "/keys")]
    [InlineData("entries/1", """{"group": "sales", "may": ["read"], "keys": ["a", "a*b"]}""", "/keys/1")]
    [InlineData("entries/1", """{"group": "sales", "may": ["read"], "keys": ["a"], "kind": 5}""", "/kind")]
    [InlineData("entries/1", """{"group": "sales", "may": ["read"], "keys": ["a"], "kind": "b", "shared": true}""", "/kind")]
    [InlineData("entries/1", """{"group": "sales", "may": ["read"], "keys": ["\ud800"]}""", "/keys/0")]
    public async Task What_is_no_group_or_entry_is_told_with_its_place(string path, string body, string pointer)
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);

        var problem = await client.PutAsync("/api/access/" + path, Json(body), Cancel).JsonAsync(HttpStatusCode.BadRequest);

        problem.GetProperty("errors")[0].GetProperty("pointer").GetString().ShouldBe(pointer);
    }

    [Theory]
    [InlineData("PUT", "groups/public")]
    [InlineData("PUT", "groups/registered")]
    [InlineData("PUT", "groups/Sales")]
    [InlineData("DELETE", "groups/admins")]
    [InlineData("GET", "explain?act=look&key=a")]
    [InlineData("GET", "explain?act=set")]
    [InlineData("GET", "explain?act=set&key=a&kind=b&shared=true")]
    [InlineData("GET", "explain?act=set&key=a&actor=ann")]
    [InlineData("GET", "audit?limit=0")]
    public async Task What_can_not_be_asked_is_refused(string method, string path)
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);

        (await SendAsync(client, new HttpMethod(method), "/api/access/" + path, method == "PUT" ? """{"members": []}""" : null, null).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
    }

    [Fact]
    public async Task Nobody_is_put_into_admins_or_by_id_into_any_group_who_does_not_belong_to_the_tenant()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var stranger = await (await TestTenant.MakeAsync(database)).AddMemberAsync("eve@else.test", "owner");
        await tenant.AddMemberAsync("bob@acme.test", "viewer");
        var client = tenant.Client(shared.Web);

        (await client.PutAsync("/api/access/groups/admins", Json("""{"members": ["eve@else.test"]}"""), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
        (await client.PutAsync("/api/access/groups/sales", Json($$"""{"members": ["{{stranger}}"]}"""), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
        (await client.PutAsync("/api/access/groups/admins", Json("""{"members": ["bob@acme.test"]}"""), Cancel)).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await client.GetAsync("/api/access/members", Cancel).JsonAsync()).GetProperty("members").EnumerateArray().Select(member => member.GetProperty("address").GetString()).ShouldBe(["bob@acme.test"]);
    }

    [Fact]
    public async Task The_audit_says_who_changed_what_and_how_it_was()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var client = tenant.Client(shared.Web);
        var owner = await tenant.AsAsync(shared.Web, "ann@acme.test", "owner");
        await owner.PutAsync("/api/access/groups/sales", """{"members": ["bob@acme.test"]}""");
        await client.PostAsync("/api/access/entries", Json(Entry), Cancel);
        await client.PutAsync("/api/access/entries/1", Json("""{"group": "sales", "may": ["read"], "keys": ["a"]}"""), Cancel);
        await client.DeleteAsync("/api/access/entries/1", Cancel);
        (await SendAsync(client, HttpMethod.Put, "/api/access/groups/sales", """{"members": []}""", "\"99\"")).StatusCode.ShouldBe(HttpStatusCode.PreconditionFailed);

        var page = await client.GetAsync("/api/access/audit?limit=3", Cancel).JsonAsync();
        var rest = await client.GetAsync("/api/access/audit?cursor=" + page.GetProperty("next").GetString(), Cancel).JsonAsync();

        page.GetProperty("changes").EnumerateArray().Concat(rest.GetProperty("changes").EnumerateArray())
            .Select(change => $"{change.GetProperty("number")} {change.GetProperty("actor")} {change.GetProperty("action")} {change.GetProperty("subject")}")
            .ShouldBe(["4 key:test delete-entry 1", "3 key:test set-entry 1", "2 key:test set-entry 1", "1 ann@acme.test set-group sales"]);
        var changed = page.GetProperty("changes")[1];
        changed.GetProperty("before").GetProperty("keys").ToString().ShouldBe("""["order_*"]""");
        changed.GetProperty("after").GetProperty("may").ToString().ShouldBe("""["read"]""");
        page.GetProperty("changes")[0].TryGetProperty("after", out _).ShouldBeFalse();
        rest.GetProperty("next").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task Changes_that_come_at_once_all_count_and_none_is_lost()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);
        await client.PutAsync("/api/access/groups/sales", Json("""{"members": []}"""), Cancel);

        var added = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => client.PostAsync("/api/access/entries", Json(Entry), Cancel)));

        added.ShouldAllBe(answer => answer.StatusCode == HttpStatusCode.Created);
        added.Select(answer => answer.Headers.ETag!.Tag).Distinct().Count().ShouldBe(12);
        (await client.GetAsync("/api/access/entries", Cancel).JsonAsync()).GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("id").GetInt64()).ShouldBe(Enumerable.Range(1, 12).Select(n => (long)n));
        (await client.GetAsync("/api/access/audit", Cancel).JsonAsync()).GetProperty("changes").GetArrayLength().ShouldBe(13);
    }

    [Fact]
    public async Task A_tenant_has_so_many_members_and_patterns_and_no_more()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var store = shared.Web.Services.GetRequiredService<AccessStore>();
        string[] members = [.. Enumerable.Range(0, AccessStore.MostMembers).Select(n => $"a{n}@acme.test")];
        var entry = new AccessEntry(0, "public", true, false, [.. Enumerable.Range(0, AccessEntry.MostKeys).Select(n => AccessGen.Pattern($"a{n}"))], null, false);

        for (var i = 0; i < AccessStore.MostMembersInAll / members.Length; i++)
        {
            (await store.SetGroupAsync(tenant.Id, $"g{i}", members, [], "test", WriteCondition.None, Cancel)).ShouldBeOfType<AccessOutcome.GroupSet>();
        }

        for (var i = 0; i < AccessStore.MostPatternsInAll / AccessEntry.MostKeys; i++)
        {
            (await store.SetEntryAsync(tenant.Id, null, entry, "test", WriteCondition.None, Cancel)).ShouldBeOfType<AccessOutcome.EntrySet>();
        }

        var client = tenant.Client(shared.Web);
        (await client.PutAsync("/api/access/groups/more", Json("""{"members": ["ann@acme.test"]}"""), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("too-many");
        (await client.PutAsync("/api/access/groups/g0", Json("""{"members": ["ann@acme.test"]}"""), Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.PostAsync("/api/access/entries", Json("""{"group": "public", "may": ["read"], "keys": ["a"]}"""), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("too-many");
        (await client.PutAsync("/api/access/entries/1", Json("""{"group": "public", "may": ["read"], "keys": ["a"]}"""), Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Another_tenants_groups_and_entries_are_not_there_and_say_nothing_here()
    {
        var (mine, other) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        var owner = mine.Client(shared.Web);
        await mine.AddMemberAsync("ann@acme.test", "owner");
        await owner.PutAsync("/api/access/groups/sales", Json("""{"members": ["ann@acme.test"]}"""), Cancel);
        await owner.PostAsync("/api/access/entries", Json(Entry), Cancel);
        var stranger = other.Client(shared.Web);

        foreach (var path in (string[])["groups/sales", "entries/1"])
        {
            (await stranger.GetAsync("/api/access/" + path, Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
            (await stranger.DeleteAsync("/api/access/" + path, Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        }

        (await stranger.PutAsync("/api/access/entries/1", Json(Entry), Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await stranger.PostAsync("/api/access/entries", Json(Entry), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
        foreach (var path in (string[])["entries", "audit", "members"])
        {
            (await stranger.GetAsync("/api/access/" + path, Cancel).JsonAsync()).EnumerateObject().First().Value.GetArrayLength().ShouldBe(0);
        }

        (await stranger.GetAsync("/api/access/groups", Cancel).JsonAsync()).ToString().ShouldNotContain("sales");
        // There she is an owner, here a stranger.
        var explained = await stranger.GetAsync("/api/access/explain?actor=ann@acme.test&act=set&key=order_total&kind=invoice", Cancel).JsonAsync();
        explained.GetProperty("allowed").GetBoolean().ShouldBeFalse();
        explained.GetProperty("groups").ToString().ShouldBe("""["public"]""");
        (await stranger.GetAsync("/api/access/explain?actor=key:nobodys&act=set&key=a", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
    }

    [Theory]
    [InlineData("viewer", false)]
    [InlineData("editor", false)]
    [InlineData("owner", true)]
    public async Task Who_may_change_who_may_is_an_owner_or_one_of_admins(string role, bool may)
    {
        var tenant = await TestTenant.MakeAsync(database);
        var ann = await tenant.AsAsync(shared.Web, "ann@acme.test", role);

        foreach (var path in (string[])["groups", "entries", "audit", "members", "explain?actor=bob@acme.test&act=set&key=a"])
        {
            (await ann.Http.GetAsync("/api/access/" + path, Cancel)).StatusCode.ShouldBe(may ? HttpStatusCode.OK : HttpStatusCode.Forbidden, path);
        }

        using var made = await ann.PutAsync("/api/access/groups/sales", """{"members": []}""");
        using var added = await ann.Http.PostAsync("/api/access/entries", Json("""{"group": "public", "may": ["read"], "keys": ["a"]}"""), Cancel);
        (made.StatusCode, added.StatusCode).ShouldBe(may ? (HttpStatusCode.Created, HttpStatusCode.Created) : (HttpStatusCode.Forbidden, HttpStatusCode.Forbidden));
        if (!may)
        {
            (await Task.FromResult(made).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("not-allowed");
            await tenant.Client(shared.Web).PutAsync("/api/access/groups/admins", Json("""{"members": ["ann@acme.test"]}"""), Cancel);
            (await ann.PutAsync("/api/access/groups/sales", """{"members": []}""")).StatusCode.ShouldBe(HttpStatusCode.Created);
        }
    }

    [Fact]
    public async Task Everybody_who_belongs_to_the_tenant_may_ask_about_themselves()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var ann = await tenant.AsAsync(shared.Web, "ann@acme.test", "viewer", Scope.Read);
        var client = tenant.Client(shared.Web);
        await client.PutAsync("/api/access/groups/sales", Json("""{"members": ["ann@acme.test"]}"""), Cancel);
        await client.PostAsync("/api/access/entries", Json(Entry), Cancel);

        var own = await ann.GetAsync("/api/access/explain?act=set&kind=invoice&key=order_total");
        var asked = await client.GetAsync("/api/access/explain?actor=Ann@acme.test&act=set&kind=invoice&key=order_total", Cancel).JsonAsync();
        var bare = await client.GetAsync("/api/access/explain?act=set&shared=true&key=order_total", Cancel).JsonAsync();
        var anybody = await client.GetAsync("/api/access/explain?actor=anybody&act=read&key=order_total", Cancel).JsonAsync();

        own.ToString().ShouldBe("""{"allowed":true,"actor":"ann@acme.test","groups":["public","registered","sales"],"entry":1,"entries":[1],"sentence":"ann@acme.test may set order_total of a process of kind invoice: they are in sales, which entry 1 lets set order_* of kind invoice."}""");
        asked.ToString().ShouldBe(own.ToString());
        bare.GetProperty("sentence").GetString().ShouldBe("key:test may set the shared KVP order_total: it acts for the tenant.");
        anybody.GetProperty("allowed").GetBoolean().ShouldBeFalse();
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, HttpMethod method, string path, string? body, string? ifMatch)
    {
        var request = new HttpRequestMessage(method, path) { Content = body is null ? null : Json(body) };
        if (ifMatch is not null)
        {
            request.Headers.IfMatch.Add(EntityTagHeaderValue.Parse(ifMatch));
        }

        return client.SendAsync(request, Cancel);
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");
}
