using Eddy.Tests.Browser;
using Microsoft.Playwright;

namespace Eddy.Tests.Identity;

/// <summary>What an open circuit does when whoever sits at it may not any more.</summary>
public sealed class PresenceTests(TestBrowser browser, TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_that_is_ended_elsewhere_ends_the_circuit()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var address = await TestBrowser.AddPersonAsync(tenant, "owner");
        await using var screen = await browser.OpenAsync(shared.Web);
        await screen.SignInAsync(address, TestBrowser.Password);
        await screen.GoAsync($"/t/{tenant.Slug}/processes");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Navigation, new() { Name = "Sections" })).ToBeVisibleAsync();

        using var elsewhere = new TestForms(shared.Web);
        (await elsewhere.SignInAsync(address, TestBrowser.Password)).ShouldBeTrue();
        (await elsewhere.SendAsync("/account", "sessions")).Location.ShouldBe("/account?said=sessions");

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("You are signed out");
        await screen.ShouldBeAccessibleEverywhereAsync();
        await screen.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in again" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("Sign in");
        (await elsewhere.GetAsync("/account")).Status.ShouldBe(System.Net.HttpStatusCode.OK);
    }

    [Fact]
    public async Task Who_is_removed_while_a_circuit_is_open_sees_nothing_more_of_the_tenant()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var address = await TestBrowser.AddPersonAsync(tenant, "editor");
        await using var screen = await browser.OpenAsync(shared.Web);
        await screen.SignInAsync(address, TestBrowser.Password);
        await screen.GoAsync($"/t/{tenant.Slug}/processes");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Navigation, new() { Name = "Sections" })).ToBeVisibleAsync();

        await ChangeAsync(address, "delete from members where person_id = (select id from people where email = $1)");

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("You do not belong to this tenant any more");
        await screen.ShouldBeAccessibleEverywhereAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Navigation, new() { Name = "Sections" })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Whose_role_changes_has_the_new_one_in_the_open_circuit()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var address = await TestBrowser.AddPersonAsync(tenant, "editor");
        await using var screen = await browser.OpenAsync(shared.Web);
        await screen.SignInAsync(address, TestBrowser.Password);
        await screen.GoAsync($"/t/{tenant.Slug}/settings/members");
        await Assertions.Expect(screen.Page.GetByText("You are editor here.")).ToBeVisibleAsync();

        await ChangeAsync(address, "update members set role = 'viewer' where person_id = (select id from people where email = $1)");

        await Assertions.Expect(screen.Page.GetByText("You are viewer here.")).ToBeVisibleAsync();
    }

    private async Task ChangeAsync(string address, string sql)
    {
        await using var change = database.Superuser.CreateCommand(sql);
        change.Parameters.Add(new() { Value = address });
        (await change.ExecuteNonQueryAsync(Cancel)).ShouldBe(1);
    }
}
