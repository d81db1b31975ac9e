using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>Console, trace and the runs' screens, from the line that somebody writes to the change that a rule makes of it.</summary>
[Trait("Category", "Long")]
public sealed class TraceScreensTests(TestBrowser browser, TestWay way) : IClassFixture<TestWay>
{
    private const string Heat = """
        class high_temperature(Rule):
            listens_to = ["temperature"]

            def check(self):
                return self.temperature > 90

            def action(self):
                self.alert = "Too hot"
                print("It is", self.temperature)


        class tell(Rule):
            listens_to = ["alert"]

            def action(self):
                self.phone = {"night": 1}["day"]


        class cooled_down(Rule):
            listens_to = ["temperature"]

            def check(self):
                return self.temperature < 80
        """;

    [Fact]
    public async Task What_is_sent_from_the_console_is_seen_in_the_trace_up_to_what_rules_made_of_it()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/runs/live");
        var input = screen.Page.GetByRole(AriaRole.Textbox, new() { Name = "KVPs, one a line" });

        await input.FillAsync("temperature := 95\nphone_no := 0170 555 0123");
        await Assertions.Expect(screen.Page.GetByText("leading zero")).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.GetByText("Wakes high_temperature and cooled_down.")).ToBeVisibleAsync();
        await input.PressAsync("Control+Enter");

        await Assertions.Expect(screen.Page.GetByText("settled with")).ToBeVisibleAsync();
        var tree = screen.Page.GetByRole(AriaRole.Tree, new() { Name = "Trace" });
        await Assertions.Expect(tree.GetByRole(AriaRole.Treeitem).Filter(new() { HasText = "alert" }).First).ToContainTextAsync("Too hot");
        await Assertions.Expect(tree.GetByRole(AriaRole.Treeitem).Filter(new() { HasText = "cooled_down" })).ToContainTextAsync("said no");
        await Assertions.Expect(tree).ToContainTextAsync("KeyError: 'day' at line 16. In quarantine.");
        await Assertions.Expect(tree).ToContainTextAsync("It is 95");
        await Assertions.Expect(tree.GetByRole(AriaRole.Link, new() { Name = "tell" })).ToHaveAttributeAsync("href", $"/t/{caller.Tenant.Slug}/rules/scripts/heat.py?line=12");
        await screen.ShouldBeAccessibleAsync();

        // By keys: to the first row, closed, and opened again; what is typed before a fold is drawn waits for it.
        await tree.GetByRole(AriaRole.Treeitem).First.FocusAsync();
        await screen.Page.Keyboard.PressAsync("ArrowLeft");
        await Assertions.Expect(tree.GetByRole(AriaRole.Treeitem)).ToHaveCountAsync(1);
        await screen.Page.Keyboard.PressAsync("ArrowRight");
        await screen.Page.Keyboard.PressAsync("ArrowDown");
        await Assertions.Expect(tree.GetByRole(AriaRole.Treeitem).Nth(1)).ToBeFocusedAsync();
        await tree.GetByRole(AriaRole.Treeitem).First.FocusAsync();
        await screen.Page.EvaluateAsync(
            "for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowDown', 'ArrowDown']) document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))");
        await Assertions.Expect(tree.GetByRole(AriaRole.Treeitem).Nth(2)).ToBeFocusedAsync();

        // Tab leads out of it all the same.
        await tree.GetByRole(AriaRole.Treeitem).First.FocusAsync();
        (await screen.Page.EvaluateAsync<bool>(
            "['ArrowLeft', 'Tab'].map(key => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })))[1]")).ShouldBeTrue();
        await Assertions.Expect(tree.GetByRole(AriaRole.Treeitem)).ToHaveCountAsync(1);

        await screen.Page.GetByRole(AriaRole.Link, new() { Name = "Its trace" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Event 1");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Tree)).ToContainTextAsync("high_temperature");
        await screen.ShouldBeAccessibleAsync();
    }

    [Fact]
    public async Task A_failed_run_says_why_and_leads_to_the_line()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        await caller.SettleAsync("""{"temperature": 95}""");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant, "editor");

        await screen.GoAsync($"/t/{caller.Tenant.Slug}/runs?outcome=failed");
        await screen.Page.GetByRole(AriaRole.Table).GetByRole(AriaRole.Link, new() { Name = "tell" }).ClickAsync();

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("tell");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Region, new() { Name = "Error" })).ToContainTextAsync("KeyError");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Link, new() { Name = "scripts/heat.py, line 16" })).ToHaveAttributeAsync("href", $"/t/{caller.Tenant.Slug}/rules/scripts/heat.py?line=16");
        await screen.ShouldBeAccessibleAsync();
    }

    [Fact]
    public async Task Who_may_read_nothing_sees_that_something_happened_and_no_value_and_is_told_before_sending()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        var answer = await caller.SettleAsync("""{"temperature": 95, "code": "attic-4711"}""");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant, "viewer", width: 390, height: 844);
        foreach (var path in (string[])[$"arrivals/{answer.GetProperty("arrival").GetString()}", "runs/live", "runs/1", "runs/2", "runs"])
        {
            await screen.GoAsync($"/t/{caller.Tenant.Slug}/{path}");
            await Assertions.Expect(screen.Page.Locator("main")).ToContainTextAsync(path == "runs/live" ? "2 changes that you may not read." : path == "runs" ? "high_temperature" : "may not read");

            var text = await screen.Page.Locator("main").InnerTextAsync();
            foreach (var secret in (string[])["4711", "95", "Too hot", "KeyError", "temperature\n", "code"])
            {
                text.Replace("high_temperature", "", StringComparison.Ordinal).ShouldNotContain(secret, customMessage: path);
            }

            (await screen.Page.EvaluateAsync<int>("document.scrollingElement.scrollWidth")).ShouldBeLessThanOrEqualTo(390, path);
            if (path.Contains('/'))
            {
                await screen.ShouldBeAccessibleAsync();
            }
        }

        await screen.GoAsync($"/t/{caller.Tenant.Slug}/runs/live");
        await screen.Page.GetByRole(AriaRole.Textbox, new() { Name = "KVPs, one a line" }).FillAsync("temperature := 20");
        await Assertions.Expect(screen.Page.Locator(".parse .why")).ToContainTextAsync("may not set temperature");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Button, new() { Name = "Send" })).ToBeDisabledAsync();
    }

    [Fact]
    public async Task Tenants_never_meet_in_a_trace_and_what_is_written_outlives_the_page()
    {
        var (own, other) = (await way.CallerAsync(("scripts/heat.py", Heat)), await way.CallerAsync(("scripts/heat.py", Heat)));
        await using var screen = await browser.OpenAsync(way.Web, own.Tenant);
        await screen.GoAsync($"/t/{own.Tenant.Slug}/runs/live");
        var input = screen.Page.GetByRole(AriaRole.Textbox, new() { Name = "KVPs, one a line" });
        await input.FillAsync("note := kept here");
        await Assertions.Expect(screen.Page.Locator(".parse")).ToContainTextAsync("kept here");

        var theirs = await other.SettleAsync("""{"temperature": 95, "whose": "theirs-4711"}""");
        await own.SettleAsync("""{"temperature": 95, "whose": "ours"}""");

        var tree = screen.Page.GetByRole(AriaRole.Tree, new() { Name = "Trace" });
        await Assertions.Expect(tree).ToContainTextAsync("ours");
        await Assertions.Expect(tree).Not.ToContainTextAsync("theirs");
        await screen.GoAsync($"/t/{own.Tenant.Slug}/arrivals/{theirs.GetProperty("arrival").GetString()}");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Nothing of this arrival is in the log");
        await screen.GoAsync($"/t/{own.Tenant.Slug}/runs/live");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Textbox, new() { Name = "KVPs, one a line" })).ToHaveValueAsync("note := kept here");
    }

    [Fact]
    public async Task Under_the_pointer_and_while_paused_nothing_moves_and_N_brings_what_is_new()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        await caller.SettleAsync("""{"temperature": 20}""");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/runs/live");
        var tree = screen.Page.GetByRole(AriaRole.Tree, new() { Name = "Trace" });
        var arrivals = tree.Locator("[aria-level='1']");
        await Assertions.Expect(arrivals).ToHaveCountAsync(1);

        await arrivals.First.HoverAsync();
        await caller.SettleAsync("""{"temperature": 21}""");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Button, new() { Name = "1 new" })).ToBeVisibleAsync();
        await Assertions.Expect(arrivals).ToHaveCountAsync(1);
        await screen.Page.Keyboard.PressAsync("n");
        await Assertions.Expect(arrivals).ToHaveCountAsync(2);

        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await caller.SettleAsync("""{"temperature": 22}""");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Button, new() { Name = "1 new" })).ToBeVisibleAsync();
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await Assertions.Expect(arrivals).ToHaveCountAsync(3);
    }
}
