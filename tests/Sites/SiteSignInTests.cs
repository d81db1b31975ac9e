using System.Net;
using Eddy.Access;
using Eddy.Identity;
using Eddy.Sites;
using Eddy.Tests.Browser;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Eddy.Tests.Sites;

/// <summary>How members come from the platform to a tenant's host, and nobody else does.</summary>
public sealed class SiteSignInTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private const string Waits = "No card waits for you";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_member_who_is_signed_in_on_the_platform_is_in_without_a_question_and_back_where_they_were()
    {
        var (tenant, address) = await WithMemberAsync();
        using var visitor = await SignedInAsync(address);
        (await HomeAsync(visitor, tenant)).ShouldNotContain(address);

        var end = await visitor.EnterAsync(tenant, "/board?room=3#top");

        end.ShouldBe(new Uri(visitor.SiteOf(tenant), "/board?room=3#top"));
        var home = await HomeAsync(visitor, tenant);
        home.ShouldContain(address);
        home.ShouldContain(Waits);
        visitor.CookieLines.Count(line => line.StartsWith("__Host-eddy-", StringComparison.Ordinal) && line.Contains("secure", StringComparison.OrdinalIgnoreCase)
            && line.Contains("httponly", StringComparison.OrdinalIgnoreCase) && line.Contains("path=/", StringComparison.OrdinalIgnoreCase)
            && !line.Contains("domain=", StringComparison.OrdinalIgnoreCase)).ShouldBe(visitor.CookieLines.Count);
        visitor.CookiesOf(visitor.SiteOf(tenant)).Keys.ShouldBe([SiteCookie.Name]);
    }

    [Fact]
    public async Task Who_is_not_signed_in_on_the_platform_signs_in_there_first()
    {
        var (tenant, _) = await WithMemberAsync();
        using var visitor = new TestVisitor(shared.Web);

        var (page, next) = await visitor.BeginAsync(tenant);

        next.ShouldBeNull();
        page.To!.AbsolutePath.ShouldBe("/sign-in");
        Destination(page.To).ShouldStartWith("/site-sign-in?site=" + tenant.Slug);
    }

    [Fact]
    public async Task Who_is_no_member_is_told_so_and_gets_no_code()
    {
        var (tenant, _) = await WithMemberAsync();
        var (_, stranger) = await WithMemberAsync();
        using var visitor = await SignedInAsync(stranger);

        var (page, next) = await visitor.BeginAsync(tenant);

        next.ShouldBeNull();
        page.Status.ShouldBe(HttpStatusCode.Forbidden);
        page.Text.ShouldContain($"You do not belong to {tenant.Slug}");
        (await CodesAsync(tenant)).ShouldBe(0);
    }

    [Fact]
    public async Task A_code_is_good_once()
    {
        var (tenant, address) = await WithMemberAsync();
        using var visitor = await SignedInAsync(address);
        var (_, next) = await visitor.BeginAsync(tenant);
        var way = visitor.CookiesOf(next!).ToDictionary();
        (await visitor.GetAsync(next!)).Status.ShouldBe(HttpStatusCode.Redirect);
        visitor.CookiesOf(next!).Clear();
        foreach (var (name, value) in way)
        {
            visitor.CookiesOf(next!)[name] = value;
        }

        var again = await visitor.GetAsync(next!);

        again.Status.ShouldBe(HttpStatusCode.BadRequest);
        visitor.CookiesOf(next!).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_code_ends_after_a_minute()
    {
        var (tenant, address) = await WithMemberAsync();
        using var visitor = await SignedInAsync(address);
        var (_, next) = await visitor.BeginAsync(tenant);
        await tenant.PrepareAsync("update site_codes set ends_at = ends_at - interval '61 seconds' where tenant_id = $1");

        (await visitor.GetAsync(next!)).Status.ShouldBe(HttpStatusCode.BadRequest);

        (await HomeAsync(visitor, tenant)).ShouldNotContain(address);
    }

    [Fact]
    public async Task A_code_is_nothing_in_a_browser_that_did_not_ask_for_it_and_then_nowhere()
    {
        var (tenant, attacker) = await WithMemberAsync();
        using var theirs = await SignedInAsync(attacker);
        var (_, next) = await theirs.BeginAsync(tenant);
        using var victim = new TestVisitor(shared.Web);
        // The victim has begun a way of their own; the attacker's link comes in between.
        await victim.GetAsync(new Uri(victim.SiteOf(tenant), "/_eddy/sign-in"));

        (await victim.GetAsync(next!)).Status.ShouldBe(HttpStatusCode.BadRequest);

        victim.CookiesOf(next!).ShouldBeEmpty();
        (await theirs.GetAsync(next!)).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_code_is_nothing_at_the_host_of_another_tenant()
    {
        var (tenant, address) = await WithMemberAsync();
        var other = await TestTenant.MakeAsync(database);
        using var visitor = await SignedInAsync(address);
        var (_, next) = await visitor.BeginAsync(tenant);
        foreach (var (name, value) in visitor.CookiesOf(next!))
        {
            visitor.CookiesOf(visitor.SiteOf(other))[name] = value;
        }

        var entered = await visitor.GetAsync(new Uri(visitor.SiteOf(other), next!.PathAndQuery));

        entered.Status.ShouldBe(HttpStatusCode.BadRequest);
        visitor.CookiesOf(visitor.SiteOf(other)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_cookie_of_one_tenant_s_host_is_nothing_at_that_of_another_where_the_same_person_is_a_member()
    {
        var (tenant, address) = await WithMemberAsync();
        var other = await TestTenant.MakeAsync(database);
        await other.PrepareAsync($"insert into members (tenant_id, person_id, role) select $1, id, 'owner' from people where email = '{address}'");
        using var visitor = await SignedInAsync(address);
        await visitor.EnterAsync(tenant);
        visitor.CookiesOf(visitor.SiteOf(other))[SiteCookie.Name] = visitor.CookiesOf(visitor.SiteOf(tenant))[SiteCookie.Name];

        (await HomeAsync(visitor, other)).ShouldNotContain(address);
        (await HomeAsync(visitor, tenant)).ShouldContain(address);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("CfDJ8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_made_up_cookie_is_nothing(string cookie)
    {
        var (tenant, address) = await WithMemberAsync();
        using var visitor = new TestVisitor(shared.Web);
        visitor.CookiesOf(visitor.SiteOf(tenant))[SiteCookie.Name] = cookie;

        (await HomeAsync(visitor, tenant)).ShouldNotContain(address);
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example/")]
    [InlineData("/_eddy/sign-in")]
    [InlineData("/_EDDY/sign-out")]
    [InlineData("javascript:alert(1)")]
    [InlineData("/a\nb")]
    public async Task The_way_ends_at_the_site_wherever_it_is_asked_to(string to)
    {
        var (tenant, address) = await WithMemberAsync();
        using var visitor = await SignedInAsync(address);

        (await visitor.EnterAsync(tenant, to)).ShouldBe(visitor.SiteOf(tenant));
    }

    [Fact]
    public async Task The_platform_sends_to_no_host_but_the_tenant_s()
    {
        var (tenant, address) = await WithMemberAsync();
        using var visitor = await SignedInAsync(address);
        var state = SiteCodes.StateOf(SiteCodes.NewSecret());
        foreach (var query in new[] { $"site={tenant.Slug}&host=evil.example&state={state}", $"site=evil.example/x&state={state}", $"site={tenant.Slug}&state=x", $"site={tenant.Slug}", $"state={state}", "" })
        {
            var page = await visitor.GetAsync(new Uri(visitor.Platform, "/site-sign-in?" + query));
            ((int)page.Status).ShouldBeInRange(400, 404, query);
            page.Refresh.ShouldBeNull(query);
        }

        (await CodesAsync(tenant)).ShouldBe(0);
    }

    [Fact]
    public async Task At_a_host_of_their_own_the_way_leads_back_there()
    {
        var (tenant, address) = await WithMemberAsync();
        await using var web = await TestWeb.StartAsync(database, $"Sites:Hosts:shop.localhost={tenant.Slug}");
        using var visitor = new TestVisitor(web);
        await visitor.SignInAsync(address);
        var shop = new Uri($"http://shop.localhost:{web.Address.Port}");

        var begun = await visitor.GetAsync(new Uri(shop, "/_eddy/sign-in"));
        var next = (await visitor.GetAsync(begun.To!)).Refresh.ShouldNotBeNull();
        (await visitor.GetAsync(next)).Status.ShouldBe(HttpStatusCode.Redirect);

        next.Authority.ShouldBe(shop.Authority);
        (await visitor.GetAsync(shop)).Text.ShouldContain(address);
    }

    [Fact]
    public async Task Whoever_signs_out_on_the_platform_is_out_on_the_site()
    {
        var (tenant, address) = await WithMemberAsync();
        using var visitor = await SignedInAsync(address);
        await visitor.EnterAsync(tenant);
        (await HomeAsync(visitor, tenant)).ShouldContain(address);

        (await visitor.PostAsync(new Uri(visitor.Platform, "/sign-out"), [], ("Sec-Fetch-Site", "same-origin"))).Status.ShouldBe(HttpStatusCode.Redirect);

        await GoneAsync(visitor, tenant, address);
    }

    [Fact]
    public async Task Whoever_is_removed_from_the_tenant_is_out_on_the_site()
    {
        var (tenant, _) = await WithMemberAsync();
        var address = await TestBrowser.AddPersonAsync(tenant, "viewer");
        using var visitor = await SignedInAsync(address);
        await visitor.EnterAsync(tenant);
        (await HomeAsync(visitor, tenant)).ShouldContain(address);
        var person = (await shared.Web.Services.GetRequiredService<AccessStore>().MembersAsync(tenant.Id, Cancel)).Single(one => one.Address == address).Person;

        (await shared.Web.Services.GetRequiredService<Members>().RemoveAsync(tenant.Id, person, address, Cancel)).ShouldBeNull();

        await GoneAsync(visitor, tenant, address);
    }

    [Fact]
    public async Task Signing_out_on_the_site_takes_a_page_of_the_site()
    {
        var (tenant, address) = await WithMemberAsync();
        using var visitor = await SignedInAsync(address);
        await visitor.EnterAsync(tenant);
        var site = visitor.SiteOf(tenant);
        foreach (var from in new (string, string)[][] { [], [("Origin", "http://evil.example")], [("Origin", "null")], [("Sec-Fetch-Site", "cross-site")], [("Sec-Fetch-Site", "same-site")], [("Origin", visitor.Platform.GetLeftPart(UriPartial.Authority))] })
        {
            (await visitor.PostAsync(new Uri(site, "/_eddy/sign-out"), [], from)).Status.ShouldBe(HttpStatusCode.Forbidden);
        }

        (await HomeAsync(visitor, tenant)).ShouldContain(address);

        (await visitor.PostAsync(new Uri(site, "/_eddy/sign-out"), [], ("Origin", site.GetLeftPart(UriPartial.Authority)))).Status.ShouldBe(HttpStatusCode.Redirect);

        visitor.CookiesOf(site).ShouldBeEmpty();
        (await HomeAsync(visitor, tenant)).ShouldNotContain(address);
    }

    [Fact]
    public async Task Whoever_signs_out_on_the_site_is_out_there_with_every_copy_of_the_cookie_and_nowhere_else()
    {
        var (tenant, address) = await WithMemberAsync();
        using var visitor = await SignedInAsync(address);
        await visitor.EnterAsync(tenant);
        var site = visitor.SiteOf(tenant);
        using var copy = new TestVisitor(shared.Web);
        copy.CookiesOf(site)[SiteCookie.Name] = visitor.CookiesOf(site)[SiteCookie.Name];
        (await HomeAsync(copy, tenant)).ShouldContain(address);
        using var elsewhere = await SignedInAsync(address);
        await elsewhere.EnterAsync(tenant);

        (await visitor.PostAsync(new Uri(site, "/_eddy/sign-out"), [], ("Origin", site.GetLeftPart(UriPartial.Authority)))).Status.ShouldBe(HttpStatusCode.Redirect);

        (await HomeAsync(copy, tenant)).ShouldNotContain(address);
        // Another web knows it from the database.
        await using (var web = await TestWeb.StartAsync(database))
        {
            using var there = new TestVisitor(web);
            there.CookiesOf(there.SiteOf(tenant))[SiteCookie.Name] = copy.CookiesOf(site)[SiteCookie.Name];
            (await HomeAsync(there, tenant)).ShouldNotContain(address);
            there.CookiesOf(there.SiteOf(tenant))[SiteCookie.Name] = elsewhere.CookiesOf(site)[SiteCookie.Name];
            (await HomeAsync(there, tenant)).ShouldContain(address);
        }

        // The platform knows them as before.
        await visitor.EnterAsync(tenant);
        (await HomeAsync(visitor, tenant)).ShouldContain(address);
    }

    [Fact]
    public async Task What_is_kept_of_a_code_is_a_tenant_s_own_and_no_code()
    {
        var (tenant, address) = await WithMemberAsync();
        var other = await TestTenant.MakeAsync(database);
        using var visitor = await SignedInAsync(address);
        var (_, next) = await visitor.BeginAsync(tenant);
        var code = QueryHelpers.ParseQuery(next!.Query)["code"].ToString();

        (await CodesAsync(tenant)).ShouldBe(1);
        await using var connection = await database.App.OpenConnectionAsync(Cancel);
        foreach (var named in new[] { "", other.Id.ToString() })
        {
            await using var look = new NpgsqlCommand($"select set_config('app.tenant_id', '{named}', false); select count(*) from site_codes", connection);
            await using var rows = await look.ExecuteReaderAsync(Cancel);
            await rows.NextResultAsync(Cancel);
            await rows.ReadAsync(Cancel);
            rows.GetInt64(0).ShouldBe(0);
        }

        await using var text = database.Superuser.CreateCommand("select string_agg(c::text, ' ') from site_codes c");
        ((string)(await text.ExecuteScalarAsync(Cancel))!).ShouldNotContain(code);
    }

    [Theory]
    [InlineData("http://acme.localhost", null)]
    [InlineData("null", "cross-site")]
    [InlineData("null", "same-site")]
    [InlineData(null, "cross-site")]
    public async Task What_another_page_sends_with_a_person_s_cookie_the_platform_does_not_take(string? origin, string? site)
    {
        var (tenant, address) = await WithMemberAsync();
        using var visitor = await SignedInAsync(address);
        (string, string)[] from = [.. new[] { ("Origin", origin), ("Sec-Fetch-Site", site) }.Where(one => one.Item2 is not null).Select(one => (one.Item1, one.Item2!))];
        foreach (var path in new[] { "/sign-out", "/passkeys/creation", "/_blazor/negotiate", "/account" })
        {
            (await visitor.PostAsync(new Uri(visitor.Platform, path), [], from)).Status.ShouldBe(HttpStatusCode.Forbidden, path);
        }

        (await visitor.GetAsync(new Uri(visitor.Platform, "/_blazor?id=x"), [.. from.Where(one => one.Item1 == "Origin"), ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]))
            .Status.ShouldBe(origin is null ? HttpStatusCode.NotFound : HttpStatusCode.Forbidden);
        (await visitor.BeginAsync(tenant)).Next.ShouldNotBeNull();
    }

    private async Task<(TestTenant Tenant, string Address)> WithMemberAsync()
    {
        var tenant = await TestTenant.MakeAsync(database);
        return (tenant, await TestBrowser.AddPersonAsync(tenant, "owner"));
    }

    private async Task<TestVisitor> SignedInAsync(string address)
    {
        var visitor = new TestVisitor(shared.Web);
        await visitor.SignInAsync(address);
        return visitor;
    }

    private static async Task<string> HomeAsync(TestVisitor visitor, TestTenant tenant) => (await visitor.GetAsync(visitor.SiteOf(tenant))).Text;

    private static Task GoneAsync(TestVisitor visitor, TestTenant tenant, string address) =>
        Patience.UntilAsync("they are nobody there", Patience.Long, async () => !(await HomeAsync(visitor, tenant)).Contains(address, StringComparison.Ordinal));

    private static string Destination(Uri address) => QueryHelpers.ParseQuery(address.Query)["to"].ToString();

    private async Task<long> CodesAsync(TestTenant tenant)
    {
        await using var count = database.Superuser.CreateCommand("select count(*) from site_codes where tenant_id = $1");
        count.Parameters.Add(new() { Value = tenant.Id.Value });
        return (long)(await count.ExecuteScalarAsync(Cancel))!;
    }
}
