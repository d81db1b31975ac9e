using System.Net;
using Eddy.Tests.Browser;
using Microsoft.Playwright;

namespace Eddy.Tests.Identity;

/// <summary>How somebody becomes a person with a tenant: by a form, a mail, and their password again.</summary>
public sealed class SignUpTests(TestBrowser browser, TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    [Fact]
    public async Task Who_signs_up_and_opens_the_mail_is_in_their_tenant_with_its_first_rule()
    {
        var (address, name) = (TestMail.NewAddress(), "Größe " + Guid.NewGuid().ToString("N")[..8]);
        await using var screen = await browser.OpenAsync(shared.Web);
        await screen.Page.GotoAsync("/sign-up");
        await screen.ShouldBeAccessibleAsync();
        await screen.Page.GetByLabel("Mail address").FillAsync(address);
        await screen.Page.GetByLabel("Password").FillAsync("three words in a row");
        await screen.Page.GetByLabel("Name of the tenant").FillAsync(name);
        var slug = await screen.Page.GetByLabel("Its name in addresses").InputValueAsync();
        slug.ShouldBe("gro-e-" + name[6..]);
        (await screen.Page.GetByLabel("Time zone").InputValueAsync()).ShouldBe(await screen.Page.EvaluateAsync<string>("Intl.DateTimeFormat().resolvedOptions().timeZone"));
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Sign up" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("Look into your mail");

        await screen.Page.GotoAsync(await database.LinkAsync(address, "Confirm your address"));
        await screen.ShouldBeAccessibleAsync();
        await screen.Page.GetByLabel("Password").FillAsync("three words in a row");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Make the tenant" }).ClickAsync();

        await screen.Page.WaitForURLAsync($"**/t/{slug}/**");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Navigation, new() { Name = "Sections" })).ToBeVisibleAsync();
        await using var read = database.Superuser.CreateCommand("select string_agg(f.path, ' ' order by f.path) from files f join tenants t on t.id = f.tenant_id where t.slug = $1 and f.in_force = t.tree_version and f.faults is null");
        read.Parameters.Add(new() { Value = slug });
        (await read.ExecuteScalarAsync(TestContext.Current.CancellationToken)).ShouldBe("pages/index.html scripts/heat.py");
    }

    [Fact]
    public async Task A_known_address_is_answered_as_an_unknown_one_and_only_its_owner_hears_of_it()
    {
        var known = await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer");
        var unknown = TestMail.NewAddress();
        using var forms = new TestForms(shared.Web);

        var toKnown = await SignUpAsync(forms, known);
        var toUnknown = await SignUpAsync(forms, unknown);
        var resetKnown = await forms.SendAsync("/reset", "reset", ("Form.Email", known));
        var resetUnknown = await forms.SendAsync("/reset", "reset", ("Form.Email", unknown));

        ToldIn(toKnown.Text).Replace(known, unknown, StringComparison.Ordinal).ShouldBe(ToldIn(toUnknown.Text));
        ToldIn(resetKnown.Text).Replace(known, unknown, StringComparison.Ordinal).ShouldBe(ToldIn(resetUnknown.Text));
        (await database.SubjectsAsync(known)).ShouldBe(["You have an account already", "Set a new password"]);
        (await database.SubjectsAsync(unknown)).ShouldBe(["Confirm your address"]);
    }

    [Fact]
    public async Task The_link_makes_nothing_without_the_password_of_whoever_signed_up_and_is_good_once()
    {
        var address = TestMail.NewAddress();
        using var forms = new TestForms(shared.Web);
        await SignUpAsync(forms, address);
        var link = await database.LinkAsync(address, "Confirm your address");

        (await forms.SendAsync(link, "confirm", ("Form.Password", "another password"))).Text.ShouldContain("another password than");
        (await forms.SendAsync(link, "confirm", ("Form.Password", "three words in a row"))).Location.ShouldNotBeNull().ShouldStartWith("/t/");
        (await forms.GetAsync(link)).Text.ShouldContain("This link is not good any more");
    }

    [Fact]
    public async Task A_slug_that_is_taken_a_weak_password_and_a_zone_that_is_none_are_told_beside_their_fields()
    {
        var tenant = await TestTenant.MakeAsync(database);
        using var forms = new TestForms(shared.Web);

        var answer = await forms.SendAsync(
            "/sign-up", "sign-up", ("Form.Email", "nobody"), ("Form.Password", "password123"), ("Form.Name", "Acme"), ("Form.Slug", tenant.Slug), ("Form.Zone", "Mars/Olympus"));

        var text = WebUtility.HtmlDecode(answer.Text);
        text.ShouldContain($"'{tenant.Slug}' is taken");
        text.ShouldContain("one of the first that anybody tries");
        text.ShouldContain("is not a time zone");
        text.ShouldContain("It is no mail address");
    }

    [Fact]
    public async Task Who_is_signed_in_makes_another_tenant()
    {
        var address = await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer");
        var slug = "n" + Guid.NewGuid().ToString("N")[..10];
        using var forms = new TestForms(shared.Web);
        (await forms.SignInAsync(address, TestBrowser.Password)).ShouldBeTrue();

        (await forms.SendAsync("/new-tenant", "new-tenant", ("Form.Name", "Second"), ("Form.Slug", slug), ("Form.Zone", "Europe/Berlin"))).Location.ShouldBe($"/t/{slug}");
        WebUtility.HtmlDecode((await forms.SendAsync("/new-tenant", "new-tenant", ("Form.Name", "Third"), ("Form.Slug", slug), ("Form.Zone", "UTC"))).Text).ShouldContain($"'{slug}' is taken");
    }

    [Fact]
    public async Task Mails_of_the_platform_are_read_on_a_page_in_Development_and_nowhere_else()
    {
        await using var development = await TestWeb.StartAsync(database, "environment=Development");
        var address = TestMail.NewAddress();
        using (var forms = new TestForms(development))
        {
            (await SignUpAsync(forms, address)).Text.ShouldContain("/dev/mails");
            (await forms.GetAsync("/dev/mails")).Text.ShouldContain(address);
        }

        using var outside = new TestForms(shared.Web);
        (await outside.GetAsync("/dev/mails")).Status.ShouldBe(HttpStatusCode.NotFound);
    }

    // Beside it, a page holds what is drawn by lot.
    private static string ToldIn(string page) => page[page.IndexOf("<div class=\"told\"", StringComparison.Ordinal)..page.IndexOf("</main>", StringComparison.Ordinal)];

    private static Task<(HttpStatusCode Status, string Text, string? Location)> SignUpAsync(TestForms forms, string address) => forms.SendAsync(
        "/sign-up", "sign-up", ("Form.Email", address), ("Form.Password", "three words in a row"), ("Form.Name", "Acme"), ("Form.Slug", "a" + Guid.NewGuid().ToString("N")[..10]), ("Form.Zone", "UTC"));
}
