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

    [Fact, Trait("Category", "Long")]
    public async Task A_page_that_lost_its_line_says_so_and_shows_the_newest_when_another_web_answers()
    {
        await using var wire = new TestWire();
        var place = $"Sites:Domain=localhost:{wire.Address.Port}";
        await using var first = await TestWeb.StartAsync(way.Database, place);
        await using var next = await TestWeb.StartAsync(way.Database, place);
        var caller = await way.CallerAsync(("pages/x.html", """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="eddy-access" content="public"><title>x</title></head><body><p id="n">{{ shared.n }}</p></body></html>"""));
        await ShareAsync(caller, 1);
        wire.LeadTo(first);
        await using var screen = await browser.OpenAsync(first, at: new Uri($"http://{caller.Tenant.Slug}.localhost:{wire.Address.Port}"));
        await screen.Page.GotoAsync("/x");
        await Assertions.Expect(screen.Page.Locator("html[data-eddy=live]")).ToBeAttachedAsync();
        await ShareAsync(caller, 2);
        await Assertions.Expect(screen.Page.Locator("#n")).ToHaveTextAsync("2");

        wire.Cut();
        await Assertions.Expect(screen.Page.Locator("html[data-eddy-offline]")).ToBeAttachedAsync();
        await ShareAsync(caller, 3);
        wire.LeadTo(next);

        await Assertions.Expect(screen.Page.Locator("#n")).ToHaveTextAsync("3");
        await Assertions.Expect(screen.Page.Locator("html[data-eddy-offline]")).ToHaveCountAsync(0);
        await ShareAsync(caller, 4);
        await Assertions.Expect(screen.Page.Locator("#n")).ToHaveTextAsync("4");
    }

    [Fact]
    public async Task A_page_s_own_script_sets_calls_and_hears_as_its_visitor_may()
    {
        var caller = await way.CallerAsync(
            ("pages/app.html", """
                <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="eddy-access" content="public"><title>App</title></head><body><h1>App</h1>
                <script>
                  const heard = [], ofOne = [];
                  const tried = attempt => attempt.then(() => "done", fault => `${fault.status} ${fault.message}`);
                  addEventListener("DOMContentLoaded", () => { for (const key of ["vote", "secret"]) eddy.on(key, (value, { pid }) => heard.push([key, value, pid])); });
                </script></body></html>
                """),
            ("api/sums.py", "def add(request):\n    return {'sum': request.BODY['a'] + request.BODY['b']}\n\ndef nothing(request):\n    return None\n\ndef no(request):\n    raise HttpResponseBadRequest('What?')\n"));
        (await caller.Http.PostAsync("/api/access/entries", new StringContent("""{"group": "public", "may": ["read", "set"], "keys": ["vote"]}""", System.Text.Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken))
            .EnsureSuccessStatusCode();
        await using var screen = await OpenAsync(caller.Tenant, "/app");
        var page = screen.Page;

        (await page.EvaluateAsync<int>("async () => (await eddy.call('sums.add', { a: 2, b: 3 })).sum")).ShouldBe(5);
        (await page.EvaluateAsync<bool>("async () => await eddy.call('sums.nothing') === null")).ShouldBeTrue();
        (await page.EvaluateAsync<string>("() => tried(eddy.call('sums.no'))")).ShouldBe("400 What?");
        (await page.EvaluateAsync<string>("() => tried(eddy.call('sums.gone'))")).ShouldStartWith("404 There is no function at /api/v1/sums/gone");
        (await page.EvaluateAsync<string>("() => tried(eddy.set({ admin: true }))")).ShouldStartWith("403 ");

        var pid = await page.EvaluateAsync<long>("async () => (await eddy.set({ vote: 1 })).pid");
        var other = await page.EvaluateAsync<long>("async () => (await eddy.set({ vote: 1 })).pid");
        await page.EvaluateAsync("pid => { eddy.on('vote', value => ofOne.push(value), { pid }); }", pid);
        var n = 1;
        await Patience.UntilAsync("both listeners are heard", Patience.Long, async () =>
        {
            await page.EvaluateAsync("([pid, other, n]) => eddy.set({ vote: n }, { pid }).then(() => eddy.set({ vote: -n }, { pid: other }))", new object[] { pid, other, ++n });
            return await page.EvaluateAsync<bool>("n => ofOne.length > 0 && heard.some(([, value]) => value < 0)", n);
        });
        await caller.SettleAsync("""{"secret": "x", "vote": 1000}""");
        await caller.SettleAsync("""{"vote": 1001}""");
        await page.WaitForFunctionAsync("() => heard.some(([, value]) => value === 1001)");

        (await page.EvaluateAsync<bool>("() => ofOne.every(value => value > 0 && value < 1000)")).ShouldBeTrue();
        (await page.EvaluateAsync<bool>("() => heard.every(([key]) => key === 'vote')")).ShouldBeTrue();
        (await caller.ProcessAsync(pid)).GetProperty("vote").GetInt32().ShouldBe(n);
        (await caller.GetAsync($"/api/events?pid={pid}")).GetProperty("events")[0].GetProperty("source").GetString().ShouldBe("page");
    }

    [Fact]
    public async Task A_page_moves_beside_the_editor_too_as_it_is_typed_and_not_saved()
    {
        var caller = await way.CallerAsync(("pages/x.html", """<meta name="eddy-access" content="public"><p>Saved: {{ shared.n }}</p>"""));
        await ShareAsync(caller, 1);
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/rules/pages/x.html");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Preview", Exact = true }).ClickAsync();
        var frame = screen.Page.FrameLocator("iframe");
        await Assertions.Expect(frame.GetByText("Saved: 1")).ToBeVisibleAsync();

        await screen.Page.Locator(".monaco-editor textarea, .monaco-editor .native-edit-context").First.FocusAsync();
        await screen.Page.Keyboard.PressAsync("Control+A");
        await screen.Page.Keyboard.InsertTextAsync("<p>Typed: {{ shared.n }}, {{ process.room }}</p>");
        await Assertions.Expect(frame.GetByText("Typed: 1,")).ToBeVisibleAsync();
        await Assertions.Expect(frame.Locator("html[data-eddy=live]")).ToBeAttachedAsync();
        await ShareAsync(caller, 2);

        await Assertions.Expect(frame.GetByText("Typed: 2,")).ToBeVisibleAsync();
        var pid = (await caller.SettleAsync("""{"room": "attic"}""")).GetProperty("pid").GetInt64();
        await screen.Page.GetByLabel("process", new() { Exact = true }).FillAsync($"{pid}");
        await screen.Page.GetByLabel("process", new() { Exact = true }).PressAsync("Enter");
        await Assertions.Expect(frame.GetByText("Typed: 2, attic")).ToBeVisibleAsync();
    }

    private static async Task ShareAsync(TestCaller caller, int value)
    {
        (await caller.PutAsync("/api/shared/n", $"{value}")).EnsureSuccessStatusCode();
        await Patience.UntilAsync("it is set", Patience.Long, async () => (await caller.SharedAsync()).TryGetProperty("n", out var now) && now.GetInt32() == value);
    }

    private async Task<TestScreen> OpenAsync(TestTenant tenant, string path, int width = 1440, ColorScheme scheme = ColorScheme.Light)
    {
        var screen = await browser.OpenAsync(way.Web, width, 900, scheme, new Uri($"http://{tenant.Slug}.localhost:{way.Web.Address.Port}"));
        await screen.Page.GotoAsync($"http://{tenant.Slug}.localhost:{way.Web.Address.Port}{path}");
        await Assertions.Expect(screen.Page.Locator("html[data-eddy=live]")).ToBeAttachedAsync();
        return screen;
    }
}
