using System.Net;
using System.Text;
using Eddy.Access;
using Eddy.Identity;
using Eddy.Sites;
using Eddy.Tests.Browser;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace Eddy.Tests.Sites;

/// <summary>Cards and pages beside the editor, as they are typed.</summary>
public sealed class PreviewTests(TestBrowser browser, TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private const string Path = "card_html_files/approval.html";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private SiteDrafts Drafts => shared.Web.Services.GetRequiredService<SiteDrafts>();

    [Fact]
    public async Task A_draft_is_shown_to_who_may_change_files_and_has_no_origin()
    {
        var (tenant, member, session, _) = await SignedInAsync("owner");
        var address = await Drafts.KeepAsync(tenant.Id, tenant.Slug, member.Person, session, Path, "<h1>As typed</h1><eddy-text name=\"a\"></eddy-text>", Cancel);
        using var visitor = new TestVisitor(shared.Web);

        var seen = await visitor.GetAsync(address);

        seen.Status.ShouldBe(HttpStatusCode.OK);
        seen.Text.ShouldContain("<h1>As typed</h1>");
        seen.Headers["Content-Security-Policy"].ShouldContain("sandbox allow-scripts allow-forms");
        seen.Headers["Cache-Control"].ShouldBe("no-store");
    }

    [Fact]
    public async Task A_draft_is_nothing_at_another_tenant_s_host_for_a_viewer_or_when_the_session_has_ended()
    {
        var (tenant, member, session, _) = await SignedInAsync("editor");
        var other = await TestTenant.MakeAsync(database);
        var (viewed, viewer, looking, _) = await SignedInAsync("viewer");
        using var visitor = new TestVisitor(shared.Web);
        var address = await Drafts.KeepAsync(tenant.Id, tenant.Slug, member.Person, session, Path, "<h1>As typed</h1>", Cancel);
        (await visitor.GetAsync(address)).Status.ShouldBe(HttpStatusCode.OK);

        (await visitor.GetAsync(new Uri(visitor.SiteOf(other), address.PathAndQuery))).Status.ShouldBe(HttpStatusCode.NotFound);
        (await visitor.GetAsync(new Uri(visitor.SiteOf(tenant), SiteDrafts.Path + "made-up"))).Status.ShouldBe(HttpStatusCode.NotFound);
        (await visitor.GetAsync(await Drafts.KeepAsync(viewed.Id, viewed.Slug, viewer.Person, looking, Path, "<h1>As typed</h1>", Cancel))).Status.ShouldBe(HttpStatusCode.NotFound);
        (await visitor.GetAsync(await Drafts.KeepAsync(tenant.Id, tenant.Slug, member.Person, session, "scripts/a.py", "x = 1", Cancel))).Text.ShouldNotContain("x = 1");
        await shared.Web.Services.GetRequiredService<Sessions>().EndAsync(member.Person, session, Cancel);

        (await visitor.GetAsync(address)).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_draft_of_a_card_shows_the_process_that_is_chosen_and_none_of_another_tenant()
    {
        var (tenant, member, session, _) = await SignedInAsync("owner");
        await tenant.PrepareAsync("insert into processes (tenant_id, pid, created_at) values ($1, 7, now())");
        await tenant.PrepareAsync("insert into kvps (tenant_id, pid, key, value, position) values ($1, 7, 'total', '12', 1)");
        var address = await Drafts.KeepAsync(tenant.Id, tenant.Slug, member.Person, session, Path, "<p>{{total}} in {{PROCESS_ID}}</p><eddy-number name=\"total\"></eddy-number>", Cancel);
        var (other, stranger, theirs, _) = await SignedInAsync("owner");
        var foreign = await Drafts.KeepAsync(other.Id, other.Slug, stranger.Person, theirs, Path, "<p>{{total}}</p>", Cancel);
        using var visitor = new TestVisitor(shared.Web);

        (await visitor.GetAsync(new Uri(address + "?pid=7"))).Text.ShouldContain("<p>12 in 7</p>");
        (await visitor.GetAsync(address)).Text.ShouldContain("<p> in </p>");
        (await visitor.GetAsync(new Uri(foreign + "?pid=7"))).Text.ShouldContain("no process 7");
        (await visitor.GetAsync(new Uri(foreign + "/events?pid=7"))).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task What_is_typed_is_seen_beside_it_and_its_script_reaches_nothing()
    {
        var tenant = await TestTenant.MakeAsync(database);
        using (var http = tenant.Client(shared.Web))
        {
            using var put = await http.PutAsync($"/api/files/{Path}", new ByteArrayContent(Encoding.UTF8.GetBytes("<h1>Saved {{PROCESS_ID}}</h1>")), Cancel);
            put.EnsureSuccessStatusCode();
        }

        // The process for which it was shown last.
        await tenant.PrepareAsync("insert into processes (tenant_id, pid, created_at) values ($1, 6, now()), ($1, 7, now())");
        await tenant.PrepareAsync("insert into cards (tenant_id, id, run, pid, at, name, for_user) values ($1, 1001, 1, 6, now(), 'approval', 'ann'), ($1, 2001, 2, 7, now(), 'approval', 'ann'), ($1, 3001, 3, 6, now(), 'other', 'ann')");
        var address = await TestBrowser.AddPersonAsync(tenant, "editor");
        await using var context = await browser.ContextAsync(shared.Web, bypassPolicy: false);
        var page = await context.NewPageAsync();
        await page.GotoAsync("/sign-in");
        await page.GetByLabel("Mail address").FillAsync(address);
        await page.GetByLabel("Password").FillAsync(TestBrowser.Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await page.WaitForURLAsync("**/t/**");
        await page.GotoAsync($"/t/{tenant.Slug}/rules/{Path}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Preview", Exact = true }).ClickAsync();
        var frame = page.FrameLocator("iframe");
        await Assertions.Expect(frame.GetByRole(AriaRole.Heading, new() { Name = "Saved 7" })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByLabel("process", new() { Exact = true })).ToHaveValueAsync("7");

        await page.Locator(".monaco-editor textarea, .monaco-editor .native-edit-context").First.FocusAsync();
        await page.Keyboard.PressAsync("Control+A");
        await page.Keyboard.InsertTextAsync(
            "<h1 id=out>Typed</h1><script>let reached = 'nothing'; try { reached = parent.document.title; } catch { } try { reached += document.cookie; } catch { } out.dataset.reached = reached;</script>");

        await Assertions.Expect(frame.GetByRole(AriaRole.Heading, new() { Name = "Typed" })).ToHaveAttributeAsync("data-reached", "nothing");
    }

    private async Task<(TestTenant Tenant, Actor.OfMember Member, Guid Session, string Address)> SignedInAsync(string role)
    {
        var tenant = await TestTenant.MakeAsync(database);
        var address = await TestBrowser.AddPersonAsync(tenant, role);
        using var forms = new Identity.TestForms(shared.Web);
        (await forms.SignInAsync(address, TestBrowser.Password)).ShouldBeTrue();
        var member = (await shared.Web.Services.GetRequiredService<AccessStore>().MembersAsync(tenant.Id, Cancel)).Single();
        await using var find = database.Superuser.CreateCommand("select id from people_sessions where person_id = $1");
        find.Parameters.Add(new() { Value = member.Person });
        return (tenant, member, (Guid)(await find.ExecuteScalarAsync(Cancel))!, address);
    }
}
