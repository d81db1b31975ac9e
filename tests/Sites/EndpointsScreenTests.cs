using System.Text;
using Eddy.Tests.Browser;
using Microsoft.Playwright;

namespace Eddy.Tests.Sites;

/// <summary>API scripts as the IDE shows them.</summary>
public sealed class EndpointsScreenTests(TestBrowser browser, TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    [Fact]
    public async Task Each_function_is_there_with_who_may_call_it_and_the_open_ones_are_marked()
    {
        var tenant = await TestTenant.MakeAsync(database);
        using (var http = tenant.Client(shared.Web))
        {
            var script = "@members_only\ndef inside(request):\n    return 1\n\n\ndef hook(request):\n    \"\"\"Takes what comes.\"\"\"\n    return 2\n";
            using var put = await http.PutAsync("/api/files/api/billing.py", new ByteArrayContent(Encoding.UTF8.GetBytes(script)), TestContext.Current.CancellationToken);
            put.EnsureSuccessStatusCode();
        }

        await using var screen = await browser.OpenAsync(shared.Web, tenant);

        await screen.GoAsync($"/t/{tenant.Slug}/endpoints");

        var open = screen.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = "/api/v1/billing/hook" });
        await Assertions.Expect(open).ToContainTextAsync("anybody");
        await Assertions.Expect(open).ToContainTextAsync("Takes what comes.");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = "/api/v1/billing/inside" })).ToContainTextAsync("members");
        await screen.ShouldBeAccessibleEverywhereAsync();
    }
}
