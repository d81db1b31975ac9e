using System.Text;
using System.Text.Json.Nodes;
using Eddy.Tests.Browser;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Playwright;

namespace Eddy.Tests.Identity;

/// <summary>Who gets in by a passkey, and who does not. The authenticator is one that Chromium plays.</summary>
public sealed class PasskeyTests(TestBrowser browser, TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private const string NotKnown = "No account has this passkey";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The web by a name: passkeys belong to names.</summary>
    private Uri Named => new UriBuilder(shared.Web.Address) { Host = "localhost" }.Uri;

    [Fact]
    public async Task A_passkey_signs_in_without_password_and_code_until_it_is_removed()
    {
        var address = await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer");
        await using var screen = await browser.OpenAsync(shared.Web, at: Named);
        await ByButtonAloneAsync(screen);
        await TestAuthenticator.AddAsync(screen);
        await RegisterAsync(screen, address);
        await AskForCodesAsync(address);

        await SignOutAsync(screen);
        await Button(screen, "Use a passkey").ClickAsync();
        await screen.Page.WaitForURLAsync("**/t/**");

        await screen.Page.GotoAsync("/account");
        await screen.Page.GetByLabel("Work laptop").CheckAsync();
        await screen.Page.Locator("#gone-password").FillAsync(TestBrowser.Password);
        await Button(screen, "Remove the chosen passkey").ClickAsync();
        await Assertions.Expect(screen.Page.GetByText("The passkey is removed.")).ToBeVisibleAsync();
        await SignOutAsync(screen);
        await Button(screen, "Use a passkey").ClickAsync();

        await Assertions.Expect(screen.Page.GetByText(NotKnown)).ToBeVisibleAsync();
        (await database.SubjectsAsync(address)).ShouldBe(["A passkey was added to your account", "A passkey was removed from your account"]);
    }

    [Fact]
    public async Task A_passkey_is_made_for_who_knows_the_password_alone()
    {
        var address = await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer");
        await using var screen = await browser.OpenAsync(shared.Web, at: Named);
        await TestAuthenticator.AddAsync(screen);
        await screen.SignInAsync(address, TestBrowser.Password);
        await screen.Page.GotoAsync("/account");

        await screen.Page.Locator("#passkey-password").FillAsync("not the password");
        await Button(screen, "Add a passkey").ClickAsync();

        await Assertions.Expect(screen.Page.GetByText("This is not your password.")).ToBeVisibleAsync();
        await using var count = database.Superuser.CreateCommand("select count(*) from people_passkeys k join people p on p.id = k.user_id where p.email = $1");
        count.Parameters.Add(new() { Value = address });
        (await count.ExecuteScalarAsync(Cancel)).ShouldBe(0L);
    }

    [Fact, Trait("Category", "Long")]
    public async Task The_field_of_the_address_offers_the_passkey()
    {
        var address = await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer");
        await using var screen = await browser.OpenAsync(shared.Web, at: Named);
        // The field's list is no part of the page. Here the question stands in it until somebody chooses; then the authenticator is asked as by the button.
        await screen.Page.AddInitScriptAsync(
            """
            if (window.PublicKeyCredential) {
              PublicKeyCredential.isConditionalMediationAvailable = async () => true;
              const get = navigator.credentials.get.bind(navigator.credentials);
              navigator.credentials.get = async ({ publicKey, mediation, signal }) => {
                if (mediation === 'conditional') {
                  document.documentElement.dataset.offered = document.querySelector('[autocomplete~=webauthn]').id;
                  await new Promise(chosen => addEventListener('chosen', chosen));
                }
                return get({ publicKey, signal });
              };
            }
            """);
        await TestAuthenticator.AddAsync(screen);
        await RegisterAsync(screen, address);
        await SignOutAsync(screen);

        await Assertions.Expect(screen.Page.Locator("html")).ToHaveAttributeAsync("data-offered", "email");
        await screen.Page.EvaluateAsync("() => { dispatchEvent(new Event('chosen')); }");

        await screen.Page.WaitForURLAsync("**/t/**");
    }

    [Fact, Trait("Category", "Long")]
    public async Task An_answer_to_another_question_or_page_or_for_another_person_is_refused()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var (address, other) = (await TestBrowser.AddPersonAsync(tenant, "viewer"), await TestBrowser.AddPersonAsync(tenant, "owner"));
        await using var screen = await browser.OpenAsync(shared.Web, at: Named);
        await ByButtonAloneAsync(screen);
        var authenticator = await TestAuthenticator.AddAsync(screen);
        await RegisterAsync(screen, address);
        await SignOutAsync(screen);
        // It has a form's token, and asks for no passkey by itself.
        await screen.Page.GotoAsync("/reset");

        var question = await AskAsync(screen);
        question["challenge"] = WebEncoders.Base64UrlEncode(new byte[32]);
        (await HandInAsync(screen, await AnswerAsync(screen, question))).ShouldContain(NotKnown);

        question = await AskAsync(screen);
        await screen.Page.RouteAsync("http://localhost:18080/**", route => route.FulfillAsync(new() { ContentType = "text/html", Body = "<title>Elsewhere</title>" }));
        await screen.Page.GotoAsync("http://localhost:18080/");
        var elsewhere = await AnswerAsync(screen, question);
        await screen.Page.GotoAsync("/reset");
        (await HandInAsync(screen, elsewhere)).ShouldContain(NotKnown);

        var another = JsonNode.Parse(await AnswerAsync(screen, await AskAsync(screen)))!;
        another["response"]!["userHandle"] = WebEncoders.Base64UrlEncode(Encoding.UTF8.GetBytes((await IdOfAsync(other)).ToString()));
        (await HandInAsync(screen, another.ToJsonString())).ShouldContain(NotKnown);

        await authenticator.SetVerifiedAsync(false);
        question = await AskAsync(screen);
        question["userVerification"] = "discouraged";
        (await HandInAsync(screen, await AnswerAsync(screen, question))).ShouldContain(NotKnown);

        await authenticator.SetVerifiedAsync(true);
        var good = await AnswerAsync(screen, await AskAsync(screen));
        (await HandInAsync(screen, good)).ShouldBe($"http://localhost:{shared.Web.Address.Port}/t");
        await screen.Page.GotoAsync("/account");
        await Assertions.Expect(screen.Page.Locator("main")).ToContainTextAsync(address);
        await screen.Page.Context.ClearCookiesAsync();
        await screen.Page.GotoAsync("/reset");
        (await HandInAsync(screen, good)).ShouldContain("open for more than five minutes", customMessage: "an answer is good once");
    }

    [Fact, Trait("Category", "Long")]
    public async Task A_passkey_that_was_made_for_one_person_is_not_added_to_another()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var (address, other) = (await TestBrowser.AddPersonAsync(tenant, "viewer"), await TestBrowser.AddPersonAsync(tenant, "viewer"));
        await using var screen = await browser.OpenAsync(shared.Web, at: Named);
        await ByButtonAloneAsync(screen);
        await TestAuthenticator.AddAsync(screen);
        await screen.SignInAsync(address, TestBrowser.Password);
        await screen.Page.GotoAsync("/account");
        var made = await screen.Page.EvaluateAsync<string>(
            """
            async password => {
              const token = document.querySelector('[name=__RequestVerificationToken]').value;
              const body = new FormData();
              body.append('password', password);
              const options = await (await fetch('/passkeys/creation', { method: 'POST', headers: { RequestVerificationToken: token }, body })).json();
              return JSON.stringify(await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }));
            }
            """,
            TestBrowser.Password);

        // What was asked stays in the browser while somebody else signs in there.
        await screen.SignInAsync(other, TestBrowser.Password);
        (await screen.Page.Context.CookiesAsync()).ShouldContain(cookie => cookie.Name == "__Host-eddy-step");
        await screen.Page.GotoAsync("/account");
        await screen.Page.EvaluateAsync(
            "made => { const form = document.querySelector('[data-passkey=register]'); form.elements['Form.Passkey'].value = made; form.submit(); }", made);

        await Assertions.Expect(screen.Page.GetByText("The passkey was not added")).ToBeVisibleAsync();
        await using var count = database.Superuser.CreateCommand("select count(*) from people_passkeys where user_id in ($1, $2)");
        count.Parameters.Add(new() { Value = await IdOfAsync(address) });
        count.Parameters.Add(new() { Value = await IdOfAsync(other) });
        (await count.ExecuteScalarAsync(Cancel)).ShouldBe(0L);
    }

    [Fact]
    public async Task Where_the_host_is_a_number_it_is_said_why_there_are_no_passkeys()
    {
        await using var screen = await browser.OpenAsync(shared.Web);

        await screen.Page.GotoAsync("/sign-in");

        await Assertions.Expect(screen.Page.GetByText("Passkeys belong to the name of a host, and 127.0.0.1 is a number.")).ToBeVisibleAsync();
        await Assertions.Expect(Button(screen, "Use a passkey")).ToBeHiddenAsync();
    }

    private static ILocator Button(TestScreen screen, string name) => screen.Page.GetByRole(AriaRole.Button, new() { Name = name, IncludeHidden = true });

    /// <summary>Has the field of the address offer nothing: this browser would take it at once, before its button is pressed.</summary>
    private static async Task ByButtonAloneAsync(TestScreen screen) =>
        await screen.Page.AddInitScriptAsync("if (window.PublicKeyCredential) PublicKeyCredential.isConditionalMediationAvailable = async () => false;");

    private static async Task RegisterAsync(TestScreen screen, string address)
    {
        await screen.SignInAsync(address, TestBrowser.Password);
        await screen.Page.GotoAsync("/account");
        await screen.Page.GetByLabel("What you call it").FillAsync("Work laptop");
        await screen.Page.Locator("#passkey-password").FillAsync(TestBrowser.Password);
        await Button(screen, "Add a passkey").ClickAsync();
        await Assertions.Expect(screen.Page.GetByText("The passkey is added.")).ToBeVisibleAsync();
    }

    private static async Task SignOutAsync(TestScreen screen)
    {
        await screen.Page.GotoAsync("/account");
        await Button(screen, "Sign out everywhere").ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("Sign in");
    }

    private async Task AskForCodesAsync(string address)
    {
        await using var change = database.Superuser.CreateCommand("update people set two_factor_enabled = true where email = $1");
        change.Parameters.Add(new() { Value = address });
        (await change.ExecuteNonQueryAsync(Cancel)).ShouldBe(1);
    }

    private async Task<Guid> IdOfAsync(string address)
    {
        await using var read = database.Superuser.CreateCommand("select id from people where email = $1");
        read.Parameters.Add(new() { Value = address });
        return (Guid)(await read.ExecuteScalarAsync(Cancel))!;
    }

    /// <summary>What the web asks of a passkey.</summary>
    private static async Task<JsonNode> AskAsync(TestScreen screen) =>
        JsonNode.Parse(await screen.Page.EvaluateAsync<string>(
            """
            async () => {
              const token = document.querySelector('[name=__RequestVerificationToken]').value;
              return (await fetch('/passkeys/request', { method: 'POST', headers: { RequestVerificationToken: token } })).text();
            }
            """))!;

    /// <summary>What the browser answers on the page where it is.</summary>
    private static Task<string> AnswerAsync(TestScreen screen, JsonNode question) =>
        screen.Page.EvaluateAsync<string>(
            "async question => JSON.stringify(await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(question)) }))", question.ToJsonString());

    /// <summary>Signs in with it; the answer is where that led, or the page that says no.</summary>
    private static Task<string> HandInAsync(TestScreen screen, string answer) =>
        screen.Page.EvaluateAsync<string>(
            """
            async answer => {
              const token = document.querySelector('[name=__RequestVerificationToken]').value;
              const body = new URLSearchParams({ _handler: 'sign-in', __RequestVerificationToken: token, 'Form.Passkey': answer });
              const led = await fetch('/sign-in', { method: 'POST', body });
              return led.redirected ? led.url : led.text();
            }
            """,
            answer);

    /// <summary>The lock of a device, as Chromium plays it: it has passkeys, and says of its owner what it is told to.</summary>
    private sealed class TestAuthenticator(ICDPSession devTools, string id)
    {
        public static async Task<TestAuthenticator> AddAsync(TestScreen screen)
        {
            var devTools = await screen.Page.Context.NewCDPSessionAsync(screen.Page);
            await devTools.SendAsync("WebAuthn.enable");
            var added = await devTools.SendAsync("WebAuthn.addVirtualAuthenticator", new Dictionary<string, object>
            {
                ["options"] = new Dictionary<string, object>
                {
                    ["protocol"] = "ctap2", ["transport"] = "internal", ["hasResidentKey"] = true, ["hasUserVerification"] = true, ["isUserVerified"] = true, ["automaticPresenceSimulation"] = true,
                },
            });
            return new TestAuthenticator(devTools, added!.Value.GetProperty("authenticatorId").GetString()!);
        }

        public async Task SetVerifiedAsync(bool isVerified) =>
            await devTools.SendAsync("WebAuthn.setUserVerified", new Dictionary<string, object> { ["authenticatorId"] = id, ["isUserVerified"] = isVerified });
    }
}
