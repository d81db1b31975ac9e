using System.Text.RegularExpressions;
using Eddy.Files;
using Eddy.Operator;
using Eddy.Pages;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>The first minutes of a tenant, and the field that finds everything.</summary>
public sealed class StartTests(TestBrowser browser, TestWay way) : IClassFixture<TestWay>
{
    [Fact]
    public async Task Who_has_sent_nothing_yet_sends_the_first_event_from_the_page_and_sees_the_rule_run()
    {
        var tenant = await WithFirstRuleAsync();
        await using var screen = await browser.OpenAsync(way.Web, tenant);
        await Assertions.Expect(screen.Page).ToHaveURLAsync(new Regex($"/t/{tenant.Slug}/start$"));
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Name = "The rule is in force" })).ToBeVisibleAsync();

        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Send it from here" }).ClickAsync();

        await Assertions.Expect(screen.Page.GetByText("ran in process")).ToBeVisibleAsync();
        await screen.ShouldBeAccessibleAsync();

        // The tenant's page beside it, which moves when the next is sent.
        var live = await screen.Page.RunAndWaitForPopupAsync(() => screen.Page.GetByRole(AriaRole.Link, new() { Name = "See it live" }).ClickAsync());
        await Assertions.Expect(live.Locator("output")).ToHaveTextAsync("95°");
        live.Url.ShouldBe($"http://{tenant.Slug}.localhost:{way.Web.Address.Port}/");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Send 72" }).ClickAsync();
        await Assertions.Expect(live.GetByRole(AriaRole.Img)).ToHaveAccessibleNameAsync("The last temperatures. 2 values from 72 to 95°, the last 72°.");
    }

    [Fact]
    public async Task Ctrl_K_finds_files_keys_and_processes_by_the_keyboard_alone()
    {
        var caller = await way.CallerAsync((FirstRule.Path, "class hot(Rule):\n    listens_to = [\"temperature\"]\n    def action(self):\n        self.alert = 1\n"));
        var pid = (await caller.SettleAsync("""{"temperature": 95}""")).GetProperty("pid").GetInt64();
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/processes");

        await screen.Page.Keyboard.PressAsync("Control+k");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Option, new() { Name = FirstRule.Path })).ToBeVisibleAsync();
        await screen.Page.GetByRole(AriaRole.Combobox, new() { Name = "Find" }).FillAsync("temp");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Option, new() { Name = "temperature" })).ToContainTextAsync("95");
        await screen.ShouldBeAccessibleAsync();
        await screen.Page.Keyboard.PressAsync("Enter");

        await Assertions.Expect(screen.Page).ToHaveURLAsync(new Regex($"/processes/{pid}$"));
    }

    private async Task<TestTenant> WithFirstRuleAsync()
    {
        var tenant = await TestTenant.MakeAsync(way.Database);
        await using var db = new OperatorDb(way.Database.SuperuserConnection);
        await using var rows = db.For(tenant.Id);
        FirstPage.AddTo(rows, tenant.Id, "a test", TimeProvider.System.GetUtcNow());
        FirstRule.AddTo(rows, tenant.Id, "a test", TimeProvider.System.GetUtcNow());
        (await rows.Tenants.SingleAsync(one => one.Id == tenant.Id.Value, TestContext.Current.CancellationToken)).TreeVersion = FirstRule.TreeVersion;
        await rows.SaveChangesAsync(TestContext.Current.CancellationToken);
        return tenant;
    }
}
