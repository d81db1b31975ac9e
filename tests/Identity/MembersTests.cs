using System.Net;
using Eddy.Tests.Browser;
using Microsoft.Playwright;

namespace Eddy.Tests.Identity;

/// <summary>Who belongs to a tenant, as its owners change it.</summary>
public sealed class MembersTests(TestBrowser browser, TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_is_invited_makes_an_account_and_is_in_and_the_owner_changes_and_ends_that()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var invited = TestMail.NewAddress();
        await using var screen = await browser.OpenAsync(shared.Web, tenant);
        await screen.GoAsync($"/t/{tenant.Slug}/settings/members");
        await screen.Page.GetByLabel("Mail address").FillAsync(invited);
        await screen.Page.GetByLabel("Role", new() { Exact = true }).SelectOptionAsync("viewer");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Invite" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Status)).ToContainTextAsync(invited);
        await screen.ShouldBeAccessibleAsync();

        var link = await database.LinkAsync(invited, $"Join {tenant.Slug}");
        using var forms = new TestForms(shared.Web);
        (await forms.SendAsync(link, "invitation", ("Form.Called", "Ivo Invited"), ("Form.Password", "three words in a row"))).Location.ShouldBe($"/t/{tenant.Slug}");
        (await forms.GetAsync(link)).Text.ShouldContain("This link is not good any more");
        (await RolesAsync(tenant)).ShouldContain($"{invited} viewer");

        await screen.GoAsync($"/t/{tenant.Slug}/settings/members");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Row, new() { Name = invited })).ToContainTextAsync("Ivo Invited");
        await screen.Page.GetByLabel($"Role of {invited}").SelectOptionAsync("editor");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync($"{invited} is editor now.");
        (await RolesAsync(tenant)).ShouldContain($"{invited} editor");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = $"Remove {invited}" }).ClickAsync();
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = $"Really remove {invited}" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync($"{invited} does not belong to the tenant any more.");
        (await RolesAsync(tenant)).ShouldNotContain(one => one.StartsWith(invited, StringComparison.Ordinal));
        (await AuditAsync(tenant)).ShouldBe(["invite-member", "set-member", "set-member", "remove-member"]);
    }

    [Fact]
    public async Task An_owner_is_always_left()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var owner = await TestBrowser.AddPersonAsync(tenant, "owner");
        await using var screen = await browser.OpenAsync(shared.Web);
        await screen.SignInAsync(owner, TestBrowser.Password);
        await screen.GoAsync($"/t/{tenant.Slug}/settings/members");

        await screen.Page.GetByLabel($"Role of {owner}").SelectOptionAsync("viewer");

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("never without an owner");
        (await RolesAsync(tenant)).ShouldBe([$"{owner} owner"]);
        using var forms = new TestForms(shared.Web);
        (await forms.SignInAsync(owner, TestBrowser.Password)).ShouldBeTrue();
        (await forms.GetAsync("/account")).Text.ShouldContain("You are the only owner of");
        // The form that is not shown is not there.
        (await forms.SendAsync("/account", "leave", ("Form.Password", TestBrowser.Password))).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await RolesAsync(tenant)).ShouldBe([$"{owner} owner"]);
    }

    [Fact]
    public async Task An_invitation_is_for_its_address_alone_and_whoever_has_an_account_signs_in()
    {
        var (tenant, other) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        var (invited, stranger) = (await TestBrowser.AddPersonAsync(other, "viewer"), await TestBrowser.AddPersonAsync(other, "viewer"));
        await using var screen = await browser.OpenAsync(shared.Web, tenant);
        await screen.GoAsync($"/t/{tenant.Slug}/settings/members");
        await screen.Page.GetByLabel("Mail address").FillAsync(invited);
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Invite" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Status)).ToContainTextAsync(invited);
        var link = await database.LinkAsync(invited, $"Join {tenant.Slug}");

        using var wrong = new TestForms(shared.Web);
        (await wrong.GetAsync(link)).Text.ShouldContain("You have an account");
        (await wrong.SignInAsync(stranger, TestBrowser.Password)).ShouldBeTrue();
        (await wrong.GetAsync(link)).Text.ShouldContain("This is for somebody else");
        using var right = new TestForms(shared.Web);
        (await right.SignInAsync(invited, TestBrowser.Password)).ShouldBeTrue();
        (await right.SendAsync(link, "invitation")).Location.ShouldBe($"/t/{tenant.Slug}");
        (await RolesAsync(tenant)).ShouldContain($"{invited} editor");
        (await RolesAsync(tenant)).ShouldNotContain(one => one.StartsWith(stranger, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Members_are_for_owners_and_a_tenants_members_for_its_own()
    {
        var (own, other) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        var theirs = await TestBrowser.AddPersonAsync(other, "owner");
        await using var screen = await browser.OpenAsync(shared.Web, own, "editor");

        await screen.GoAsync($"/t/{own.Slug}/settings/members");
        await Assertions.Expect(screen.Page.GetByText("You are editor here.")).ToBeVisibleAsync();
        await screen.GoAsync($"/t/{other.Slug}/settings/members");

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("Nothing is here");
        (await screen.Page.ContentAsync()).ShouldNotContain(theirs);
    }

    private async Task<IReadOnlyList<string>> RolesAsync(TestTenant tenant) =>
        await ListAsync("select p.email || ' ' || m.role from members m join people p on p.id = m.person_id where m.tenant_id = $1 order by 1", tenant);

    private async Task<IReadOnlyList<string>> AuditAsync(TestTenant tenant) => await ListAsync("select action from audit where tenant_id = $1 order by number", tenant);

    private async Task<IReadOnlyList<string>> ListAsync(string sql, TestTenant tenant)
    {
        await using var read = database.Superuser.CreateCommand(sql);
        read.Parameters.Add(new() { Value = tenant.Id.Value });
        await using var rows = await read.ExecuteReaderAsync(Cancel);
        var list = new List<string>();
        while (await rows.ReadAsync(Cancel))
        {
            list.Add(rows.GetString(0));
        }

        return list;
    }
}
