using Eddy.Tests.Browser;
using Microsoft.Playwright;

namespace Eddy.Tests.Sites;

/// <summary>Cards as the IDE shows them: to each member their own, to who may change rules those of others too.</summary>
public sealed class CardsScreenTests(TestBrowser browser, TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    [Fact]
    public async Task A_member_sees_what_waits_for_them_with_the_way_to_answer_it_and_nothing_of_others()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var address = await TestBrowser.AddPersonAsync(tenant, "viewer");
        await OpenAsync(tenant, 1001, address, "approval");
        await OpenAsync(tenant, 1002, "somebody@else.test", "hidden");
        await using var screen = await browser.OpenAsync(shared.Web);
        await screen.SignInAsync(address, TestBrowser.Password);

        await screen.GoAsync($"/t/{tenant.Slug}/cards");

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Name = "1 card waits for you" })).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Link, new() { Name = "Answer approval of process 7" }))
            .ToHaveAttributeAsync("href", $"http://{tenant.Slug}.localhost:{shared.Web.Address.Port}/cards/approval?pid=7");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Navigation, new() { Name = "Sections" }).GetByRole(AriaRole.Link, new() { Name = "Cards" })).ToContainTextAsync("1");
        await Assertions.Expect(screen.Page.GetByText("hidden")).ToHaveCountAsync(0);
        await screen.ShouldBeAccessibleEverywhereAsync();
    }

    [Fact]
    public async Task Who_may_change_rules_sees_all_and_closes_one()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await OpenAsync(tenant, 1001, "somebody@else.test", "approval");
        var address = await TestBrowser.AddPersonAsync(tenant, "owner");
        await using var screen = await browser.OpenAsync(shared.Web);
        await screen.SignInAsync(address, TestBrowser.Password);
        await screen.GoAsync($"/t/{tenant.Slug}/cards");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Name = "No card waits for you" })).ToBeVisibleAsync();

        // What comes while it is looked at is there, and counted beside.
        await OpenAsync(tenant, 2001, address, "release");
        await tenant.PrepareAsync("select pg_notify('eddy_cards', $1::text)");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Name = "1 card waits for you" })).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Navigation, new() { Name = "Sections" }).GetByRole(AriaRole.Link, new() { Name = "Cards" })).ToContainTextAsync("1");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Close approval of process 7" }).ClickAsync();

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Name = "Open for others" })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_new_card_begins_with_something_that_can_be_shown()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await using var screen = await browser.OpenAsync(shared.Web, tenant);
        await screen.GoAsync($"/t/{tenant.Slug}/cards");

        await screen.Page.GetByRole(AriaRole.Link, new() { Name = "New card" }).ClickAsync();
        await screen.Page.GetByLabel("Path").FillAsync("card_html_files/approval.html");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Make it" }).ClickAsync();
        await screen.Page.WaitForURLAsync("**/rules/card_html_files/approval.html");
        await screen.GoAsync($"/t/{tenant.Slug}/cards");

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Link, new() { Name = "card_html_files/approval.html" })).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.GetByText("not in force")).ToHaveCountAsync(0);
    }

    private static Task OpenAsync(TestTenant tenant, long id, string user, string name) => tenant.PrepareAsync(
        $"insert into cards (tenant_id, id, run, pid, at, name, for_user) values ($1, {id}, {id / 1000}, 7, now(), '{name}', '{user}')");
}
