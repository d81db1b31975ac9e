using System.Text;
using Eddy.Tests.Browser;
using Microsoft.Playwright;

namespace Eddy.Tests.Sites;

/// <summary>A tenant's page in the browser of somebody who is signed in on the platform: whatever its script tries, it gets nothing there.</summary>
public sealed class SiteWallTests(TestBrowser browser, TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private const string Attack = """
        <!DOCTYPE html><title>Evil</title><h1>Evil</h1>
        <iframe name="sink"></iframe>
        <script>
          const stopped = attempt => attempt.then(what => 'reached ' + what, () => 'stopped');
          const settled = (target, good, bad) => new Promise((yes, no) => { target.addEventListener(good, () => yes(good)); for (const one of bad) target.addEventListener(one, no); });
          async function attack(platform, slug) {
            const found = {};
            found.read = await stopped(fetch(platform + '/api/files', { credentials: 'include' }).then(answer => answer.text()));
            found.page = await stopped(fetch(platform + '/t', { credentials: 'include' }).then(answer => answer.text()));
            found.own = await stopped(fetch('/t', { credentials: 'include' }).then(answer => answer.status === 404 ? Promise.reject() : answer.text()));
            found.blind = await stopped(fetch(platform + '/sign-out', { method: 'POST', mode: 'no-cors', credentials: 'include' }).then(() => Promise.reject()));
            found.cookie = document.cookie;
            const frame = document.body.appendChild(document.createElement('iframe'));
            frame.src = platform + '/t/' + slug + '/rules';
            await new Promise(done => frame.addEventListener('load', done));
            try { found.frame = frame.contentWindow.document.body.innerText.includes('Rules') ? 'reached' : 'stopped'; } catch { found.frame = 'stopped'; }
            const script = document.head.appendChild(document.createElement('script'));
            const loaded = stopped(settled(script, 'load', ['error']));
            script.src = platform + '/t/' + slug + '/export/processes.json';
            found.script = await loaded;
            const form = document.body.appendChild(document.createElement('form'));
            [form.method, form.action, form.target] = ['post', platform + '/sign-out', 'sink'];
            form.submit();
            try {
              const socket = new WebSocket(platform.replace('http', 'ws') + '/_blazor?id=x');
              found.socket = await stopped(settled(socket, 'open', ['error', 'close']));
            } catch { found.socket = 'stopped'; }
            return found;
          }
          async function look(platform, slug) {
            const other = window.open(platform + '/t/' + slug + '/rules');
            for (;;) {
              if (!other || other.closed) return 'stopped';
              try { if (other.location.href !== 'about:blank') return 'reached ' + other.document.body.innerText; } catch { return 'stopped'; }
              await new Promise(done => setTimeout(done, 20));
            }
          }
        </script>
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_script_of_a_tenant_reaches_the_platform_s_origin_cookies_or_API(bool bypassPolicy)
    {
        var tenant = await TestTenant.MakeAsync(database);
        var address = await TestBrowser.AddPersonAsync(tenant, "owner");
        using (var http = tenant.Client(shared.Web))
        {
            using var put = await http.PutAsync("/api/files/workspace/public/evil.html", new ByteArrayContent(Encoding.UTF8.GetBytes(Attack)), TestContext.Current.CancellationToken);
            put.EnsureSuccessStatusCode();
        }

        await using var context = await browser.ContextAsync(shared.Web, bypassPolicy);
        var home = await context.NewPageAsync();
        await home.GotoAsync("/sign-in");
        await home.GetByLabel("Mail address").FillAsync(address);
        await home.GetByLabel("Password").FillAsync(TestBrowser.Password);
        await home.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await home.WaitForURLAsync("**/t/**");
        var platform = shared.Web.Address.GetLeftPart(UriPartial.Authority);
        var evil = await context.NewPageAsync();
        await evil.GotoAsync($"http://{tenant.Slug}.localhost:{shared.Web.Address.Port}/evil.html");

        var found = await evil.EvaluateAsync<Dictionary<string, string>>("([platform, slug]) => attack(platform, slug)", new[] { platform, tenant.Slug });
        var window = await evil.EvaluateAsync<string>("([platform, slug]) => look(platform, slug)", new[] { platform, tenant.Slug });

        foreach (var (what, came) in found)
        {
            came.ShouldBe(what == "cookie" ? "" : "stopped", what);
        }

        window.ShouldBe("stopped");
        if (!bypassPolicy)
        {
            evil.Frames.ShouldAllBe(frame => !frame.Url.StartsWith(platform, StringComparison.Ordinal));
        }

        // Nothing was done in their name, either: they are signed in as before.
        await home.GotoAsync($"/t/{tenant.Slug}/processes");
        await Assertions.Expect(home.GetByRole(AriaRole.Navigation, new() { Name = "Sections" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_member_signs_in_at_the_site_by_way_of_the_platform_and_out_again()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var address = await TestBrowser.AddPersonAsync(tenant, "viewer");
        await using var screen = await browser.OpenAsync(shared.Web, at: new Uri($"http://{tenant.Slug}.localhost:{shared.Web.Address.Port}"));
        await screen.Page.GotoAsync("/");
        await screen.ShouldBeAccessibleEverywhereAsync();

        await screen.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).ClickAsync();
        await screen.Page.GetByLabel("Mail address").FillAsync(address);
        await screen.Page.GetByLabel("Password").FillAsync(TestBrowser.Password);
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync(tenant.Slug);
        await Assertions.Expect(screen.Page.GetByText(address)).ToBeVisibleAsync();
        await screen.ShouldBeAccessibleEverywhereAsync();
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in" })).ToBeVisibleAsync();
        // The platform still knows them: no question the next time.
        await screen.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByText(address)).ToBeVisibleAsync();
    }
}
