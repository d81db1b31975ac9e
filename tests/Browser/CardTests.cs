using Eddy.Cards;
using Eddy.Tests.Cards;
using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>Cards in a browser: with every element, by a link, and by a member over the two hosts.</summary>
public sealed class CardTests(TestBrowser browser, CardWay way) : IClassFixture<CardWay>
{
    private const string Every = """
        <h1>Every element</h1>
        <p>Order {{PROCESS_ID}} of <b>{{text}}</b>, see <a href="{{cards.every}}">itself</a>.</p>
        <eddy-text name="text" label="Your name" help="As in your passport." required></eddy-text>
        <eddy-textarea name="textarea" label="What happened" placeholder="It rained."></eddy-textarea>
        <eddy-number name="number" label="Amount" min="0" step="0.01"></eddy-number>
        <eddy-yes-no name="agreed" label="I agree to all of this"></eddy-yes-no>
        <eddy-yes-no name="coming" as="radio"></eddy-yes-no>
        <eddy-choice name="size" options="small, large"></eddy-choice>
        <eddy-choice name="colour" options="red, blue" as="radio"></eddy-choice>
        <eddy-checklist name="days" options="Mon, Tue, Wed"></eddy-checklist>
        <eddy-date name="due"></eddy-date>
        <eddy-time name="at"></eddy-time>
        <eddy-date-time name="start"></eddy-date-time>
        <eddy-email name="contact"></eddy-email>
        <eddy-phone name="phone"></eddy-phone>
        <eddy-list name="tags"></eddy-list>
        <eddy-dictionary name="parts"></eddy-dictionary>
        <eddy-file name="invoice"></eddy-file>
        <eddy-text name="closed" label="Number of the contract" readonly></eddy-text>
        <eddy-submit name="approved" value="true">Approve</eddy-submit>
        <eddy-submit name="approved" value="false">Refuse</eddy-submit>
        """;

    [Fact, Trait("Category", "Long")]
    public async Task Who_has_a_link_fills_in_every_element_and_it_is_good_on_a_phone_and_in_the_dark()
    {
        var owner = await way.CallerAsync(("card_html_files/every.html", Every));
        await CardWay.AllowPublicAsync(owner, "*");
        var pid = (await owner.SettleAsync("""{"closed": "C-1", "text": "<script>alert(1)</script>"}""")).GetProperty("pid").GetInt64();
        var token = way.Links.Token(owner.Tenant.Id, new CardLink(1001, "every", pid, "bob@shop.test", DateTimeOffset.UtcNow.AddDays(1)));
        await using var screen = await browser.OpenAsync(way.Web, at: new Uri($"http://{owner.Tenant.Slug}.localhost:{way.Web.Address.Port}"));
        var page = screen.Page;
        await page.GotoAsync($"/card/{token}");

        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Every element" })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByLabel("Your name")).ToHaveValueAsync("<script>alert(1)</script>");
        await screen.ShouldBeAccessibleEverywhereAsync();
        await page.GetByLabel("Your name").FillAsync("Ann");
        await page.GetByLabel("What happened").FillAsync("It rained.\nA lot.");
        await page.GetByLabel("Amount").FillAsync("12.50");
        await page.GetByLabel("I agree to all of this").CheckAsync();
        await page.GetByRole(AriaRole.Group, new() { Name = "Coming" }).GetByLabel("No").CheckAsync();
        await page.GetByLabel("Size").SelectOptionAsync("large");
        await page.GetByLabel("blue").CheckAsync();
        await page.GetByLabel("Tue").CheckAsync();
        await page.GetByLabel("Due").FillAsync("2027-01-31");
        await page.GetByLabel("At", new() { Exact = true }).FillAsync("09:30");
        await page.GetByLabel("Start").FillAsync("2027-01-31T09:30");
        await page.GetByLabel("Contact").FillAsync("ann@acme.test");
        await page.GetByLabel("Phone").FillAsync("+49 30 1234567");
        await page.GetByLabel("Tags").FillAsync("one\n2");
        await page.GetByLabel("Parts").FillAsync("bolts");
        await page.GetByLabel("Invoice").SetInputFilesAsync(new FilePayload { Name = "bill.txt", MimeType = "text/plain", Buffer = "100"u8.ToArray() });
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();

        // The browser does not know what a dictionary is; the door does.
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Line 1 has no name");
        await Assertions.Expect(page.GetByLabel("What happened")).ToHaveValueAsync("It rained.\nA lot.");
        await screen.ShouldBeAccessibleEverywhereAsync();
        await page.GetByLabel("Parts").FillAsync("bolts: 4");
        await page.GetByLabel("Invoice").SetInputFilesAsync(new FilePayload { Name = "bill.txt", MimeType = "text/plain", Buffer = "100"u8.ToArray() });
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "This card is answered" })).ToBeVisibleAsync();
        await screen.ShouldBeAccessibleEverywhereAsync();
        await Patience.UntilAsync("it is applied", Patience.Long, async () => (await owner.ProcessAsync(pid)).TryGetProperty("approved", out _));
        var kvps = await owner.ProcessAsync(pid);
        kvps.GetProperty("parts").ToString().ShouldBe("""{"bolts":4}""");
        kvps.GetProperty("days").ToString().ShouldBe("""["Tue"]""");
        kvps.GetProperty("invoice").GetProperty("name").GetString().ShouldBe("bill.txt");
        kvps.GetProperty("closed").GetString().ShouldBe("C-1");
        kvps.EnumerateObject().Select(kvp => kvp.Name).ShouldBe(
            ["agreed", "approved", "at", "closed", "colour", "coming", "contact", "days", "due", "invoice", "number", "parts", "phone", "size", "start", "tags", "text", "textarea"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_member_signs_in_and_answers()
    {
        var owner = await way.CallerAsync(("card_html_files/rate.html", "<eddy-number name=\"stars\" min=\"1\" max=\"5\" required></eddy-number>"));
        var pid = (await owner.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();
        await using var screen = await browser.OpenAsync(way.Web, owner.Tenant);
        var page = screen.Page;

        await page.GotoAsync($"http://{owner.Tenant.Slug}.localhost:{way.Web.Address.Port}/cards/rate?pid={pid}");
        await page.GetByLabel("Stars").FillAsync("4");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("It is taken");
        await Assertions.Expect(page.GetByLabel("Stars")).ToHaveValueAsync("4");
    }

    [Fact]
    public async Task Without_JavaScript_a_card_is_answered_by_a_link_and_by_a_member_who_signs_in()
    {
        var owner = await way.CallerAsync(("card_html_files/rate.html", "<p>So far {{stars}}.</p><eddy-number name=\"stars\" min=\"1\" max=\"5\" required></eddy-number><eddy-checklist name=\"days\" options=\"Mon, Tue\"></eddy-checklist>"));
        await CardWay.AllowPublicAsync(owner, "stars", "days");
        var pid = (await owner.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();
        var token = way.Links.Token(owner.Tenant.Id, new CardLink(1001, "rate", pid, "bob@shop.test", DateTimeOffset.UtcNow.AddDays(1)));
        var address = await TestBrowser.AddPersonAsync(owner.Tenant, "viewer");
        await using var screen = await browser.OpenAsync(way.Web, at: new Uri($"http://{owner.Tenant.Slug}.localhost:{way.Web.Address.Port}"), scripts: false);
        var page = screen.Page;

        await page.GotoAsync($"/card/{token}");
        await page.GetByLabel("Stars").FillAsync("4");
        await page.GetByLabel("Tue").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "This card is answered" })).ToBeVisibleAsync();

        await page.GotoAsync($"/cards/rate?pid={pid}");
        await page.GetByLabel("Mail address").FillAsync(address);
        await page.GetByLabel("Password").FillAsync(TestBrowser.Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        // By way of the platform and back to the card.
        await Assertions.Expect(page.GetByText("So far 4.")).ToBeVisibleAsync();
        await page.GetByLabel("Stars").FillAsync("5");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("It is taken");

        await Patience.UntilAsync("it is applied", Patience.Long, async () => (await owner.ProcessAsync(pid)).GetProperty("stars").GetInt32() == 5);
        (await owner.ProcessAsync(pid)).GetProperty("days").ToString().ShouldBe("""["Tue"]""");
        (await owner.GetAsync($"/api/events?pid={pid}")).GetProperty("events").EnumerateArray().Where(one => one.GetProperty("key").GetString() == "stars").Select(one => one.GetProperty("actor").GetString())
            .ShouldBe(["bob@shop.test", address]);
    }
}
