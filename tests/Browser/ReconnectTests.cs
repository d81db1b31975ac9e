using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>What a page does whose connection is lost.</summary>
[Trait("Category", "Long")]
public sealed class ReconnectTests(TestBrowser browser, TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_lost_connection_is_said_and_what_is_typed_meanwhile_is_saved_when_it_is_back()
    {
        await using var wire = new TestWire(shared.Web);
        var (screen, caller) = await OpenAsync(wire);
        await using var open = screen;

        wire.Cut();

        await Assertions.Expect(Lost(screen)).ToContainTextAsync("The connection is lost. Your text is kept here.");
        await Assertions.Expect(screen.Page.Locator("#connection")).ToHaveTextAsync("Not connected");
        await screen.Page.Keyboard.TypeAsync("# typed meanwhile");
        await Assertions.Expect(Text(screen)).ToContainTextAsync("typed meanwhile");
        await screen.ShouldBeAccessibleAsync();
        await screen.Page.Keyboard.PressAsync("Control+s");
        await screen.Page.Keyboard.TypeAsync(", and more");

        wire.LeadTo(shared.Web);

        await Assertions.Expect(Lost(screen)).ToBeHiddenAsync();
        await Assertions.Expect(screen.Page.Locator("#connection")).ToHaveTextAsync("Connected");
        // The circuit is the one of before, and has heard what it missed.
        (await screen.Page.EvaluateAsync<bool>("() => window.isOfBefore === true")).ShouldBeTrue();
        await Assertions.Expect(screen.Page.GetByText("Saved as version")).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Tree, new() { Name = "Files" }).GetByText("not saved")).ToHaveCountAsync(0);
        (await caller.Http.GetStringAsync("/api/files/scripts/mine.py", Cancel)).ShouldContain("# typed meanwhile, and more");
        await screen.Page.Keyboard.TypeAsync(", and the last");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Tree, new() { Name = "Files" }).GetByText("not saved")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Where_the_web_was_started_anew_the_page_loads_itself_and_has_what_was_typed()
    {
        await using var next = await TestWeb.StartAsync(database);
        await using var wire = new TestWire(shared.Web);
        var (screen, _) = await OpenAsync(wire);
        await using var open = screen;

        wire.Cut();
        await Assertions.Expect(Lost(screen)).ToContainTextAsync("The connection is lost. Your text is kept here.");
        await screen.Page.Keyboard.TypeAsync("# typed meanwhile");
        wire.LeadTo(next);

        // The next web knows nothing of the circuit.
        await screen.Page.WaitForFunctionAsync("() => window.isOfBefore !== true && document.documentElement.dataset.started === ''");
        await Assertions.Expect(Text(screen)).ToContainTextAsync("typed meanwhile");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Button, new() { Name = "Drop it" })).ToBeVisibleAsync();
        await Assertions.Expect(Lost(screen)).ToBeHiddenAsync();
    }

    private async Task<(TestScreen Screen, TestCaller Caller)> OpenAsync(TestWire wire)
    {
        var tenant = await TestTenant.MakeAsync(database);
        var caller = new TestCaller(tenant, tenant.Client(shared.Web));
        await caller.SaveAsync("scripts/mine.py", "\n# of before\n");
        var address = await TestBrowser.AddPersonAsync(tenant, "editor");
        var screen = await browser.OpenAsync(shared.Web, at: wire.Address);
        await screen.SignInAsync(address, TestBrowser.Password);
        await screen.GoAsync($"/t/{tenant.Slug}/rules/scripts/mine.py");
        await screen.Page.Locator(".editor:not([hidden]) textarea").FocusAsync();
        await screen.Page.EvaluateAsync("() => { window.isOfBefore = true; }");
        return (screen, caller);
    }

    private static ILocator Lost(TestScreen screen) => screen.Page.Locator("#components-reconnect-modal");

    private static ILocator Text(TestScreen screen) => screen.Page.Locator(".editor:not([hidden]) .view-lines");
}
