using System.Text;
using Eddy.Tests.Browser;
using Microsoft.Playwright;

namespace Eddy.Tests.Sites;

/// <summary>Pages as the IDE lists them.</summary>
public sealed class PagesScreenTests(TestBrowser browser, TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    [Fact]
    public async Task Each_page_is_there_with_its_address_and_for_whom_it_is()
    {
        var tenant = await TestTenant.MakeAsync(database);
        using (var http = tenant.Client(shared.Web))
        {
            foreach (var (path, text) in new[] { ("pages/board.html", "<h1>Board</h1>"), ("pages/rooms/index.html", "<meta name=\"eddy-access\" content=\"public\"><h1>Rooms</h1>"), ("workspace/public/style.css", "a {}") })
            {
                using var put = await http.PutAsync($"/api/files/{path}", new ByteArrayContent(Encoding.UTF8.GetBytes(text)), TestContext.Current.CancellationToken);
                put.EnsureSuccessStatusCode();
            }
        }

        await using var screen = await browser.OpenAsync(shared.Web, tenant);

        await screen.GoAsync($"/t/{tenant.Slug}/pages");

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = "pages/board.html" })).ToContainTextAsync("members");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = "pages/rooms/index.html" })).ToContainTextAsync("everybody");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Link, new() { Name = "/rooms", Exact = true })).ToHaveAttributeAsync("href", $"http://{tenant.Slug}.localhost:{shared.Web.Address.Port}/rooms");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Link, new() { Name = "/style.css", Exact = true })).ToBeVisibleAsync();
        await screen.ShouldBeAccessibleEverywhereAsync();
    }
}
