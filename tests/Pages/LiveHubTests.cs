using System.Text;
using Eddy.Pages;
using Eddy.Tests.Browser;
using Eddy.Tests.Sites;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Pages;

/// <summary>The line of open pages, spoken by hand: what a page of another origin, a stranger, another tenant's host and a script that does not do as ours does get from it.</summary>
public sealed class LiveHubTests(TestWay way) : IClassFixture<TestWay>
{
    private const string Public = """<meta name="eddy-access" content="public">""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_is_followed_from_its_own_origin_alone()
    {
        var caller = await way.CallerAsync(("pages/x.html", Public + "the page"));

        (await FollowAsync(caller.Tenant, TestLine.OriginOf(way.Web, caller.Tenant), "/x")).ShouldContain("the page");
        (await FollowAsync(caller.Tenant, "http://evil.localhost", "/x")).ShouldNotContain("the page");
        (await FollowAsync(caller.Tenant, null, "/x")).ShouldNotContain("the page");
    }

    [Fact]
    public async Task Nobody_follows_what_is_for_members_or_another_tenant_s()
    {
        var caller = await way.CallerAsync(("pages/x.html", Public + "the page"), ("pages/m.html", "of members"));
        var other = await way.CallerAsync(("pages/y.html", Public + "another"));
        await using var mine = await TestLine.OpenAsync(way.Web, caller.Tenant);
        await using var theirs = await TestLine.OpenAsync(way.Web, other.Tenant);

        (await mine.CallAsync("Follow", "\"/m\",null")).ShouldContain("\"result\":null");
        (await theirs.CallAsync("Follow", "\"/x\",null")).ShouldContain("\"result\":null");
        (await theirs.CallAsync("Follow", "\"/_404\",null")).ShouldContain("\"result\":null");
    }

    [Fact]
    public async Task What_is_no_call_of_ours_is_refused_without_a_word_of_why()
    {
        var caller = await way.CallerAsync();
        await using var line = await TestLine.OpenAsync(way.Web, caller.Tenant);

        var answer = await line.CallAsync("Nothing", "1");

        answer.ShouldContain("\"error\"");
        answer.ShouldNotContain("   at ");
    }

    [Fact, Trait("Category", "Long")]
    public async Task Whose_membership_or_rights_have_ended_hears_nothing_new_whatever_their_script_does()
    {
        var caller = await way.CallerAsync(("pages/m.html", "<p>{{ shared.n }}</p>"));
        using var entry = await caller.Http.PostAsync("/api/access/entries", new StringContent("""{"group": "registered", "may": ["read"], "keys": ["n"], "shared": true}""", Encoding.UTF8, "application/json"), Cancel);
        var id = System.Text.Json.JsonDocument.Parse(await entry.Content.ReadAsStringAsync(Cancel)).RootElement.GetProperty("id").GetInt64();
        await ShareAsync(caller, "alpha1");
        var (owner, _) = await MemberAsync(caller.Tenant, "owner");
        var (stays, _) = await MemberAsync(caller.Tenant, "viewer");
        var (leaves, address) = await MemberAsync(caller.Tenant, "viewer");
        await using var one = owner;
        await using var two = stays;
        await using var three = leaves;
        foreach (var line in new[] { owner, stays, leaves })
        {
            (await line.CallAsync("Follow", "\"/m\",null")).ShouldContain("alpha1");
            (await line.CallAsync("On", "\"n\",0")).ShouldContain("\"result\":true");
        }

        await caller.Tenant.PrepareAsync($"delete from members where tenant_id = $1 and person_id = (select id from people where email = '{address}')");
        await leaves.HearsAsync("\"target\":\"again\"");
        await ShareAsync(caller, "beta2");
        await stays.HearsAsync("beta2");

        // What came before this answer would be there.
        (await leaves.CallAsync("Follow", "\"/m\",null")).ShouldContain("\"result\":null");
        leaves.Heard.ShouldNotContain("beta2");

        (await caller.Http.DeleteAsync($"/api/access/entries/{id}", Cancel)).EnsureSuccessStatusCode();
        await stays.HearsAsync("\"target\":\"again\"");
        await ShareAsync(caller, "gamma3");
        await owner.HearsAsync("gamma3");
        (await stays.CallAsync("Follow", "\"/m\",null")).ShouldContain("\"result\":{");
        stays.Heard.ShouldNotContain("gamma3");
    }

    [Fact]
    public async Task A_line_that_says_too_much_at_once_or_too_often_is_cut_off_and_the_others_go_on()
    {
        var caller = await way.CallerAsync(("pages/x.html", Public + "the page"));
        await using var quiet = await TestLine.OpenAsync(way.Web, caller.Tenant);
        await using var large = await TestLine.OpenAsync(way.Web, caller.Tenant);
        await using var often = await TestLine.OpenAsync(way.Web, caller.Tenant);
        (await large.CallAsync("On", "\"n\",null")).ShouldContain("\"result\":true");

        await large.SayAsync($$"""{"type":1,"invocationId":"2","target":"On","arguments":["{{new string('n', 5000)}}",null]}""");
        for (var i = 0; i < 10_000 && !often.Ended.IsCompleted; i++)
        {
            await often.SayAsync("""{"type":1,"invocationId":"1","target":"On","arguments":["n",null]}""");
        }

        await large.Ended.WaitAsync(Patience.Long, Cancel);
        await often.Ended.WaitAsync(Patience.Long, Cancel);
        (await quiet.CallAsync("Follow", "\"/x\",null")).ShouldContain("the page");
    }

    [Fact]
    public async Task A_script_listens_to_fifty_keys_and_no_more()
    {
        var caller = await way.CallerAsync();
        await using var line = await TestLine.OpenAsync(way.Web, caller.Tenant);
        for (var i = 0; i < 50; i++)
        {
            (await line.CallAsync("On", $"\"key{i}\",null")).ShouldContain("\"result\":true");
        }

        (await line.CallAsync("On", "\"one_more\",null")).ShouldContain("\"result\":false");
        (await line.CallAsync("On", "\"key7\",null")).ShouldContain("\"result\":true");
        (await line.CallAsync("On", "\"no key\\n\",null")).ShouldContain("\"result\":false");
    }

    [Fact]
    public async Task So_many_pages_are_open_of_one_tenant_and_from_one_address_and_no_more()
    {
        await using var web = await TestWeb.StartAsync(way.Database, "Sites:TenantPages=2", "Sites:AddressPages=3");
        var (tenant, other) = (await TestTenant.MakeAsync(way.Database), await TestTenant.MakeAsync(way.Database));
        await using var first = await TestLine.OpenAsync(web, tenant);
        await IsOpenAsync(first);
        await using (var second = await TestLine.OpenAsync(web, tenant))
        {
            await IsOpenAsync(second);
            await using var ofTenant = await TestLine.OpenAsync(web, tenant);
            await ofTenant.Ended.WaitAsync(Patience.Long, Cancel);
            await using var elsewhere = await TestLine.OpenAsync(web, other);
            await IsOpenAsync(elsewhere);
            await using var ofAddress = await TestLine.OpenAsync(web, other);
            await ofAddress.Ended.WaitAsync(Patience.Long, Cancel);
        }

        var pages = web.Services.GetRequiredService<LivePages>();
        await Patience.UntilAsync("there is a place again", () => pages.ViewersOf(tenant.Id) == 1 && pages.ViewersOf(other.Id) == 0);
        await using var next = await TestLine.OpenAsync(web, tenant);
        await IsOpenAsync(next);

        static async Task IsOpenAsync(TestLine line) => (await line.CallAsync("On", "\"n\",null")).ShouldContain("\"result\":true");
    }

    private async Task<string> FollowAsync(TestTenant tenant, string? origin, string address)
    {
        await using var line = await TestLine.OpenAsync(way.Web, tenant, origin);
        return await line.CallAsync("Follow", $"\"{address}\",null");
    }

    private async Task<(TestLine Line, string Address)> MemberAsync(TestTenant tenant, string role)
    {
        var address = await TestBrowser.AddPersonAsync(tenant, role);
        using var visitor = new TestVisitor(way.Web);
        await visitor.SignInAsync(address);
        await visitor.EnterAsync(tenant);
        return (await TestLine.OpenAsync(way.Web, tenant, TestLine.OriginOf(way.Web, tenant), visitor.CookiesOf(visitor.SiteOf(tenant))), address);
    }

    private static async Task ShareAsync(TestCaller caller, string value)
    {
        (await caller.PutAsync("/api/shared/n", $"\"{value}\"")).EnsureSuccessStatusCode();
        await Patience.UntilAsync("it is set", Patience.Long, async () => (await caller.SharedAsync()).TryGetProperty("n", out var now) && now.GetString() == value);
    }
}
