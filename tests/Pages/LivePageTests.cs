using Eddy.Operator;
using Eddy.Pages;
using Eddy.Tests.Browser;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;

namespace Eddy.Tests.Pages;

/// <summary>Pages that are open, in a real browser.</summary>
public sealed class LivePageTests(TestBrowser browser, TestWay way) : IClassFixture<TestWay>
{
    [Fact]
    public async Task The_first_page_moves_when_somebody_posts_for_all_who_look_and_keeps_what_they_type()
    {
        var tenant = await TestTenant.MakeAsync(way.Database);
        await using (var db = new OperatorDb(way.Database.SuperuserConnection))
        {
            await using var rows = db.For(tenant.Id);
            FirstPage.AddTo(rows, tenant.Id, "a test", TimeProvider.System.GetUtcNow());
            (await rows.Tenants.SingleAsync(one => one.Id == tenant.Id.Value, TestContext.Current.CancellationToken)).TreeVersion = 1;
            await rows.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        var caller = new TestCaller(tenant, tenant.Client(way.Web));
        PageCheck.Of(FirstPage.Text).ShouldBeEmpty();
        await using var first = await OpenAsync(tenant, "/");
        await using var second = await OpenAsync(tenant, "/", 390, ColorScheme.Dark);
        await Assertions.Expect(first.Page.GetByText("No temperature has come in yet.")).ToBeVisibleAsync();

        await caller.SettleAsync("""{"temperature": 95, "room": "attic", "alert": "Too hot"}""");

        foreach (var screen in new[] { first, second })
        {
            await Assertions.Expect(screen.Page.GetByText("95° in room attic")).ToBeVisibleAsync();
            await Assertions.Expect(screen.Page.GetByRole(AriaRole.Status).Filter(new() { HasText = "Too hot" })).ToBeVisibleAsync();
        }

        await first.Page.GetByText("The last temperatures as a table").ClickAsync();
        await first.Page.EvaluateAsync("window.isTheSame = true");
        await caller.SettleAsync("""{"temperature": 72.5}""");

        await Assertions.Expect(first.Page.GetByRole(AriaRole.Img)).ToHaveAccessibleNameAsync("The last temperatures. 2 values from 72.5 to 95°, the last 72.5°.");
        await Assertions.Expect(first.Page.GetByRole(AriaRole.Cell, new() { Name = "72.5°" })).ToBeVisibleAsync();
        (await first.Page.EvaluateAsync<bool>("window.isTheSame")).ShouldBeTrue();
        await first.ShouldBeAccessibleAsync();
        await second.ShouldBeAccessibleAsync();
        (await second.Page.EvaluateAsync<int>("document.documentElement.scrollWidth")).ShouldBeLessThanOrEqualTo(390);
    }

    [Fact]
    public async Task What_is_typed_and_focused_stays_and_a_script_hears_of_keys_that_it_may_read()
    {
        var caller = await way.CallerAsync(("pages/form.html", """
            <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="eddy-access" content="public"><title>{{ shared.n }}</title></head><body>
            <p id="n">{{ shared.n }}</p><label>Name <input name="name" value="{{ shared.n }}"></label><label>Else <input name="else" value="{{ shared.n }}"></label><div id="heard" data-eddy-keep></div>
            <script>addEventListener("DOMContentLoaded", () => eddy.on("n", value => document.getElementById("heard").textContent += `heard ${value} `, { pid: 0 }));</script></body></html>
            """));
        (await caller.Http.PostAsync("/api/access/entries", new StringContent("""{"group": "public", "may": ["read"], "keys": ["n"], "shared": true}""", System.Text.Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken))
            .EnsureSuccessStatusCode();
        (await caller.PutAsync("/api/shared/n", "1")).EnsureSuccessStatusCode();
        await Patience.UntilAsync("it is set", Patience.Long, async () => (await caller.SharedAsync()).TryGetProperty("n", out _));
        await using var screen = await OpenAsync(caller.Tenant, "/form");
        await screen.Page.GetByLabel("Name").FillAsync("Ada");

        (await caller.PutAsync("/api/shared/n", "2")).EnsureSuccessStatusCode();

        await Assertions.Expect(screen.Page.Locator("#n")).ToHaveTextAsync("2");
        await Assertions.Expect(screen.Page).ToHaveTitleAsync("2");
        await Assertions.Expect(screen.Page.GetByLabel("Name")).ToHaveValueAsync("Ada");
        await Assertions.Expect(screen.Page.GetByLabel("Name")).ToBeFocusedAsync();
        await Assertions.Expect(screen.Page.GetByLabel("Else")).ToHaveValueAsync("2");
        await Assertions.Expect(screen.Page.Locator("#heard")).ToContainTextAsync("heard 2");
    }

    [Fact]
    public async Task A_page_that_is_saved_anew_shows_so_where_it_is_open()
    {
        var caller = await way.CallerAsync(("pages/x.html", """<meta name="eddy-access" content="public"><p>before</p>"""));
        await using var screen = await OpenAsync(caller.Tenant, "/x");

        await caller.SaveAsync("pages/x.html", """<meta name="eddy-access" content="public"><p>after</p>""");

        await Assertions.Expect(screen.Page.GetByText("after")).ToBeVisibleAsync();
    }

    private async Task<TestScreen> OpenAsync(TestTenant tenant, string path, int width = 1440, ColorScheme scheme = ColorScheme.Light)
    {
        var screen = await browser.OpenAsync(way.Web, width, 900, scheme, new Uri($"http://{tenant.Slug}.localhost:{way.Web.Address.Port}"));
        await screen.Page.GotoAsync($"http://{tenant.Slug}.localhost:{way.Web.Address.Port}{path}");
        await Assertions.Expect(screen.Page.Locator("html[data-eddy=live]")).ToBeAttachedAsync();
        return screen;
    }
}
