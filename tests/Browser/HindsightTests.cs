using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>Why a rule ran or did not, and what a draft would have done, in the screens.</summary>
public sealed class HindsightTests(TestBrowser browser, TestWay way) : IClassFixture<TestWay>
{
    private const string Heat = """
        LIMIT = 90

        class high_temperature(Rule):
            listens_to = ["temperature"]

            def check(self):
                return self.temperature > LIMIT

            def action(self):
                self.alert = "Too hot"


        class open_ticket(Rule):
            listens_to = ["alert"]

            def action(self):
                self.ticket = True
        """;

    [Fact]
    public async Task Beside_a_cascade_it_is_said_why_a_rule_did_not_run_with_what_its_check_read()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        var answer = await caller.SettleAsync("""{"temperature": 72}""");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);

        await screen.GoAsync($"/t/{caller.Tenant.Slug}/arrivals/{answer.GetProperty("arrival").GetString()}");
        await screen.Page.GetByRole(AriaRole.Tree).GetByRole(AriaRole.Link, new() { Name = "said no" }).ClickAsync();

        var why = screen.Page.GetByRole(AriaRole.Complementary, new() { Name = "Why not" });
        await Assertions.Expect(why).ToContainTextAsync("high_temperature was woken, and its check said no: self.temperature 72 > 90.");
        await Assertions.Expect(why.Locator(".ln.hit").Filter(new() { HasText = "return" }).Locator(".lens")).ToHaveTextAsync("72 > 90: False");
        await Assertions.Expect(why).ToContainTextAsync("It agrees with the record.");
        await why.GetByRole(AriaRole.Combobox, new() { Name = "Rule" }).SelectOptionAsync(new SelectOptionValue { Label = "open_ticket" });
        await Assertions.Expect(why).ToContainTextAsync("open_ticket was not woken. Nothing here set alert.");
        await Assertions.Expect(why).ToContainTextAsync("What high_temperature's check() read");
        await screen.ShouldBeAccessibleEverywhereAsync();

        await screen.GoAsync($"/t/{caller.Tenant.Slug}/why?rule=scripts/heat.py:high_temperature&pid={answer.GetProperty("pid")}");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Main)).ToContainTextAsync("Did not run last");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Main)).ToContainTextAsync("self.temperature 72 > 90");
        await screen.ShouldBeAccessibleEverywhereAsync();
    }
}
