using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>Why a rule ran or did not, and what a draft would have done, in the screens.</summary>
[Trait("Category", "Long")]
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

    [Fact]
    public async Task What_is_typed_is_tried_on_an_event_that_was_and_its_values_stand_in_the_text_until_more_is_typed()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        await caller.SettleAsync("""{"temperature": 72}""");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant, "editor");
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/rules/scripts/heat.py");
        var text = screen.Page.Locator(".monaco-editor textarea").First;
        await text.FocusAsync();
        await screen.Page.Keyboard.PressAsync("Control+Home");
        await screen.Page.Keyboard.PressAsync("End");
        await screen.Page.Keyboard.PressAsync("Backspace");
        await screen.Page.Keyboard.PressAsync("Backspace");
        await screen.Page.Keyboard.TypeAsync("60");

        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Dry run", Exact = true }).ClickAsync();
        var pane = screen.Page.GetByRole(AriaRole.Region, new() { Name = "Dry run", Exact = true });
        await pane.GetByRole(AriaRole.Button, new() { Name = "Run it" }).ClickAsync();

        await Assertions.Expect(pane).ToContainTextAsync("high_temperature would run: self.temperature 72 > 60.");
        await Assertions.Expect(pane.GetByRole(AriaRole.Row).Filter(new() { HasText = "alert" })).ToContainTextAsync("Too hot");
        await Assertions.Expect(pane).ToContainTextAsync("said no.");
        await Assertions.Expect(screen.Page.Locator(".monaco-editor .chip").First).ToContainTextAsync("72");
        (await caller.GetAsync("/api/events")).GetProperty("events").GetArrayLength().ShouldBe(1);
        await screen.ShouldBeAccessibleEverywhereAsync();

        // On all that was, with an example to open.
        await pane.GetByRole(AriaRole.Button, new() { Name = "Many events" }).ClickAsync();
        await pane.GetByRole(AriaRole.Button, new() { Name = "Try it on all" }).ClickAsync();
        await Assertions.Expect(pane).ToContainTextAsync("It would have run once, and really ran 0 times: 1 more, 0 fewer, 0 otherwise.");
        await Assertions.Expect(pane.GetByRole(AriaRole.Row).Filter(new() { HasText = "changes" })).ToContainTextAsync("1");
        await Assertions.Expect(pane.GetByRole(AriaRole.Img, new() { NameRegex = new("How often it ran") })).ToBeVisibleAsync();
        await screen.ShouldBeAccessibleEverywhereAsync();
        await pane.GetByRole(AriaRole.Button, new() { NameRegex = new("^event ") }).ClickAsync();
        await Assertions.Expect(pane).ToContainTextAsync("high_temperature would run: self.temperature 72 > 60.");
        (await caller.GetAsync("/api/events")).GetProperty("events").GetArrayLength().ShouldBe(1);

        await text.FocusAsync();
        await screen.Page.Keyboard.PressAsync("Control+Home");
        await screen.Page.Keyboard.TypeAsync("# a");
        await Assertions.Expect(screen.Page.Locator(".monaco-editor .chip")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_test_is_made_of_an_event_by_one_click_and_a_save_that_breaks_it_asks_first()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        var answer = await caller.SettleAsync("""{"temperature": 95}""");
        var position = (await caller.GetAsync("/api/events")).GetProperty("events").EnumerateArray().Single(one => one.GetProperty("key").GetString() == "temperature").GetProperty("position").GetInt64();
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/why?rule=scripts/heat.py:high_temperature&event={position}&pid={answer.GetProperty("pid")}");

        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Make a test" }).ClickAsync();
        var pane = screen.Page.GetByRole(AriaRole.Region, new() { Name = "Tests", Exact = true });
        await Assertions.Expect(pane.GetByRole(AriaRole.Status)).ToHaveTextAsync("1 test passed.");
        await Assertions.Expect(pane.GetByRole(AriaRole.Link, new() { Name = $"test_event_{position}" })).ToBeVisibleAsync();
        await screen.ShouldBeAccessibleEverywhereAsync();

        await screen.GoAsync($"/t/{caller.Tenant.Slug}/rules/scripts/heat.py");
        var text = screen.Page.Locator(".monaco-editor textarea").First;
        await text.FocusAsync();
        await screen.Page.Keyboard.PressAsync("Control+Home");
        await screen.Page.Keyboard.PressAsync("End");
        await screen.Page.Keyboard.TypeAsync("9");
        await screen.Page.Keyboard.PressAsync("Control+s");
        var dialog = screen.Page.GetByRole(AriaRole.Dialog, new() { Name = "This breaks a test" });
        await Assertions.Expect(dialog).ToContainTextAsync($"test_event_{position}");
        await Assertions.Expect(dialog).ToContainTextAsync("sorted(ran) is []");
        await screen.ShouldBeAccessibleEverywhereAsync();
        (await caller.Http.GetStringAsync("/api/files/scripts/heat.py", TestContext.Current.CancellationToken)).ShouldBe(Heat);

        await dialog.GetByRole(AriaRole.Button, new() { Name = "Look at it" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByText("It is not saved. Your text stays here.")).ToBeVisibleAsync();
        await Assertions.Expect(pane.GetByRole(AriaRole.Status)).ToHaveTextAsync("1 of 1 test failed.");
        await text.FocusAsync();
        await screen.Page.Keyboard.PressAsync("Control+s");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Save all the same" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByText("1 of 1 test failed.").First).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.GetByText("Saved as version")).ToBeVisibleAsync();
        (await caller.Http.GetStringAsync("/api/files/scripts/heat.py", TestContext.Current.CancellationToken)).ShouldStartWith("LIMIT = 909");
    }
}
