using Eddy.Tests.Apps;
using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>The screen on which apps come in and go out.</summary>
public sealed class AppsTests(TestBrowser browser, TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    [Fact]
    public async Task A_zip_shows_its_difference_first_and_a_sample_comes_in_with_a_click()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var caller = new TestCaller(tenant, tenant.Client(shared.Web));
        await using var screen = await browser.OpenAsync(shared.Web, tenant, width: 390, scheme: ColorScheme.Dark);
        await screen.Page.GotoAsync($"/t/{tenant.Slug}/settings/apps");
        var zip = TestApp.Zip(("old/scripts/a.py", "class a(Rule):\n    listens_to = ['n']\n\n    def action(self):\n        print 'x'\n"), ("old/notes.txt", "x"));

        await screen.GiveFileAsync(screen.Page.GetByLabel("A zip"), new FilePayload { Name = "old.zip", MimeType = "application/zip", Buffer = zip });

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Name = "old.zip: 1 new, 0 changed, 0 the same" })).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.GetByText("1 entry is left out")).ToBeVisibleAsync();
        await screen.ShouldBeAccessibleAsync();
        (await screen.Page.EvaluateAsync<int>("document.documentElement.scrollWidth")).ShouldBeLessThanOrEqualTo(390);
        (await caller.GetAsync("/api/files")).GetProperty("files").GetArrayLength().ShouldBe(0);
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Import 1 file" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByText("Imported as version 1: 1 file.")).ToBeVisibleAsync();
        (await caller.Http.GetStringAsync("/api/files/scripts/a.py", TestContext.Current.CancellationToken)).ShouldContain("print('x')");

        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Status board" }).ClickAsync();
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Import 6 files" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByText("Imported as version 2: 6 files.")).ToBeVisibleAsync();
    }
}
