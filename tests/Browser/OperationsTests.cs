using System.Net;
using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>Quarantine, schedules, keys and the other settings on screens.</summary>
public sealed class OperationsTests(TestBrowser browser, TestWay way) : IClassFixture<TestWay>
{
    private const string Divide = """
        class divide(Rule):
            listens_to = ["n"]

            def action(self):
                self.half = self.n / 0
        """;

    [Fact]
    public async Task A_failed_run_is_mended_by_a_change_of_its_rule_and_by_trying_it_again()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Divide));
        await caller.SettleAsync("""{"n": 4}""");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/quarantine");
        var group = screen.Page.Locator("[data-group]");
        await Assertions.Expect(group).ToContainTextAsync("ZeroDivisionError: division by zero");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Link, new() { Name = "Open at line 5" })).ToHaveAttributeAsync("href", $"/t/{caller.Tenant.Slug}/rules/scripts/a.py?line=5");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Group, new() { Name = "The failing line" })).ToContainTextAsync("self.n / 0");
        await screen.ShouldBeAccessibleAsync();

        // Tried again as it is, it fails again and stays.
        await group.FocusAsync();
        await group.PressAsync("r");
        await Assertions.Expect(screen.Page.GetByText("1 run is put into the line again.")).ToBeVisibleAsync();
        await Assertions.Expect(group).ToContainTextAsync("tried 2 times");

        // A script that is saved tries its runs.
        await caller.SaveAsync("scripts/a.py", Divide.Replace("/ 0", "/ 2", StringComparison.Ordinal));
        await Assertions.Expect(group).ToHaveCountAsync(0);
        await Assertions.Expect(screen.Page.GetByText("Nothing waits.")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_group_is_discarded_once_that_is_said_and_a_rule_is_switched_off_and_on()
    {
        var caller = await way.CallerAsync(("scripts/a.py", Divide));
        await caller.SettleAsync("""{"n": 4}""");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant, "editor");
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/quarantine");

        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Switch the rule off" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = "scripts/a.py:divide" })).ToContainTextAsync("switched off by hand");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Switch on" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByText("scripts/a.py:divide is switched on.")).ToBeVisibleAsync();
        var group = screen.Page.Locator("[data-group]");
        await group.FocusAsync();
        await group.PressAsync("Delete");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Discard 1 run", Exact = true }).ClickAsync();
        await Assertions.Expect(group).ToHaveCountAsync(0);

        (await caller.GetAsync("/api/quarantine")).GetProperty("groups").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task A_key_is_shown_once_works_and_is_turned_away_once_it_is_revoked()
    {
        var caller = await way.CallerAsync();
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/settings/keys");
        await Assertions.Expect(screen.Page.Locator("#eddy-login")).ToHaveTextAsync($"eddy login {way.Web.Address.GetLeftPart(UriPartial.Authority)}");
        await Assertions.Expect(screen.Page.Locator("#git-clone")).ToHaveTextAsync($"git clone {way.Web.Address}git/{caller.Tenant.Slug}.git");

        await screen.Page.GetByLabel("Name").FillAsync("sensors");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Make a key" }).ClickAsync();
        var secret = await screen.Page.Locator("#new-key").TextContentAsync();
        await screen.ShouldBeAccessibleAsync();
        using var machine = caller.Tenant.Client(way.Web, secret);
        (await SendAsync(machine)).ShouldBe(HttpStatusCode.Accepted);
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "I have it" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByText(secret!)).ToHaveCountAsync(0);

        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Revoke… sensors" }).ClickAsync();
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Revoke 1 key" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = "sensors" })).ToContainTextAsync("revoked");
        await Patience.UntilAsync("the key is turned away", Patience.Long, async () => await SendAsync(machine) == HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_drip_is_written_with_its_preview_run_and_switched_off()
    {
        var caller = await way.CallerAsync();
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/schedules?edit=*");

        await screen.Page.GetByLabel("Name").FillAsync("nightly");
        await screen.Page.GetByLabel("When (cron)").FillAsync("30 2 * * *");
        await screen.Page.GetByLabel("KVPs of the new process").FillAsync("report := daily\nthis is none");
        await Assertions.Expect(screen.Page.GetByText("Line 2:")).ToBeVisibleAsync();
        await screen.Page.GetByLabel("KVPs of the new process").FillAsync("report := daily");
        await Assertions.Expect(screen.Page.GetByText("Next:")).ToContainTextAsync("02:30");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        var row = screen.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = "nightly" });
        await row.GetByRole(AriaRole.Button, new() { Name = "Run now" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByText("nightly ran and made")).ToBeVisibleAsync();
        await row.GetByRole(AriaRole.Button, new() { Name = "Off nightly" }).ClickAsync();
        await Assertions.Expect(row.GetByRole(AriaRole.Button, new() { Name = "On nightly" })).ToBeVisibleAsync();

        (await caller.GetAsync("/api/drips/nightly")).GetProperty("on").GetBoolean().ShouldBeFalse();
        (await caller.GetAsync("/api/events")).GetProperty("events").EnumerateArray().ShouldHaveSingleItem().GetProperty("source").GetString().ShouldBe("drip");
    }

    [Fact]
    public async Task Who_may_is_set_and_explained()
    {
        var caller = await way.CallerAsync();
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/settings/groups");

        await screen.Page.GetByLabel("Members").FillAsync("ann@acme.test");
        await screen.Page.GetByLabel("Group", new() { Exact = true }).First.FillAsync("sales");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Save the group" }).ClickAsync();
        await screen.Page.Locator("#entry-group").SelectOptionAsync("sales");
        await screen.Page.GetByLabel("Keys").FillAsync("order_*");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Add the entry" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = "order_*" })).ToBeVisibleAsync();
        await screen.Page.GetByLabel("Who").FillAsync("ann@acme.test");
        await screen.Page.Locator("#why-key").FillAsync("order_total");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Ask" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Status).Filter(new() { HasText = "may not set order_total" })).ToBeVisibleAsync();
        await screen.ShouldBeAccessibleAsync();
    }

    [Fact, Trait("Category", "Long")]
    public async Task Every_screen_is_sound_on_a_phone_and_tells_nothing_of_another_tenant()
    {
        string[] paths = ["quarantine", "schedules", "schedules/owed", "refused", "inbox", "outbox", "settings/keys", "settings/secrets", "settings/groups", "settings/inbox", "settings/tenant", "settings/usage", "more"];
        var (own, other) = (await way.CallerAsync(), await way.CallerAsync());
        await using var screen = await browser.OpenAsync(way.Web, own.Tenant, width: 390, height: 800);

        foreach (var path in paths)
        {
            await screen.GoAsync($"/t/{other.Tenant.Slug}/{path}");
            await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("Nothing is here");
            await screen.GoAsync($"/t/{own.Tenant.Slug}/{path}");
            await Assertions.Expect(screen.Page.Locator("main h1")).ToHaveCountAsync(1);
            (await screen.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth && document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth")).ShouldBeTrue($"{path} scrolls sideways");
            await screen.ShouldBeAccessibleAsync();
        }
    }

    [Theory]
    [InlineData("quarantine")]
    [InlineData("schedules")]
    [InlineData("inbox")]
    [InlineData("outbox")]
    [InlineData("settings/keys")]
    [InlineData("settings/secrets")]
    public async Task A_viewer_is_told_that_it_is_not_theirs(string path)
    {
        var caller = await way.CallerAsync(("scripts/a.py", Divide));
        await caller.SettleAsync("""{"n": 4}""");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant, "viewer");

        await screen.GoAsync($"/t/{caller.Tenant.Slug}/{path}");

        await Assertions.Expect(screen.Page.Locator("main p").First).ToContainTextAsync("wners");
        await Assertions.Expect(screen.Page.Locator("main button")).ToHaveCountAsync(0);
        (await screen.Page.Locator("main").TextContentAsync())!.ShouldNotContain("ZeroDivisionError");
    }

    private static async Task<HttpStatusCode> SendAsync(HttpClient machine)
    {
        using var answer = await machine.PostAsync("/in", new StringContent("""{"n": 1}""", System.Text.Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }
}
