using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>What every screen of a tenant stands in.</summary>
public sealed class ShellTests(TestBrowser browser, TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    [Fact]
    public async Task Who_signs_in_is_led_to_their_tenant_and_sees_its_sections()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await using var screen = await browser.OpenAsync(shared.Web, tenant);

        await screen.GoAsync($"/t/{tenant.Slug}/processes");

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Navigation, new() { Name = "Sections" }).GetByRole(AriaRole.Link, new() { Name = "Quarantine" })).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Contentinfo)).ToContainTextAsync("Pump lag");
    }

    [Fact]
    public async Task To_who_does_not_belong_to_it_a_tenant_is_not_there()
    {
        var (own, other) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        await using var screen = await browser.OpenAsync(shared.Web, own);

        await screen.GoAsync($"/t/{other.Slug}/processes");

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("Nothing is here");
    }

    [Fact]
    public async Task Who_is_not_signed_in_is_asked_to()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await using var screen = await browser.OpenAsync(shared.Web);

        await screen.Page.GotoAsync($"/t/{tenant.Slug}/processes");

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("Sign in");
    }
}
