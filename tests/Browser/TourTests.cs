using Eddy.Files;
using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>
/// Goes through the screens of a tenant in which something has happened: on a desk in light, on a phone in dark. The pictures it takes lie in artifacts/screens, or where EDDY_SCREENS
/// says, for docs/ide.md (scripts/screens).
/// </summary>
[Trait("Category", "Long")]
public sealed class TourTests(TestBrowser browser, TestWay way) : IClassFixture<TestWay>
{
    private const string Heat = """
        class high_temperature(Rule):
            listens_to = ["temperature"]

            def check(self):
                return self.temperature > 90

            def action(self):
                self.alert = f"{self.room} is at {self.temperature} degrees"


        class cooled_down(Rule):
            listens_to = ["temperature"]

            def check(self):
                return self.temperature <= 70 and self.alert

            def action(self):
                del self.alert

        """;

    private const string Ticket = """
        class open_ticket(Rule):
            listens_to = ["alert"]

            def check(self):
                return self.alert and not self.ticket

            def action(self):
                shared.tickets = (shared.tickets or 0) + 1
                self.ticket = f"OPS-{shared.tickets}"
                print("opened", self.ticket)
                send_email("ops@acme.test", "{{alert}}. See {{ticket}}.", subject="{{room}} is hot")


        class call_on_duty(Rule):
            listens_to = ["ticket"]

            def action(self):
                self.called = shared.on_duty["phone"]

        """;

    private const string Report = """
        class weekly_report(Rule):
            schedule = "0 7 * * MON"
            schedule_where = {"kind": "room"}

            def action(self):
                self.reported = TODAY

        """;

    private const string Library = """
        def celsius(fahrenheit):
            return (fahrenheit - 32) * 5 / 9

        """;

    private static readonly string Folder = Environment.GetEnvironmentVariable("EDDY_SCREENS") is { Length: > 0 } given ? given : Path.Combine(Repository.Root, "artifacts", "screens");

    [Theory]
    [InlineData(1440, 900, ColorScheme.Light)]
    [InlineData(390, 844, ColorScheme.Dark)]
    public async Task Each_screen_shows_what_happened_and_is_accessible(int width, int height, ColorScheme scheme)
    {
        var look = $"{(width > 1000 ? "desk" : "phone")}-{(scheme == ColorScheme.Light ? "light" : "dark")}";
        var (slug, pid, arrival) = await HappenAsync(look);
        await using var screen = await browser.OpenAsync(way.Web, width, height, scheme);
        await screen.SignInAsync($"anna@{look}.test", TestBrowser.Password);
        Directory.CreateDirectory(Folder);

        foreach (var (name, path, text) in Stops(slug, pid, arrival))
        {
            await screen.GoAsync(path);
            await Assertions.Expect(screen.Page.Locator(name == "rules" ? ".view-lines" : "body").GetByText(text).Locator("visible=true").First).ToBeVisibleAsync();
            await screen.Page.ScreenshotAsync(new() { Path = Path.Combine(Folder, $"{name}-{look}.png"), Animations = ScreenshotAnimations.Disabled });
            if (width < 1000)
            {
                await screen.ShouldBeAccessibleAsync();
            }

            // Nothing is wider than the window, nor with the page at 150, 200 or more than 400 % (WCAG 1.4.4, 1.4.10); and what is edited has room.
            await ShouldFitAsync(screen, width, name);
            if (width > 1000)
            {
                foreach (var zoomed in new[] { width * 2 / 3, width / 2, 320 })
                {
                    await screen.Page.SetViewportSizeAsync(zoomed, height * zoomed / width);
                    await ShouldFitAsync(screen, zoomed, name);
                    if (name == "rules")
                    {
                        (await screen.Page.Locator(".monaco-editor").First.BoundingBoxAsync())!.Width.ShouldBeGreaterThan(Math.Min(zoomed, 800) / 2);
                    }
                }

                await screen.Page.SetViewportSizeAsync(width, height);
            }
        }
    }

    private static async Task ShouldFitAsync(TestScreen screen, int width, string name) =>
        (await screen.Page.EvaluateAsync<int>("document.documentElement.scrollWidth")).ShouldBeLessThanOrEqualTo(width, name);

    private static IEnumerable<(string Name, string Path, string Text)> Stops(string slug, long pid, Guid arrival) =>
    [
        ("start", $"/t/{slug}/start", "Send your first event"),
        ("rules", $"/t/{slug}/rules/scripts/ticket.py", "open_ticket"),
        ("live", $"/t/{slug}/runs/live", "high_temperature"),
        ("runs", $"/t/{slug}/runs", "open_ticket"),
        ("arrival", $"/t/{slug}/arrivals/{arrival}", "high_temperature"),
        ("why", $"/t/{slug}/arrivals/{arrival}?why=scripts/heat.py:cooled_down", "self.temperature 95 <= 70"),
        ("dry-run", $"/t/{slug}/rules/scripts/ticket.py?try=1", "An event that was"),
        ("processes", $"/t/{slug}/processes", "Server room"),
        ("process", $"/t/{slug}/processes/{pid}", "Server room"),
        ("shared", $"/t/{slug}/shared", "tickets"),
        ("quarantine", $"/t/{slug}/quarantine", "TypeError"),
        ("schedules", $"/t/{slug}/schedules", "weekly_report"),
        ("map", $"/t/{slug}/map", "open_ticket"),
        ("outbox", $"/t/{slug}/outbox", "Server room is hot"),
        ("refused", $"/t/{slug}/refused", "refused"),
        ("keys", $"/t/{slug}/settings/keys", "test"),
        ("secrets", $"/t/{slug}/settings/secrets", "Secrets"),
        ("groups", $"/t/{slug}/settings/groups", "Groups"),
        ("members", $"/t/{slug}/settings/members", "anna@"),
        ("usage", $"/t/{slug}/settings/usage", "Usage"),
        ("account", "/account", "Where you are signed in"),
    ];

    private async Task<(string Slug, long Pid, Guid Arrival)> HappenAsync(string look)
    {
        var tenant = await TestTenant.MakeAsync(way.Database, "Europe/Berlin", $"acme-{look}");
        await TestBrowser.AddPersonAsync(tenant, "owner", $"anna@{look}.test");
        var caller = new TestCaller(tenant, tenant.Client(way.Web));
        foreach (var (path, text) in new[] { (FirstRule.Path, Heat), ("scripts/ticket.py", Ticket), ("scripts/report.py", Report), ("libraries/units.py", Library) })
        {
            await caller.SaveAsync(path, text);
        }

        foreach (var (room, degrees) in new[] { ("Lobby", 21), ("Office 3", 23), ("Archive", 19), ("Workshop", 64), ("Roof", 12) })
        {
            await caller.SettleAsync($$"""{"kind": "room", "room": "{{room}}", "temperature": {{degrees}}, "humidity": 0.41}""");
        }

        var hot = await caller.SettleAsync("""{"kind": "room", "room": "Server room", "temperature": 95, "humidity": 0.32}""");
        await caller.SettleAsync("""{"temperature": 60}""", $"?pid={hot.GetProperty("pid").GetInt64()}");
        return (tenant.Slug, hot.GetProperty("pid").GetInt64(), hot.GetProperty("arrival").GetGuid());
    }
}
