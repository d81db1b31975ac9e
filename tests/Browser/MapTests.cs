using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>A tenant as a drawing of what flows through it.</summary>
public sealed class MapTests(TestBrowser browser, TestWay way) : IClassFixture<TestWay>
{
    private const string Heat = """
        class hot(Rule):
            listens_to = ["temperature"]

            def action(self):
                self.alert = True
                send_email("ops@acme.test", "Hot")

        class up(Rule):
            listens_to = ["n"]

            def check(self):
                return self.m != self.n

            def action(self):
                self.m = self.n

        class down(Rule):
            listens_to = ["m", "romo"]

            def action(self):
                self.n = self.m
        """;

    [Fact, Trait("Category", "Long")]
    public async Task Rules_and_keys_are_drawn_with_their_traffic_and_what_is_wrong_and_lead_to_their_source()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat), ("pages/index.html", "<p>{{ shared.alert }}</p>"));
        await caller.SettleAsync("""{"temperature": 95}""");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);

        await screen.GoAsync($"/t/{caller.Tenant.Slug}/map");
        var graph = screen.Page.GetByRole(AriaRole.Region, new() { Name = "Graph" });
        await Assertions.Expect(graph).ToContainTextAsync("1 woken, 1 ran");
        await Assertions.Expect(graph.Locator("path.e.loop")).ToHaveCountAsync(4);
        await Assertions.Expect(graph.Locator("rect.warn-n")).ToHaveCountAsync(1);
        await Assertions.Expect(screen.Page.GetByText("1 key nobody sets")).ToBeVisibleAsync();
        await Assertions.Expect(graph.GetByRole(AriaRole.Link, new() { Name = "mail", Exact = true })).ToBeVisibleAsync();
        await Assertions.Expect(graph.GetByRole(AriaRole.Link, new() { Name = "index.html", Exact = true })).ToBeVisibleAsync();
        await screen.Page.GetByLabel("Rule or key").FillAsync("temperature");
        await Assertions.Expect(graph.Locator("g.dim").Filter(new() { HasText = "romo" })).ToHaveCountAsync(1);
        await screen.ShouldBeAccessibleEverywhereAsync();

        // The same as a list: on a phone, and where it is asked for.
        await screen.Page.GetByRole(AriaRole.Link, new() { Name = "List", Exact = true }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByText("down listens to romo, and nobody sets it.").First).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.GetByText("up and down wake one another by m, n; the check of up can end that.")).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = "hot" }).First).ToBeVisibleAsync();
        await screen.ShouldBeAccessibleEverywhereAsync();

        await screen.Page.GetByRole(AriaRole.Link, new() { Name = "Graph", Exact = true }).ClickAsync();
        await graph.GetByRole(AriaRole.Link).Filter(new() { HasText = "hot" }).ClickAsync();
        await screen.Page.WaitForURLAsync("**/rules/scripts/heat.py?line=1");
    }
}
