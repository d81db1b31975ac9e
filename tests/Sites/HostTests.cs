using System.Net;
using Eddy.Sites;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Sites;

/// <summary>The tenants' own hosts: whose they are, and what answers there.</summary>
public sealed class HostTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private SiteHosts Hosts => shared.Web.Services.GetRequiredService<SiteHosts>();

    [Fact]
    public async Task A_host_is_the_tenant_s_of_that_slug()
    {
        var tenant = await TestTenant.MakeAsync(database, "Europe/Berlin");

        var site = (await Hosts.FindAsync(new HostString($"{tenant.Slug.ToUpperInvariant()}.localhost:1"), Cancel)).ShouldNotBeNull();

        site.Tenant.ShouldBe(tenant.Id);
        site.Slug.ShouldBe(tenant.Slug);
        site.Zone.Id.ShouldBe("Europe/Berlin");
        site.Origin.ShouldBe(new Uri($"http://{tenant.Slug}.localhost:{shared.Web.Address.Port}"));
    }

    [Theory]
    [InlineData("nobodys-at-all.localhost")]
    [InlineData("a.b.localhost")]
    [InlineData("platform.localhost")]
    [InlineData("..localhost")]
    [InlineData("x'; drop.localhost")]
    public async Task A_host_of_nobody_is_told_so_and_shows_nothing_of_the_platform(string host)
    {
        Hosts.Has(new HostString(host)).ShouldBeTrue();
        (await Hosts.FindAsync(new HostString(host), Cancel)).ShouldBeNull();
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST:80")]
    [InlineData("127.0.0.1:5080")]
    [InlineData("notlocalhost")]
    [InlineData("localhost.example")]
    public void A_host_of_the_platform_is_no_tenant_s(string host) => Hosts.Has(new HostString(host)).ShouldBeFalse();

    [Fact]
    public async Task Nothing_of_the_platform_answers_on_a_tenant_s_host_and_nothing_of_that_on_the_platform_s()
    {
        var tenant = await TestTenant.MakeAsync(database);
        foreach (var path in new[] { "/sign-in", "/t", "/in", "/health/live", "/openapi/v1.json", "/docs/api", "/_blazor", "/look/tokens.css", "/api/files", "/metrics" })
        {
            using var answer = await AskAsync($"{tenant.Slug}.localhost", path, tenant.Key);
            answer.StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
            answer.Headers.Contains("Set-Cookie").ShouldBeFalse(path);
        }

        using var ours = await AskAsync($"{tenant.Slug}.localhost", "/_eddy/ours.css");
        ours.StatusCode.ShouldBe(HttpStatusCode.OK);
        ours.Content.Headers.ContentType!.MediaType.ShouldBe("text/css");
        using var none = await AskAsync("localhost", "/_eddy/ours.css");
        none.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("/_eddy/../identity/entry.js")]
    [InlineData("/_eddy/..%2fidentity/entry.js")]
    [InlineData("/_eddy/look/../identity/entry.js")]
    [InlineData("/_eddy/look/%2e%2e/identity/entry.js")]
    [InlineData("/_eddy/identity/entry.js")]
    public async Task Of_our_files_those_for_sites_alone_are_there(string path)
    {
        var tenant = await TestTenant.MakeAsync(database);

        using var answer = await AskAsync($"{tenant.Slug}.localhost", path);

        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_file_of_ours_that_a_browser_has_is_not_sent_again()
    {
        var tenant = await TestTenant.MakeAsync(database);
        using var first = await AskAsync($"{tenant.Slug}.localhost", "/_eddy/look/tokens.css");
        using var http = new HttpClient();
        using var again = new HttpRequestMessage(HttpMethod.Get, new Uri(shared.Web.Address, "/_eddy/look/tokens.css"));
        again.Headers.Host = $"{tenant.Slug}.localhost";
        again.Headers.IfNoneMatch.Add(first.Headers.ETag.ShouldNotBeNull());

        using var answer = await http.SendAsync(again, Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.NotModified);
    }

    [Fact]
    public async Task A_host_of_nobody_answers_people_in_words_and_programs_with_a_problem()
    {
        using var page = await AskAsync("nobodys-at-all.localhost", "/");
        page.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        page.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
        (await page.Content.ReadAsStringAsync(Cancel)).ShouldContain("Nobody has a site at nobodys-at-all.localhost.");

        (await AskAsync("nobodys-at-all.localhost", "/api/v1/a/b").ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
    }

    [Fact]
    public async Task A_site_reaches_and_is_framed_by_nothing_but_what_it_needs()
    {
        var tenant = await TestTenant.MakeAsync(database);

        using var answer = await AskAsync($"{tenant.Slug}.localhost", "/nothing");

        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        policy.ShouldContain("connect-src 'self';");
        policy.ShouldContain("form-action 'self';");
        policy.ShouldContain($"frame-ancestors 'self' http://127.0.0.1:{shared.Web.Address.Port} http://localhost:{shared.Web.Address.Port}");
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        answer.Headers.GetValues("Referrer-Policy").ShouldBe(["same-origin"]);
    }

    [Fact]
    public async Task A_host_of_their_own_leads_to_the_tenant_too()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await using var web = await TestWeb.StartAsync(database, $"Sites:Hosts:shop.example.test={tenant.Slug}");
        var hosts = web.Services.GetRequiredService<SiteHosts>();

        var site = (await hosts.FindAsync(new HostString("Shop.example.test"), Cancel)).ShouldNotBeNull();

        site.Tenant.ShouldBe(tenant.Id);
        site.Origin.Host.ShouldBe("shop.example.test");
        hosts.Has(new HostString("other.example.test")).ShouldBeFalse();
    }

    [Fact]
    public async Task Without_a_domain_there_are_no_sites()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await using var web = await TestWeb.StartAsync(database, "Sites:Domain=");
        using var http = new HttpClient();
        using var ask = new HttpRequestMessage(HttpMethod.Get, new Uri(web.Address, "/_eddy/ours.css"));
        ask.Headers.Host = $"{tenant.Slug}.localhost";

        using var answer = await http.SendAsync(ask, Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        web.Services.GetRequiredService<SiteHosts>().AreOn.ShouldBeFalse();
    }

    [Theory]
    [InlineData("no domain at all", null, null, "Sites:Domain is 'no domain at all'")]
    [InlineData("apps.example.com", null, null, "Sites:Platform is not set")]
    [InlineData("apps.example.com", "eddy.example.com", null, "Sites:Platform is 'eddy.example.com'")]
    [InlineData("example.com", "https://eddy.example.com", null, "pages of tenants would be its neighbours")]
    [InlineData("apps.example.com", "https://eddy.example.org", "bad host", "Sites:Hosts names 'bad host'")]
    [InlineData("apps.example.com", "https://eddy.example.org", "eddy.example.org", "the platform's own host")]
    [InlineData(null, null, "shop.example.com", "Sites:Domain says no domain")]
    public void What_is_wrong_with_the_settings_is_said(string? domain, string? platform, string? host, string fault)
    {
        var options = new SiteOptions { Domain = domain, Platform = platform };
        if (host is not null)
        {
            options.Hosts[host] = "acme";
        }

        string.Join(' ', options.Faults()).ShouldContain(fault);
    }

    [Fact]
    public void What_is_right_with_the_settings_is_taken()
    {
        var options = new SiteOptions { Domain = "apps.example.net", Platform = "https://eddy.example.com", Hosts = { ["shop.example.org"] = "acme" } };

        options.Faults().ShouldBeEmpty();
    }

    private async Task<HttpResponseMessage> AskAsync(string host, string path, string? key = null)
    {
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false });
        using var ask = new HttpRequestMessage(HttpMethod.Get, new Uri(shared.Web.Address, path));
        ask.Headers.Host = host;
        if (key is not null)
        {
            ask.Headers.Authorization = new("Bearer", key);
        }

        return await http.SendAsync(ask, Cancel);
    }
}
