using System.Net;
using System.Text;
using Eddy.Mail;
using Eddy.Mail.Delivery;
using Eddy.Mail.Inbox;
using Eddy.Postgres;
using Eddy.Secrets;
using Eddy.Tests.Access;
using Eddy.Tests.Secrets;
using MimeKit;
using Npgsql;

namespace Eddy.Tests.Mail;

/// <summary>Mail to strangers, and how they have no more of it.</summary>
public sealed class UnsubscribeTests(TestDatabase database, MailServers servers)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Three_strangers_have_a_message_each_and_a_retry_goes_to_those_alone_who_have_none_yet()
    {
        await servers.StartAsync();
        var own = await database.OfItsOwnAsync();
        var (tenant, domain) = (await TestTenant.MakeAsync(own), servers.MakeDomain());
        var outbox = new TestOutbox(own, servers.Options(), TestSecrets.Masters(TestSecrets.Line("one")));
        var id = await outbox.PutAsync(tenant, [$"anna@{domain}", $"later@{domain}", $"carl@{domain}"]);

        await using (outbox.StartCourier())
        {
            await outbox.UntilTriedAsync(tenant, id, 1);
            outbox.Clock.Turn(TimeSpan.FromMinutes(2));
            await outbox.UntilTriedAsync(tenant, id, 2);
        }

        (await outbox.LookAsync(tenant, id)).State.ShouldBe(MailState.Waiting);
        var copies = (await servers.ReadAsync(domain, 2)).OrderBy(copy => copy.To.ToString(), StringComparer.Ordinal).ToList();
        copies.Select(copy => copy.To.ToString()).ShouldBe([$"anna@{domain}", $"carl@{domain}"]);
        copies.Select(copy => copy.Headers["Envelope-to"]).ShouldBe([$"anna@{domain}", $"carl@{domain}"]);
        copies.Select(copy => copy.MessageId).Distinct().ShouldHaveSingleItem();
        copies.Select(copy => copy.Headers[HeaderId.ListUnsubscribe]).Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public async Task Who_has_theirs_is_not_sent_it_again_by_the_worker_that_comes_after_one_that_died_between_two()
    {
        await servers.StartAsync();
        var own = await database.OfItsOwnAsync();
        var (tenant, domain) = (await TestTenant.MakeAsync(own), servers.MakeDomain());
        var outbox = new TestOutbox(own, servers.Options());
        var id = await outbox.PutAsync(tenant, [$"anna@{domain}", $"bert@{domain}"]);
        var taken = (await outbox.Queue.TakeAsync(null, Cancel)).ShouldNotBeNull();
        (await outbox.Queue.NoteHandedAsync(taken, new DeliveryTry([$"anna@{domain}"], new Dictionary<string, string>(), null), Cancel)).ShouldBeTrue();

        outbox.Clock.Turn(TimeSpan.FromHours(1));
        await using (outbox.StartCourier())
        {
            await outbox.UntilAsync(tenant, id, "it is sent", (state, _) => state == MailState.Sent);
        }

        (await servers.ReadAsync(domain, 1)).ShouldHaveSingleItem().To.ToString().ShouldBe($"bert@{domain}");
        // The dead one hears that it is another's.
        (await outbox.Queue.NoteHandedAsync(taken, DeliveryTry.Nothing, Cancel)).ShouldBeFalse();
    }

    [Fact]
    public async Task Whoever_belongs_to_the_tenant_shares_a_message_that_names_everybody()
    {
        await servers.StartAsync();
        var own = await database.OfItsOwnAsync();
        var (tenant, domain) = (await TestTenant.MakeAsync(own), servers.MakeDomain());
        await tenant.AddMemberAsync($"ann@{domain}", "owner");
        await tenant.AddMemberAsync($"bob@{domain}", "viewer");
        // Somebody who has not confirmed the address is a stranger.
        await tenant.AddMemberAsync($"claims@{domain}", "owner", isProven: false);
        var outbox = new TestOutbox(own, servers.Options(), TestSecrets.Masters(TestSecrets.Line("one")));
        string[] all = [$"ann@{domain}", $"Bob@{domain}", $"claims@{domain}"];
        var id = await outbox.PutAsync(tenant, all);

        await using (outbox.StartCourier())
        {
            await outbox.UntilAsync(tenant, id, "it is sent", (state, _) => state == MailState.Sent);
        }

        var copies = (await servers.ReadAsync(domain, 3)).ToLookup(copy => copy.Headers[HeaderId.ListUnsubscribe] is null);
        copies[true].Select(copy => copy.Headers["Envelope-to"]!.ToLowerInvariant()).Order(StringComparer.Ordinal).ShouldBe([$"ann@{domain}", $"bob@{domain}"]);
        copies[true].ShouldAllBe(copy => copy.To.Mailboxes.Select(one => one.Address).SequenceEqual(all));
        copies[false].ShouldHaveSingleItem().To.ToString().ShouldBe($"claims@{domain}");
    }

    [Fact]
    public async Task One_click_ends_the_mail_of_that_tenant_to_that_receiver_until_somebody_lifts_it()
    {
        await servers.StartAsync();
        var line = TestSecrets.Line("one");
        await using var own = await database.OfItsOwnAsync();
        await using var web = await TestWeb.StartAsync(own, "Secrets:MasterKeyFile=" + TestSecrets.File(line), "Mail:Site=" + TestOutbox.Site);
        var (tenant, other, domain) = (await TestTenant.MakeAsync(own), await TestTenant.MakeAsync(own), servers.MakeDomain());
        var outbox = new TestOutbox(own, servers.Options(), TestSecrets.Masters(line));
        using var browser = new HttpClient { BaseAddress = web.Address };
        using var http = tenant.Client(web);
        using var stranger = other.Client(web);
        await using var courier = outbox.StartCourier();
        await SentAsync(outbox, tenant, $"Anna@{domain}");
        var message = (await servers.ReadAsync(domain, 1)).ShouldHaveSingleItem();
        message.Headers["List-Unsubscribe-Post"].ShouldBe("List-Unsubscribe=One-Click");
        var link = message.Headers[HeaderId.ListUnsubscribe]!.Trim('<', '>');
        link.ShouldStartWith($"{TestOutbox.Site}/unsubscribe/{tenant.Slug}/");
        var path = new Uri(link).AbsolutePath;

        // To look at it is not to say so: programs follow links.
        var page = await browser.GetAsync(path, Cancel);
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        page.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
        (await page.Content.ReadAsStringAsync(Cancel)).ShouldContain($"anna@{domain}");
        (await http.GetAsync("/api/unsubscribed", Cancel).JsonAsync()).GetProperty("unsubscribed").GetArrayLength().ShouldBe(0);

        // As mail programs do it, and twice.
        for (var i = 0; i < 2; i++)
        {
            var done = await browser.PostAsync(path, new StringContent("List-Unsubscribe=One-Click", Encoding.ASCII, "application/x-www-form-urlencoded"), Cancel);
            done.StatusCode.ShouldBe(HttpStatusCode.OK);
            (await done.Content.ReadAsStringAsync(Cancel)).ShouldContain("You are unsubscribed");
        }

        var refused = await outbox.PutAsync(tenant, [$"anna@{domain}", $"bert@{domain}"]);
        await outbox.UntilAsync(tenant, refused, "the other has it", (state, _) => state == MailState.Partly);
        (await outbox.LookAsync(tenant, refused)).Refused[$"anna@{domain}"].ShouldBe($"anna@{domain} has unsubscribed on {outbox.Clock.GetUtcNow():yyyy-MM-dd}; owners and editors can lift that in the outbox.");
        var alone = await outbox.PutAsync(tenant, [$"anna@{domain}"]);
        await outbox.UntilAsync(tenant, alone, "nobody has it", (state, _) => state == MailState.Failed);
        await SentAsync(outbox, other, $"anna@{domain}");
        (await servers.ReadAsync(domain, 3)).Select(copy => $"{copy.From.Mailboxes.Single().Address} {copy.To}").Order(StringComparer.Ordinal)
            .ShouldBe(new[] { $"{tenant.Slug}@eddy.test Anna@{domain}", $"{tenant.Slug}@eddy.test bert@{domain}", $"{other.Slug}@eddy.test anna@{domain}" }.Order(StringComparer.Ordinal));

        (await http.GetAsync("/api/unsubscribed", Cancel).JsonAsync()).GetProperty("unsubscribed")[0].GetProperty("receiver").GetString().ShouldBe($"anna@{domain}");
        (await stranger.GetAsync("/api/unsubscribed", Cancel).JsonAsync()).GetProperty("unsubscribed").GetArrayLength().ShouldBe(0);
        (await stranger.DeleteAsync($"/api/unsubscribed/anna@{domain}", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await http.DeleteAsync($"/api/unsubscribed/Anna@{domain}", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await http.DeleteAsync($"/api/unsubscribed/anna@{domain}", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        await SentAsync(outbox, tenant, $"anna@{domain}");
    }

    [Fact]
    public async Task A_link_that_we_have_not_signed_for_this_tenant_and_receiver_does_nothing()
    {
        var line = TestSecrets.Line("one");
        await using var web = await TestWeb.StartAsync(database, "Secrets:MasterKeyFile=" + TestSecrets.File(line), "Mail:Site=" + TestOutbox.Site);
        var (tenant, other) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        using var browser = new HttpClient { BaseAddress = web.Address };
        using var http = other.Client(web);
        var (anna, eve) = (PathOf(tenant, "anna@x.test", line), PathOf(tenant, "eve@x.test", line));
        string[] forged =
        [
            anna.Replace(tenant.Slug, other.Slug, StringComparison.Ordinal), anna[..^1] + (anna[^1] == '0' ? '1' : '0'), anna[..^4], anna + "00", string.Join('/', [.. anna.Split('/')[..^1], eve.Split('/')[^1]]),
            anna.Replace(tenant.Slug, "nobody-has-this", StringComparison.Ordinal), PathOf(tenant, "anna@x.test", TestSecrets.Line("another")), $"/unsubscribe/{tenant.Slug}/!!/{anna.Split('/')[^1]}",
        ];

        foreach (var path in forged)
        {
            foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post])
            {
                using var answer = await browser.SendAsync(new HttpRequestMessage(method, path), Cancel);
                answer.StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
                (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain("This link is not good");
            }
        }

        (await http.GetAsync("/api/unsubscribed", Cancel).JsonAsync()).GetProperty("unsubscribed").GetArrayLength().ShouldBe(0);
        (await new UnsubscribedStore(new EddyDbs(database.App)).ListAsync(tenant.Id, null, 10, Cancel)).ShouldBeEmpty();
        (await browser.PostAsync(anna, null, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await new UnsubscribedStore(new EddyDbs(database.App)).ListAsync(tenant.Id, null, 10, Cancel)).ShouldHaveSingleItem().Receiver.ShouldBe("anna@x.test");
    }

    [Fact]
    public async Task A_tenant_sees_and_writes_its_own_alone()
    {
        var (tenant, other, store) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database), new UnsubscribedStore(new EddyDbs(database.App)));
        var at = new DateTimeOffset(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);
        foreach (var receiver in (string[])["c@x.test", "a@x.test", "B@X.test"])
        {
            await store.AddAsync(tenant.Id, receiver, at, Cancel);
        }

        await store.AddAsync(tenant.Id, "a@x.test", at.AddDays(1), Cancel);
        (await store.ListAsync(tenant.Id, null, 2, Cancel)).ShouldBe([new UnsubscribedReceiver("a@x.test", at), new UnsubscribedReceiver("b@x.test", at)]);
        (await store.ListAsync(tenant.Id, "b@x.test", 2, Cancel)).ShouldBe([new UnsubscribedReceiver("c@x.test", at)]);
        (await store.ListAsync(other.Id, null, 2, Cancel)).ShouldBeEmpty();
        (await store.LiftAsync(other.Id, "a@x.test", Cancel)).ShouldBeFalse();

        // The second wall, whatever a statement says.
        await using var connection = await new EddyDbs(database.App).OpenAsync(other.Id, Cancel);
        (await CountAsync("unsubscribed")).ShouldBe(0);
        (await Should.ThrowAsync<PostgresException>(() => RunAsync($"insert into unsubscribed values ('{tenant.Id}', 'd@x.test', now())"))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
        (await Should.ThrowAsync<PostgresException>(() => CountAsync("handed_mails"))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);

        async Task<long> CountAsync(string table)
        {
            await using var count = new NpgsqlCommand($"select count(*) from {table}", connection);
            return (long)(await count.ExecuteScalarAsync(Cancel))!;
        }

        async Task RunAsync(string statement)
        {
            await using var run = new NpgsqlCommand(statement, connection);
            await run.ExecuteNonQueryAsync(Cancel);
        }
    }

    [Fact]
    public async Task A_mail_to_the_signed_address_does_it_too()
    {
        var masters = TestSecrets.Masters(TestSecrets.Line("one"));
        var inbox = await TestInbox.MakeAsync(database, servers);
        var tenant = await inbox.TenantAsync("members");
        var addresses = new InboxAddresses(new InboxOptions { Domain = inbox.Domain }, masters);
        inbox.Put(Local("anna@x.test"), "unsubscribe Anna@X.test", from: "anna.miller@people.test");
        inbox.Put(Local("bert@people.test"), "please", from: "bert@people.test");
        // For somebody else than it names.
        inbox.Put(Local("carl@x.test"), "unsubscribe dora@x.test", from: "eve@people.test");

        await using (inbox.StartReader(masters))
        {
            await inbox.UntilFoldersAsync(processed: 0, rejected: 3);
        }

        (await new UnsubscribedStore(new EddyDbs(inbox.Database.App)).ListAsync(tenant.Id, null, 10, Cancel)).Select(one => one.Receiver).ShouldBe(["anna@x.test", "bert@people.test"]);
        var taken = await inbox.MessagesAsync(tenant);
        taken.Select(message => message.Code).ShouldBe(["unsubscribe", "unsubscribe", "not_allowed"], ignoreOrder: true);
        taken.Single(message => message.Subject == "please").Reason.ShouldBe("bert@people.test asks for no more mail, and gets none from now on. Owners and editors can lift that in the outbox.");

        string Local(string receiver) => addresses.ForUnsubscribing(tenant.Id, tenant.Slug, receiver)!.Split('@')[0];
    }

    private static string PathOf(TestTenant tenant, string receiver, string line)
    {
        var inbox = new InboxOptions();
        var links = new UnsubscribeLinks(TestSecrets.Masters(line), new MailOptions { Site = TestOutbox.Site, Inbox = inbox }, new InboxAddresses(inbox, MasterKeys.None));
        return new Uri(links.For(tenant.Id, tenant.Slug, receiver)!.Link!).AbsolutePath;
    }

    private static async Task SentAsync(TestOutbox outbox, TestTenant tenant, string receiver)
    {
        var id = await outbox.PutAsync(tenant, [receiver]);
        await outbox.UntilAsync(tenant, id, "it is sent", (state, _) => state == MailState.Sent);
    }
}
