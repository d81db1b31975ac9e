using System.Net;
using Eddy.Pages;
using Eddy.Tests.Browser;
using Eddy.Tests.Sites;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Pages;

/// <summary>Pages at a tenant's host: where they are, for whom, and what is not shown.</summary>
public sealed class PageSiteTests(TestWay way) : IClassFixture<TestWay>
{
    private const string Public = """<meta name="eddy-access" content="public">""";

    [Fact]
    public async Task Pages_answer_at_their_addresses_to_GET_and_HEAD_with_a_tag()
    {
        var caller = await way.CallerAsync(("pages/index.html", Public + "home"), ("pages/a/index.html", Public + "in a"), ("pages/a/b.html", Public + "b {{ shared.x }}"), ("pages/_404.html", Public + "nothing of ours"));

        (await way.Web.SeeAsync(caller.Tenant, "/")).Text.ShouldContain("home");
        (await way.Web.SeeAsync(caller.Tenant, "/a")).Text.ShouldContain("in a");
        var (status, _, answer) = await way.Web.SeeAsync(caller.Tenant, "/a/b");
        status.ShouldBe(HttpStatusCode.OK);
        (await way.Web.SeeAsync(caller.Tenant, "/a/b", tag: answer.Headers.ETag!.Tag)).Status.ShouldBe(HttpStatusCode.NotModified);
        (await way.Web.SeeAsync(caller.Tenant, "/a/b", HttpMethod.Head)).Text.ShouldBeEmpty();
        (await caller.PutAsync("/api/shared/x", "5")).EnsureSuccessStatusCode();
        await Patience.UntilAsync("the page has another tag", Patience.Long, async () => (await way.Web.SeeAsync(caller.Tenant, "/a/b", tag: answer.Headers.ETag!.Tag)).Status == HttpStatusCode.OK);

        foreach (var nowhere in new[] { "/none", "/_404", "/a/_part", "/pages/index.html" })
        {
            (status, var text, _) = await way.Web.SeeAsync(caller.Tenant, nowhere);
            (status, text.Contains("nothing of ours", StringComparison.Ordinal)).ShouldBe((HttpStatusCode.NotFound, true), nowhere);
        }
    }

    [Fact]
    public async Task A_tenant_s_pages_and_KVPs_are_at_no_other_tenant_s_host()
    {
        var caller = await way.CallerAsync(("pages/mine.html", Public + "mine {{ process.secret }}"));
        var other = await way.CallerAsync(("pages/other.html", Public + "{{ process.secret }}|{% processes all limit: 200 %}{{ all.size }}"));
        var pid = (await caller.SettleAsync("""{"secret": "of one"}""")).GetProperty("pid").GetInt64();

        (await way.Web.SeeAsync(caller.Tenant, $"/mine?pid={pid}")).Text.ShouldContain("of one");
        (await way.Web.SeeAsync(other.Tenant, "/mine")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await way.Web.SeeAsync(other.Tenant, $"/other?pid={pid}")).Text.ShouldEndWith("|0");
    }

    [Fact]
    public async Task A_page_of_members_asks_for_the_sign_in_and_shows_each_what_they_may_read()
    {
        var caller = await way.CallerAsync(
            ("pages/room.html", "{{ process.room }}/{{ process.salary }}/{{ visitor.address }}{% processes rich salary__gt: 1 %}/{{ rich.size }}"), ("pages/hr.html", """<meta name="eddy-access" content="group:hr">for hr"""));
        var pid = (await caller.SettleAsync("""{"kind": "desk", "room": "attic", "salary": 10}""")).GetProperty("pid").GetInt64();
        (await caller.Http.PostAsync("/api/access/entries", new StringContent("""{"group": "registered", "may": ["read"], "keys": ["room"], "kind": "desk"}""", System.Text.Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken))
            .EnsureSuccessStatusCode();

        var (status, _, answer) = await way.Web.SeeAsync(caller.Tenant, $"/room?pid={pid}");
        status.ShouldBe(HttpStatusCode.Redirect);
        answer.Headers.Location!.ToString().ShouldBe($"/_eddy/sign-in?to={Uri.EscapeDataString($"/room?pid={pid}")}");

        using var member = new TestVisitor(way.Web);
        await member.SignInAsync(await TestBrowser.AddPersonAsync(caller.Tenant, "viewer"));
        await member.EnterAsync(caller.Tenant);
        var seen = await member.GetAsync(new Uri(member.SiteOf(caller.Tenant), $"/room?pid={pid}"));
        seen.Text.ShouldContain("attic//");
        seen.Text.ShouldEndWith("/0");
        seen.Headers["Cache-Control"].ShouldContain("private");
        (await member.GetAsync(new Uri(member.SiteOf(caller.Tenant), "/hr"))).Status.ShouldBe(HttpStatusCode.Forbidden);

        using var owner = new TestVisitor(way.Web);
        await owner.SignInAsync(await TestBrowser.AddPersonAsync(caller.Tenant, "owner"));
        await owner.EnterAsync(caller.Tenant);
        seen = await owner.GetAsync(new Uri(owner.SiteOf(caller.Tenant), $"/room?pid={pid}"));
        seen.Text.ShouldContain("attic/10/");
        seen.Text.ShouldEndWith("/1");
    }

    [Fact]
    public async Task A_page_that_can_not_be_shown_says_so_and_tells_its_author_alone_why()
    {
        var caller = await way.CallerAsync(("pages/bad.html", Public + "{% include '_gone' %}"));

        var (status, text, _) = await way.Web.SeeAsync(caller.Tenant, "/bad");

        status.ShouldBe(HttpStatusCode.InternalServerError);
        text.ShouldContain("This page can not be shown");
        text.ShouldNotContain("_gone");
        way.Web.Services.GetRequiredService<PageFaults>().Of(caller.Tenant.Id).ShouldHaveSingleItem().Message.ShouldBe("There is no part pages/_gone.html.");
    }

    [Fact]
    public async Task A_page_that_does_not_parse_is_not_in_force_and_the_one_before_stays()
    {
        var caller = await way.CallerAsync(("pages/x.html", Public + "good"));

        var saved = await caller.SaveAsync("pages/x.html", Public + "\n{% if %}");

        saved.GetProperty("faults")[0].GetProperty("line").GetInt32().ShouldBe(2);
        (await way.Web.SeeAsync(caller.Tenant, "/x")).Text.ShouldContain("good");
    }

    [Fact]
    public async Task Scripts_set_what_the_visitor_may_and_from_no_other_origin()
    {
        var caller = await way.CallerAsync();
        (await SetAsync(caller.Tenant, """{"vote": 1}""", own: true)).ShouldBe(HttpStatusCode.Forbidden);
        (await caller.Http.PostAsync("/api/access/entries", new StringContent("""{"group": "public", "may": ["set"], "keys": ["vote"]}""", System.Text.Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken))
            .EnsureSuccessStatusCode();

        (await SetAsync(caller.Tenant, """{"vote": 1}""", own: true)).ShouldBe(HttpStatusCode.OK);
        (await SetAsync(caller.Tenant, """{"vote": 1, "admin": true}""", own: true)).ShouldBe(HttpStatusCode.Forbidden);
        (await SetAsync(caller.Tenant, """{"vote": 1}""", own: false)).ShouldBe(HttpStatusCode.Forbidden);
        (await SetAsync(caller.Tenant, "[]", own: true)).ShouldBe(HttpStatusCode.BadRequest);
    }

    private async Task<HttpStatusCode> SetAsync(TestTenant tenant, string body, bool own)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(way.Web.Address, "/_eddy/kvps")) { Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
        request.Headers.Host = $"{tenant.Slug}.localhost:{way.Web.Address.Port}";
        request.Headers.Add("Origin", own ? $"http://{tenant.Slug}.localhost:{way.Web.Address.Port}" : "http://evil.localhost");
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }
}
