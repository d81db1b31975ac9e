using System.Net;
using AngleSharp.Html.Parser;
using Eddy.Cards;
using Eddy.Push;
using Eddy.Tests.Browser;
using Eddy.Tests.Sites;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Cards;

/// <summary>Cards on the tenant's host, from the rule that shows one to the rule that its answer wakes.</summary>
public sealed class CardDoorTests(CardWay way) : IClassFixture<CardWay>
{
    private const string Card = "<h1>Order {{PROCESS_ID}}</h1><eddy-number name=\"discount\" min=\"0\" max=\"20\"></eddy-number><eddy-submit name=\"released\" value=\"true\">Release</eddy-submit>";

    private const string Rule = """
        class show(Rule):
            listens_to = ["order"]

            def action(self):
                load_card("release", user=self.whom)

        class react(Rule):
            listens_to = ["released"]

            def action(self):
                self.note = f"released by {self.last_actor} with {self.discount}"
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_member_answers_the_card_that_a_rule_shows_and_what_comes_back_shows_what_rules_made_of_it()
    {
        var owner = await way.CallerAsync(("scripts/a.py", Rule), ("card_html_files/release.html", Card + "<p>{{note}}</p>"));
        var (visitor, address) = await way.MemberAsync(owner.Tenant);
        using var browser = visitor;
        var news = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watch = way.Web.Services.GetRequiredService<CardNews>().Watch(owner.Tenant.Id, () => Task.FromResult(news.TrySetResult()));
        var pid = (await owner.SettleAsync($$"""{"order": 1, "whom": "{{address.ToUpperInvariant()}}"}""")).GetProperty("pid").GetInt64();
        await news.Task.WaitAsync(Patience.Long, Cancel);
        var store = way.Web.Services.GetRequiredService<CardStore>();
        (await store.OpenForAsync(owner.Tenant.Id, address, 10, Cancel)).ShouldHaveSingleItem().State.ShouldBe("waiting");

        var page = new Uri(visitor.SiteOf(owner.Tenant), $"/cards/release?pid={pid}");
        var shown = await visitor.GetAsync(page);
        shown.Text.ShouldContain($"<h1>Order {pid}</h1>");
        (await store.OpenForAsync(owner.Tenant.Id, address, 10, Cancel))[0].State.ShouldBe("shown");

        var wrong = await CardWay.SendAsync(visitor, page, shown.Text, ("discount", "30"), ("released", "true"));
        wrong.Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        wrong.Text.ShouldContain("It may be at most 20.");
        wrong.Text.ShouldContain("value=\"30\"");
        (await store.OpenForAsync(owner.Tenant.Id, address, 10, Cancel)).Count.ShouldBe(1);

        var sent = await CardWay.SendAsync(visitor, page, wrong.Text, ("discount", "15"), ("released", "true"), ("salary", "1"));
        sent.Status.ShouldBe(HttpStatusCode.SeeOther);
        var after = await visitor.GetAsync(sent.To!);
        after.Text.ShouldContain("It is taken.");
        await Patience.UntilAsync("the rule has run", Patience.Long, async () => (await owner.ProcessAsync(pid)).TryGetProperty("note", out _));
        var kvps = await owner.ProcessAsync(pid);
        kvps.GetProperty("note").GetString().ShouldBe($"released by {address} with 15");
        kvps.TryGetProperty("salary", out _).ShouldBeFalse();
        (await store.OpenForAsync(owner.Tenant.Id, address, 10, Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Who_is_not_signed_in_is_led_there_and_a_form_from_elsewhere_does_nothing()
    {
        var owner = await way.CallerAsync(("card_html_files/release.html", Card));
        var pid = (await owner.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();
        using var stranger = new TestVisitor(way.Web);
        var page = new Uri(stranger.SiteOf(owner.Tenant), $"/cards/release?pid={pid}");

        var led = await stranger.GetAsync(page);
        led.Status.ShouldBe(HttpStatusCode.Redirect);
        led.To!.PathAndQuery.ShouldBe($"/_eddy/sign-in?to=%2Fcards%2Frelease%3Fpid%3D{pid}");
        (await stranger.PostAsync(page, [("discount", "1")], ("Origin", page.GetLeftPart(UriPartial.Authority)))).Status.ShouldBe(HttpStatusCode.Redirect);

        var (visitor, _) = await way.MemberAsync(owner.Tenant);
        using var browser = visitor;
        (await visitor.PostAsync(page, [("discount", "1")], ("Origin", "http://evil.localhost"))).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await visitor.PostAsync(page, [("discount", "1")])).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await owner.ProcessAsync(pid)).TryGetProperty("discount", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_card_without_a_process_makes_one_and_one_form_makes_one()
    {
        var owner = await way.CallerAsync(("card_html_files/start.html", "<eddy-text name=\"kind\" default=\"order\"></eddy-text><eddy-text name=\"who\"></eddy-text>"));
        var (visitor, address) = await way.MemberAsync(owner.Tenant);
        using var browser = visitor;
        var page = new Uri(visitor.SiteOf(owner.Tenant), "/cards/start");
        var form = (await visitor.GetAsync(page)).Text;

        var first = await CardWay.SendAsync(visitor, page, form, ("kind", "order"), ("who", "Ann"));
        var again = await CardWay.SendAsync(visitor, page, form, ("kind", "order"), ("who", "Ann"));

        first.Status.ShouldBe(HttpStatusCode.SeeOther);
        again.To!.AbsoluteUri.ShouldBe(first.To!.AbsoluteUri);
        var events = (await owner.GetAsync("/api/events")).GetProperty("events");
        events.EnumerateArray().Count(one => one.GetProperty("key").GetString() == "who").ShouldBe(1);
        events[0].GetProperty("source").GetString().ShouldBe("card");
        events[0].GetProperty("actor").GetString().ShouldBe(address);
    }

    [Fact]
    public async Task A_viewer_sees_and_sets_what_entries_let_them_and_no_other_tenants_process_is_there()
    {
        var owner = await way.CallerAsync(("card_html_files/pay.html", "<p>{{salary}}</p><eddy-text name=\"remark\"></eddy-text><eddy-number name=\"salary\"></eddy-number>"));
        var pid = (await owner.SettleAsync("""{"salary": 424242, "remark": "none"}""")).GetProperty("pid").GetInt64();
        await owner.Http.PostAsync("/api/access/entries", new StringContent("""{"group": "registered", "may": ["read", "set"], "keys": ["remark"]}""", System.Text.Encoding.UTF8, "application/json"), Cancel);
        var (visitor, _) = await way.MemberAsync(owner.Tenant, "viewer");
        using var browser = visitor;
        var page = new Uri(visitor.SiteOf(owner.Tenant), $"/cards/pay?pid={pid}");

        var shown = await visitor.GetAsync(page);
        shown.Text.ShouldNotContain("424242");
        shown.Text.ShouldContain("name=\"remark\"");
        shown.Text.ShouldNotContain("name=\"salary\"");
        (await CardWay.SendAsync(visitor, page, shown.Text, ("salary", "1"))).Text.ShouldContain("You may not set salary");
        (await owner.ProcessAsync(pid)).GetProperty("salary").GetInt64().ShouldBe(424242);

        var stranger = await way.CallerAsync(("card_html_files/pay.html", "<p>{{salary}}</p>"));
        var (other, _) = await way.MemberAsync(stranger.Tenant);
        using var theirs = other;
        (await other.GetAsync(new Uri(other.SiteOf(stranger.Tenant), $"/cards/pay?pid={pid + 1000}"))).Status.ShouldBe(HttpStatusCode.NotFound);
        (await other.GetAsync(new Uri(other.SiteOf(owner.Tenant), $"/cards/pay?pid={pid}"))).Status.ShouldBe(HttpStatusCode.Redirect);
    }

    [Fact]
    public async Task A_card_with_a_target_is_checked_and_sent_on_to_its_script()
    {
        var owner = await way.CallerAsync(("card_html_files/pay.html", "<template target=\"billing.paid\"><eddy-number name=\"amount\" required></eddy-number></template>"));
        var pid = (await owner.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();
        var (visitor, _) = await way.MemberAsync(owner.Tenant);
        using var browser = visitor;
        var page = new Uri(visitor.SiteOf(owner.Tenant), $"/cards/pay?pid={pid}");
        var shown = await visitor.GetAsync(page);

        (await CardWay.SendAsync(visitor, page, shown.Text, ("amount", ""))).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        var sent = await CardWay.SendAsync(visitor, page, shown.Text, ("amount", "5"));

        sent.Status.ShouldBe(HttpStatusCode.TemporaryRedirect);
        sent.To!.PathAndQuery.ShouldBe("/api/v1/billing/paid");
        (await owner.ProcessAsync(pid)).TryGetProperty("amount", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_stranger_answers_by_the_link_of_a_mail_once_and_is_its_actor()
    {
        const string stranger = "bob@shop.test";
        var owner = await way.CallerAsync(
            ("scripts/a.py", "class ask(Rule):\n    listens_to = ['order']\n    def action(self):\n        send_email('bob@shop.test', 'Rate us: {{cards.rate}} and {{evil}}', attach_variables=False)\n"),
            ("card_html_files/rate.html", "<eddy-number name=\"stars\" min=\"1\" max=\"5\" required></eddy-number>"));
        await CardWay.AllowPublicAsync(owner, "stars");
        var evil = $"http://{owner.Tenant.Slug}.localhost/cards/secret?pid=1&key={new string('a', 32)}";
        var pid = (await owner.SettleAsync($$"""{"order": 1, "evil": "{{evil}}"}""")).GetProperty("pid").GetInt64();
        await Patience.UntilAsync("the mail is written", Patience.Long, async () => (await owner.GetAsync("/api/outbox")).GetProperty("mails").GetArrayLength() == 1);
        var id = (await owner.GetAsync("/api/outbox")).GetProperty("mails")[0].GetProperty("id").GetInt64();
        var told = await owner.GetAsync($"/api/outbox/{id}");
        told.GetProperty("text").GetString()!.ShouldContain($"http://{owner.Tenant.Slug}.localhost:{way.Web.Address.Port}/cards/rate?pid={pid} and");
        told.GetProperty("text").GetString()!.Split(" and ")[0].ShouldNotContain("key=");
        await using var read = owner.Tenant.Database.Superuser.CreateCommand("select text, html, at from outbox where tenant_id = $1");
        read.Parameters.Add(new() { Value = owner.Tenant.Id.Value });
        await using var rows = await read.ExecuteReaderAsync(Cancel);
        await rows.ReadAsync(Cancel);
        var (text, html, at) = (rows.GetString(0), rows.GetString(1), rows.GetFieldValue<DateTimeOffset>(2));

        // As the worker hands it over.
        var filled = way.Links.Fill(owner.Tenant.Id, owner.Tenant.Slug, id, at, text, stranger);
        filled.ShouldContain(evil);
        way.Links.Fill(owner.Tenant.Id, owner.Tenant.Slug, id, at, html, stranger).ShouldContain("/card/");
        way.Links.Fill(owner.Tenant.Id, owner.Tenant.Slug, id, at, text, null).ShouldContain($"/cards/rate?pid={pid} and");
        var link = new Uri(filled[filled.IndexOf("http", StringComparison.Ordinal)..filled.IndexOf(" and", StringComparison.Ordinal)]);
        link.AbsolutePath.ShouldStartWith("/card/");
        link.Port.ShouldBe(way.Web.Address.Port);

        using var visitor = new TestVisitor(way.Web);
        // Programs look at links.
        await visitor.GetAsync(link);
        var shown = await visitor.GetAsync(link);
        shown.Text.ShouldContain("name=\"stars\"");
        shown.Headers["Cache-Control"].ShouldBe("no-store");
        (await CardWay.SendAsync(visitor, link, shown.Text, ("stars", "9"))).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        var sent = await CardWay.SendAsync(visitor, link, shown.Text, ("stars", "5"));
        sent.Status.ShouldBe(HttpStatusCode.SeeOther);
        (await visitor.GetAsync(sent.To!)).Text.ShouldContain("This card is answered");
        (await CardWay.SendAsync(visitor, link, shown.Text, ("stars", "1"))).Text.ShouldContain("This card is answered");

        await Patience.UntilAsync("it is applied", Patience.Long, async () => (await owner.ProcessAsync(pid)).TryGetProperty("stars", out _));
        (await owner.ProcessAsync(pid)).GetProperty("stars").GetInt64().ShouldBe(5);
        var one = (await owner.GetAsync("/api/events")).GetProperty("events").EnumerateArray().Single(found => found.GetProperty("key").GetString() == "stars");
        (one.GetProperty("actor").GetString(), one.GetProperty("source").GetString()).ShouldBe((stranger, "card"));
    }

    [Fact]
    public async Task A_mail_that_went_out_leads_a_stranger_to_the_card_and_a_member_to_the_sign_in()
    {
        var people = way.Servers.MakeDomain("people");
        var owner = await way.CallerAsync(
            ("scripts/a.py", "class ask(Rule):\n    listens_to = ['order']\n    def action(self):\n        send_email(self.whom, 'Rate [us]({{cards.rate}}), please.', attach_variables=False)\n"),
            ("card_html_files/rate.html", "<eddy-number name=\"stars\" min=\"1\" max=\"5\" required></eddy-number>"));
        await CardWay.AllowPublicAsync(owner, "stars");
        await TestBrowser.AddPersonAsync(owner.Tenant, "viewer", $"ann@{people}");
        var pid = (await owner.SettleAsync($$"""{"order": 1, "whom": "bob@{{people}}, ann@{{people}}"}""")).GetProperty("pid").GetInt64();

        var mails = await way.Servers.ReadAsync(people, 2);

        // A stranger's message is theirs alone; a member sees who else has one.
        var (strangers, members) = (mails.Single(mail => mail.To.Count == 1), mails.Single(mail => mail.To.Count == 2));
        LinkIn(members).PathAndQuery.ShouldBe($"/cards/rate?pid={pid}");
        var link = LinkIn(strangers);
        link.AbsolutePath.ShouldStartWith("/card/");
        strangers.TextBody!.ShouldContain(link.AbsoluteUri);
        using var visitor = new TestVisitor(way.Web);
        var shown = await visitor.GetAsync(link);
        shown.Text.ShouldContain("name=\"stars\"");
        var sent = await CardWay.SendAsync(visitor, link, shown.Text, ("stars", "5"));
        (await visitor.GetAsync(sent.To!)).Text.ShouldContain("This card is answered");
        await Patience.UntilAsync("it is applied", Patience.Long, async () => (await owner.ProcessAsync(pid)).TryGetProperty("stars", out _));
        (await owner.GetAsync("/api/events")).GetProperty("events").EnumerateArray().Single(found => found.GetProperty("key").GetString() == "stars").GetProperty("actor").GetString().ShouldBe($"bob@{people}");
        (await visitor.GetAsync(LinkIn(members))).To!.AbsolutePath.ShouldBe("/_eddy/sign-in");

        static Uri LinkIn(MimeKit.MimeMessage mail) => new(new HtmlParser().ParseDocument(mail.HtmlBody!).QuerySelector("a[href*='/card']")!.GetAttribute("href")!);
    }

    [Fact]
    public async Task Of_two_answers_by_one_link_at_once_one_is_taken()
    {
        var owner = await way.CallerAsync(("card_html_files/rate.html", "<eddy-number name=\"stars\"></eddy-number>"));
        await CardWay.AllowPublicAsync(owner, "stars");
        var link = await LinkAsync(owner, "rate");
        var visitors = Enumerable.Range(0, 4).Select(_ => new TestVisitor(way.Web)).ToList();

        await Task.WhenAll(visitors.Select((visitor, i) => visitor.PostAsync(link.Address, [("stars", $"{i + 1}")], ("Origin", link.Address.GetLeftPart(UriPartial.Authority)))));

        await Patience.UntilAsync("it is applied", Patience.Long, async () => (await owner.ProcessAsync(link.Pid)).TryGetProperty("stars", out _));
        (await owner.GetAsync("/api/events")).GetProperty("events").EnumerateArray().Count(one => one.GetProperty("key").GetString() == "stars").ShouldBe(1);
        visitors.ForEach(visitor => visitor.Dispose());
    }

    [Fact]
    public async Task A_link_ends_and_is_nothing_elsewhere_or_changed_and_is_no_members()
    {
        var owner = await way.CallerAsync(("card_html_files/rate.html", "<eddy-number name=\"stars\"></eddy-number>"));
        var other = await way.CallerAsync(("card_html_files/rate.html", "<eddy-number name=\"stars\"></eddy-number>"));
        using var visitor = new TestVisitor(way.Web);
        var origin = ("Origin", visitor.SiteOf(owner.Tenant).GetLeftPart(UriPartial.Authority));

        var ended = await LinkAsync(owner, "rate", until: DateTimeOffset.UtcNow.AddSeconds(-1));
        (await visitor.GetAsync(ended.Address)).Status.ShouldBe(HttpStatusCode.Gone);
        (await visitor.PostAsync(ended.Address, [("stars", "1")], origin)).Status.ShouldBe(HttpStatusCode.Gone);
        var good = await LinkAsync(owner, "rate");
        (await visitor.GetAsync(good.Address)).Status.ShouldBe(HttpStatusCode.OK);
        (await visitor.GetAsync(new Uri(visitor.SiteOf(other.Tenant), good.Address.AbsolutePath))).Status.ShouldBe(HttpStatusCode.NotFound);
        (await visitor.GetAsync(new Uri(good.Address.AbsoluteUri + "0"))).Status.ShouldBe(HttpStatusCode.NotFound);
        // Nobody has let strangers set it, and that is said before the work.
        (await visitor.GetAsync(good.Address)).Text.ShouldContain("does not let bob@shop.test set anything here");
        var refused = await visitor.PostAsync(good.Address, [("stars", "1")], origin);
        refused.Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await owner.ProcessAsync(good.Pid)).TryGetProperty("stars", out _).ShouldBeFalse();

        var (_, address) = await way.MemberAsync(owner.Tenant);
        var members = await LinkAsync(owner, "rate", address);
        (await visitor.GetAsync(members.Address)).To!.AbsolutePath.ShouldBe("/cards/rate");
    }

    [Fact]
    public async Task A_file_that_is_sent_is_kept_as_attachments_are_and_is_the_tenants_alone()
    {
        var owner = await way.CallerAsync(("card_html_files/bill.html", "<eddy-file name=\"bill\" accept=\".txt\" required></eddy-file>"));
        await CardWay.AllowPublicAsync(owner, "bill");
        var link = await LinkAsync(owner, "bill");
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        using var body = new MultipartFormDataContent { { new ByteArrayContent("100 euros"u8.ToArray()), "bill", "bill.txt" } };
        using var request = new HttpRequestMessage(HttpMethod.Post, new UriBuilder(link.Address) { Host = "127.0.0.1" }.Uri) { Content = body };
        request.Headers.Host = link.Address.Authority;
        request.Headers.TryAddWithoutValidation("Origin", link.Address.GetLeftPart(UriPartial.Authority));

        (await http.SendAsync(request, Cancel)).StatusCode.ShouldBe(HttpStatusCode.SeeOther);

        await Patience.UntilAsync("it is applied", Patience.Long, async () => (await owner.ProcessAsync(link.Pid)).TryGetProperty("bill", out _));
        var kvp = (await owner.ProcessAsync(link.Pid)).GetProperty("bill");
        (kvp.GetProperty("name").GetString(), kvp.GetProperty("size").GetInt32(), kvp.GetProperty("type").GetString()).ShouldBe(("bill.txt", 9, "text/plain"));
        var id = kvp.GetProperty("link").GetString()!.Split('/')[^1];
        (await owner.Http.GetStringAsync($"/api/attachments/{id}", Cancel)).ShouldBe("100 euros");
        var stranger = await way.CallerAsync();
        (await stranger.Http.GetAsync($"/api/attachments/{id}", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private async Task<(Uri Address, long Pid)> LinkAsync(TestCaller owner, string card, string address = "bob@shop.test", DateTimeOffset? until = null)
    {
        var pid = (await owner.SettleAsync("""{"n": 1}""")).GetProperty("pid").GetInt64();
        var token = way.Links.Token(owner.Tenant.Id, new CardLink(1001, card, pid, address, until ?? DateTimeOffset.UtcNow.AddDays(1)));
        return (new Uri($"http://{owner.Tenant.Slug}.localhost:{way.Web.Address.Port}/card/{token}"), pid);
    }
}
