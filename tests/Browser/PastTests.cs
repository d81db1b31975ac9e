using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>A process as it was, and what came in then come in once more.</summary>
[Trait("Category", "Long")]
public sealed class PastTests(TestBrowser browser, TestWay way) : IClassFixture<TestWay>
{
    private const string Heat = "class hot(Rule):\n    listens_to = ['temperature']\n\n    def check(self):\n        return (self.temperature or 0) > 90\n\n    def action(self):\n        self.alert = 'Too hot'\n";

    [Fact]
    public async Task The_timeline_shows_a_process_as_it_was_its_address_opens_there_and_an_event_is_replayed()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        // Events 1 and 2, and 3 of the rule; 4; 5.
        var pid = (await caller.SettleAsync("""{"temperature": 95, "room": "attic"}""")).GetProperty("pid").GetInt64();
        await caller.SettleAsync("""{"temperature": 72}""", $"?pid={pid}");
        await caller.SettleAsync("""{"door": "open"}""", $"?pid={pid}");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/processes/{pid}");
        var (slider, seen) = (screen.Page.GetByRole(AriaRole.Slider, new() { Name = "Moment shown" }), screen.Page.Locator(".then"));
        await Assertions.Expect(slider).ToHaveValueAsync("4");

        // By keys, from wherever one is: by one event, and by one cascade.
        await screen.Page.Keyboard.PressAsync("ArrowLeft");
        await Assertions.Expect(seen).ToContainTextAsync("after event 4. 1 key is different now.");
        await Assertions.Expect(Row("door")).ToContainTextAsync("not set");
        await screen.Page.Keyboard.PressAsync("Shift+ArrowLeft");
        await Assertions.Expect(seen).ToContainTextAsync("after event 3. 2 keys are different now.");
        await Assertions.Expect(Row("temperature")).ToContainTextAsync("now 72");
        await Assertions.Expect(Row("alert")).ToContainTextAsync("hot");
        await screen.Page.Keyboard.PressAsync("ArrowLeft");
        await Assertions.Expect(Row("alert")).ToContainTextAsync("not set");
        await screen.Page.WaitForFunctionAsync("() => location.search === '?at=2'");
        await screen.ShouldBeAccessibleEverywhereAsync();

        // Another moment to compare with, and back.
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Compare…" }).ClickAsync();
        await screen.Page.Keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(seen).ToContainTextAsync("1 key was different");
        await slider.PressAsync("Escape");
        await Assertions.Expect(seen).ToHaveCountAsync(0);
        await screen.Page.WaitForFunctionAsync("() => location.search === ''");

        await screen.GoAsync($"/t/{caller.Tenant.Slug}/processes/{pid}?at=3");
        await Assertions.Expect(seen).ToContainTextAsync("after event 3.");
        await Assertions.Expect(Row("alert")).ToContainTextAsync("Too hot");

        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Replay…" }).ClickAsync();
        await screen.Page.GetByRole(AriaRole.Checkbox, new() { Name = "Event 1", Exact = true }).CheckAsync();
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Replay 1" }).ClickAsync();
        await screen.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Replay", Exact = true }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByText("replay of event 1").First).ToBeVisibleAsync();
        await Patience.UntilAsync("it has come in once more", Patience.Long, async () => (await caller.ProcessAsync(pid)).GetProperty("temperature").GetInt32() == 95);

        // What is gone is there in its past.
        foreach (var key in new[] { "temperature", "room", "alert", "door" })
        {
            (await caller.Http.DeleteAsync($"/api/processes/{pid}/{key}", TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
        }

        await screen.GoAsync($"/t/{caller.Tenant.Slug}/processes/{pid}");
        await Assertions.Expect(screen.Page.GetByText("It is not there any more: its last KVP was removed.")).ToBeVisibleAsync();
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/processes/{pid}?at=3");
        await Assertions.Expect(Row("alert")).ToContainTextAsync("Too hot");

        ILocator Row(string key) => screen.Page.Locator($"tr[data-key={key}]");
    }
}
