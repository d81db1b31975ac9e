using Eddy.Identity;
using Eddy.Tests.Browser;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace Eddy.Tests.Identity;

/// <summary>The pages of the way in and of one's own account, for whoever has them read out or sees them on a phone.</summary>
public sealed class PagesTests(TestBrowser browser, TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    [Fact, Trait("Category", "Long")]
    public async Task The_pages_of_the_way_in_are_accessible()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var (known, fresh, invited) = (await TestBrowser.AddPersonAsync(tenant, "viewer"), TestMail.NewAddress(), TestMail.NewAddress());
        using var forms = new TestForms(shared.Web);
        await forms.SendAsync("/sign-up", "sign-up", ("Form.Email", fresh), ("Form.Password", "three words in a row"), ("Form.Name", "Acme"), ("Form.Slug", "a" + Guid.NewGuid().ToString("N")[..12]));
        await InviteAsync(tenant, invited);
        await InviteAsync(tenant, known);
        await using var screen = await browser.OpenAsync(shared.Web);

        await LookAsync(screen, "/sign-up");
        await LookAsync(screen, await database.LinkAsync(fresh, "Confirm your address"));
        await LookAsync(screen, await database.LinkAsync(invited, $"Join {tenant.Slug}"));
        await LookAsync(screen, await database.LinkAsync(known, $"Join {tenant.Slug}"));
        await LookAsync(screen, "/reset/nothing");
        await LookAsync(screen, "/reset");
        await screen.Page.GetByLabel("Mail address").FillAsync(known);
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Mail me a link" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("Look into your mail");
        await screen.ShouldBeAccessibleEverywhereAsync();
        await LookAsync(screen, await database.LinkAsync(known, "Set a new password"));

        // With what is wrong with it, at its field.
        await screen.Page.GetByLabel("New password").FillAsync("0123456789");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Set it" }).ClickAsync();
        await Assertions.Expect(screen.Page.Locator("[aria-invalid]")).ToBeVisibleAsync();
        await screen.ShouldBeAccessibleEverywhereAsync();
    }

    [Fact, Trait("Category", "Long")]
    public async Task The_pages_of_an_account_are_accessible()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var (address, other) = (await TestBrowser.AddPersonAsync(tenant, "viewer"), TestMail.NewAddress());
        await InviteAsync(tenant, other);
        await using var screen = await browser.OpenAsync(shared.Web);
        await screen.SignInAsync(address, TestBrowser.Password);

        await LookAsync(screen, "/new-tenant");
        await LookAsync(screen, await database.LinkAsync(other, $"Join {tenant.Slug}"));
        await LookAsync(screen, "/account");
        var key = (await screen.Page.Locator(".secret").InnerTextAsync()).Replace(" ", "", StringComparison.Ordinal);
        await screen.Page.GetByLabel("Code that the app shows").FillAsync(AccountTests.CodeOf(key));
        await screen.Page.Locator("#codes-password").FillAsync(TestBrowser.Password);
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Ask for codes from now on" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.List, new() { Name = "Recovery codes" })).ToBeVisibleAsync();
        await screen.ShouldBeAccessibleEverywhereAsync();

        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out everywhere" }).ClickAsync();
        await screen.Page.GetByLabel("Mail address").FillAsync(address);
        await screen.Page.GetByLabel("Password").FillAsync(TestBrowser.Password);
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("Second step");
        await screen.ShouldBeAccessibleEverywhereAsync();
    }

    [Fact]
    public async Task In_Development_the_mails_of_the_platform_are_read_on_a_page_that_is_accessible()
    {
        await using var web = await TestWeb.StartAsync(database, "environment=Development");
        using var forms = new TestForms(web);
        var address = await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer");
        await forms.SendAsync("/reset", "reset", ("Form.Email", address));
        await using var screen = await browser.OpenAsync(web);

        await LookAsync(screen, "/dev/mails");

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Name = "Set a new password" }).First).ToBeVisibleAsync();
    }

    private static async Task LookAsync(TestScreen screen, string path)
    {
        await screen.Page.GotoAsync(path);
        await screen.Page.Locator("h1").WaitForAsync();
        await screen.ShouldBeAccessibleEverywhereAsync();
    }

    private async Task InviteAsync(TestTenant tenant, string address)
    {
        var services = shared.Web.Services;
        var cancel = TestContext.Current.CancellationToken;
        var token = await services.GetRequiredService<MailLinks>().MakeAsync(MailLinks.Invitation, address, null, tenant.Id, new InvitationWish("viewer", tenant.Slug, tenant.Slug, "ann@acme.test"), cancel);
        await services.GetRequiredService<PlatformMail>().InviteAsync(address, token!, "ann@acme.test", tenant.Slug, cancel);
    }
}
