using System.Net;
using Eddy.Tests.Browser;

namespace Eddy.Tests.Identity;

/// <summary>Who gets in by the forms, and who does not.</summary>
public sealed class SignInTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    /// <summary>Every form of these pages, with where it is.</summary>
    public static TheoryData<string, string> Forms => new()
    {
        { "/sign-in", "sign-in" }, { "/sign-up", "sign-up" }, { "/reset", "reset" }, { "/new-tenant", "new-tenant" }, { "/account", "name" }, { "/account", "address" }, { "/account", "password" }, { "/account", "passkey" },
        { "/account", "codes" }, { "/account", "sessions" }, { "/account", "everywhere" }, { "/account", "theme" }, { "/account", "leave" },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task A_form_without_its_token_is_refused(string path, string form)
    {
        using var forms = new TestForms(shared.Web);
        (await forms.SignInAsync(await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer"), TestBrowser.Password)).ShouldBeTrue();

        (await forms.PostAsync(path, ("_handler", form), ("Form.Email", "a@eddy.test"))).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await forms.PostAsync("/passkeys/request")).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_wrong_password_an_unknown_address_and_a_locked_account_answer_alike()
    {
        var address = await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer");
        using var forms = new TestForms(shared.Web);
        var unknown = await TryAsync("nobody@eddy.test", "a wrong password");

        // The account is locked with the tenth.
        for (var i = 0; i < 10; i++)
        {
            (await TryAsync(address, "a wrong password")).ShouldBe(unknown);
        }

        (await TryAsync(address, TestBrowser.Password)).ShouldBe(unknown);

        async Task<string> TryAsync(string who, string password)
        {
            var answer = await forms.SendAsync("/sign-in", "sign-in", ("Form.Email", who), ("Form.Password", password));
            answer.Location.ShouldBeNull();
            return TextOnly(answer.Text.Replace(who, "", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_right_password_leads_in_and_only_to_this_host()
    {
        var address = await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer");
        using var forms = new TestForms(shared.Web);

        foreach (var (to, leads) in new[] { ("//evil.example", "/t"), ("https://evil.example", "/t"), ("/account", "/account"), ("/\\evil.example", "/t") })
        {
            (await forms.SendAsync($"/sign-in?to={Uri.EscapeDataString(to)}", "sign-in", ("Form.Email", address.ToUpperInvariant()), ("Form.Password", TestBrowser.Password))).Location.ShouldBe(leads);
        }
    }

    [Fact]
    public async Task All_cookies_are_bound_to_the_host_and_none_is_for_scripts()
    {
        var address = await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer");
        using var forms = new TestForms(shared.Web);
        (await forms.SignInAsync(address, TestBrowser.Password)).ShouldBeTrue();

        forms.Cookies.Order(StringComparer.Ordinal).ShouldBe(["__Host-eddy", "__Host-eddy-form"]);
        foreach (var line in forms.CookieLines)
        {
            line.ShouldContain("; secure");
            line.ShouldContain("; httponly");
            line.ShouldContain("; samesite=");
            line.ShouldContain("; path=/;");
        }
    }

    [Fact]
    public async Task A_new_password_by_mail_ends_all_sessions_and_its_link_is_good_once()
    {
        var address = await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer");
        using var signedIn = new TestForms(shared.Web);
        (await signedIn.SignInAsync(address, TestBrowser.Password)).ShouldBeTrue();
        using var forms = new TestForms(shared.Web);
        await forms.SendAsync("/reset", "reset", ("Form.Email", address));
        var link = await database.LinkAsync(address, "Set a new password");

        (await forms.SendAsync(link, "new-password", ("Form.Password", "short"))).Text.ShouldContain("at least 10 characters");
        (await forms.SendAsync(link, "new-password", ("Form.Password", "another few words"))).Location.ShouldBe("/sign-in?said=reset");

        (await forms.GetAsync(link)).Text.ShouldContain("This link is not good any more");
        (await forms.SignInAsync(address, TestBrowser.Password)).ShouldBeFalse();
        (await forms.SignInAsync(address, "another few words")).ShouldBeTrue();
        await Patience.UntilAsync("the old session ends", Patience.Long, async () => (await signedIn.GetAsync("/account")).Location?.StartsWith("/sign-in", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task A_link_that_is_too_old_is_good_for_nothing()
    {
        var address = await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer");
        using var forms = new TestForms(shared.Web);
        await forms.SendAsync("/reset", "reset", ("Form.Email", address));
        await using var age = database.Superuser.CreateCommand("update people_links set ends_at = now() - interval '1 second' where address = $1");
        age.Parameters.Add(new() { Value = address });
        await age.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        (await forms.GetAsync(await database.LinkAsync(address, "Set a new password"))).Text.ShouldContain("This link is not good any more");
    }

    [Fact]
    public async Task Mails_to_one_address_and_forms_of_one_network_have_an_end()
    {
        await using var web = await TestWeb.StartAsync(database, "People:FormsPerMinute=4", "People:MailsPerHour=2");
        var address = await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer");
        using var forms = new TestForms(web);

        for (var i = 0; i < 4; i++)
        {
            (await forms.SendAsync("/reset", "reset", ("Form.Email", address))).Status.ShouldBe(HttpStatusCode.OK);
        }

        (await forms.SendAsync("/reset", "reset", ("Form.Email", address))).Status.ShouldBe(HttpStatusCode.TooManyRequests);
        (await database.SubjectsAsync(address)).Count.ShouldBe(2);
    }

    private static string TextOnly(string page) => page[page.IndexOf("<h1>", StringComparison.Ordinal)..page.IndexOf("</form>", StringComparison.Ordinal)];
}
