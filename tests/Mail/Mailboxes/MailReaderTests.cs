using System.Net;
using System.Text;
using Eddy.Tests.Secrets;
using MailKit;
using MailKit.Search;

namespace Eddy.Tests.Mail;

/// <summary>Mail that is read out of a real mailbox.</summary>
public sealed class MailReaderTests(TestDatabase database, MailServers servers)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Messages_become_arrivals_of_the_tenant_to_whom_they_were_delivered_and_go_where_they_belong()
    {
        var inbox = await TestInbox.MakeAsync(database, servers);
        var (open, closed) = (await inbox.TenantAsync(), await inbox.TenantAsync("members"));
        inbox.Put(open.Slug, "1 taken");
        inbox.Put(closed.Slug, "2 refused");
        inbox.Put("gone", "3 nobody's");
        // What it says of itself is not where it was delivered.
        inbox.Put(open.Slug, "4 to another", headers: $"X-Original-To: {closed.Slug}@{inbox.Domain}\nTo: {closed.Slug}@{inbox.Domain}");

        await using (inbox.StartReader())
        {
            await inbox.UntilFoldersAsync(processed: 2, rejected: 2);
        }

        var taken = await inbox.MessagesAsync(open);
        taken.Select(message => (message.Subject, message.State)).ShouldBe([("1 taken", "accepted"), ("4 to another", "accepted")]);
        taken[0].Sender.ShouldBe("ann@people.test");
        taken[0].Dmarc.ShouldBe("pass");
        taken[0].Why.ShouldNotBeEmpty();
        var refused = (await inbox.MessagesAsync(closed)).ShouldHaveSingleItem();
        (refused.State, refused.Code).ShouldBe(("refused", "not_allowed"));
        refused.Reason.ShouldNotBeNullOrEmpty();
        var log = new TestLog(inbox.Database);
        (await log.TextsAsync(open.Id, "select pid || ' ' || actor || ' ' || source from arrivals where tenant_id = $1 order by id")).ShouldBe([$"{taken[0].Pid} ann@people.test mail", $"{taken[1].Pid} ann@people.test mail"]);
        (await log.CountAsync(closed.Id, "arrivals")).ShouldBe(0);
    }

    [Fact]
    public async Task A_message_that_comes_again_under_another_number_is_not_taken_again()
    {
        var inbox = await TestInbox.MakeAsync(database, servers);
        var tenant = await inbox.TenantAsync();
        inbox.Put(tenant.Slug, "1");
        inbox.Put(tenant.Slug, "2");
        await using (inbox.StartReader())
        {
            await inbox.UntilFoldersAsync(processed: 2, rejected: 0);
        }

        // A crash before they were moved looks like this, to a reader that comes later.
        using (var client = await servers.OpenAsync(inbox.Domain))
        {
            var processed = await client.GetFolderAsync("Processed", Cancel);
            await processed.OpenAsync(FolderAccess.ReadWrite, Cancel);
            await processed.MoveToAsync(await processed.SearchAsync(SearchQuery.All, Cancel), client.Inbox!, Cancel);
        }

        var before = await ValidityAsync(inbox);
        servers.LoseCount(inbox.Domain);
        (await ValidityAsync(inbox)).ShouldNotBe(before);
        inbox.Put(tenant.Slug, "3");
        await using (inbox.StartReader())
        {
            await inbox.UntilFoldersAsync(processed: 3, rejected: 0);
        }

        (await inbox.MessagesAsync(tenant)).Select(message => message.Subject).ShouldBe(["1", "2", "3"]);
        (await new TestLog(inbox.Database).CountAsync(tenant.Id, "arrivals")).ShouldBe(3);
    }

    [Fact]
    public async Task Two_readers_take_each_message_once()
    {
        const int Count = 120;
        var inbox = await TestInbox.MakeAsync(database, servers);
        var tenant = await inbox.TenantAsync();
        for (var i = 0; i < Count; i++)
        {
            inbox.Put(tenant.Slug, $"{i:000}", from: $"ann{i % 9}@people.test");
        }

        await using (inbox.StartReader())
        await using (inbox.StartReader())
        {
            await inbox.UntilFoldersAsync(Count, 0);
        }

        (await inbox.MessagesAsync(tenant)).Select(message => message.Subject).ShouldBe(Enumerable.Range(0, Count).Select(i => $"{i:000}"));
        (await new TestLog(inbox.Database).CountAsync(tenant.Id, "arrivals")).ShouldBe(Count);
    }

    [Fact]
    public async Task It_goes_on_after_the_connection_was_lost_and_hears_of_what_comes_then()
    {
        await servers.StartAsync();
        using var gate = new ServerGate(servers.Imap);
        var inbox = await TestInbox.MakeAsync(database, servers, gate.Port);
        var tenant = await inbox.TenantAsync();
        await using (inbox.StartReader())
        {
            inbox.Put(tenant.Slug, "1");
            await inbox.UntilAsync(tenant, 1);
            gate.Close();
            inbox.Put(tenant.Slug, "2");
            await Patience.UntilAsync("it tries to come back", () => gate.TurnedAway > 0);
            (await inbox.MessagesAsync(tenant)).Count.ShouldBe(1);
            gate.Open();
            await inbox.UntilAsync(tenant, 2);
            inbox.Put(tenant.Slug, "3");
            await inbox.UntilFoldersAsync(processed: 3, rejected: 0);
        }

        (await inbox.MessagesAsync(tenant)).Select(message => message.Subject).ShouldBe(["1", "2", "3"]);
    }

    [Fact]
    public async Task It_goes_on_where_somebody_takes_a_folder_away()
    {
        var inbox = await TestInbox.MakeAsync(database, servers);
        var tenant = await inbox.TenantAsync();
        await using (inbox.StartReader())
        {
            inbox.Put(tenant.Slug, "1");
            await inbox.UntilFoldersAsync(processed: 1, rejected: 0);
            using (var client = await servers.OpenAsync(inbox.Domain))
            {
                await (await client.GetFolderAsync("Processed", Cancel)).DeleteAsync(Cancel);
            }

            inbox.Put(tenant.Slug, "2");
            await inbox.UntilFoldersAsync(processed: 1, rejected: 0);
        }

        (await inbox.MessagesAsync(tenant)).Select(message => message.Subject).ShouldBe(["1", "2"]);
    }

    [Fact]
    public async Task A_number_that_the_server_has_given_before_leaves_no_message_unread()
    {
        var inbox = await TestInbox.MakeAsync(database, servers);
        var tenant = await inbox.TenantAsync();
        inbox.Put(tenant.Slug, "1");
        await tenant.PrepareAsync($"insert into taken_messages (mailbox, digest, uid_validity, uid, at, is_rejected) select 'inbox', sha256('another'), {await ValidityAsync(inbox)}, 1, now(), false where $1::uuid is not null");

        await using (inbox.StartReader())
        {
            await inbox.UntilFoldersAsync(processed: 1, rejected: 0);
        }

        (await inbox.MessagesAsync(tenant)).ShouldHaveSingleItem().Subject.ShouldBe("1");
    }

    [Fact]
    public async Task What_the_server_does_not_move_is_taken_once_and_holds_up_no_other()
    {
        var inbox = await TestInbox.MakeAsync(database, servers);
        var tenant = await inbox.TenantAsync();
        await using (inbox.StartReader())
        {
            inbox.Put(tenant.Slug, "1");
            await inbox.UntilFoldersAsync(processed: 1, rejected: 0);
            servers.Close(inbox.Domain, "Processed", isClosed: true);
            inbox.Put(tenant.Slug, "2");
            await inbox.UntilAsync(tenant, 2);
            inbox.Put(tenant.Slug, "3");
            await inbox.UntilAsync(tenant, 3);
            (await inbox.FoldersAsync()).ShouldBe((2, 1, 0));
        }

        servers.Close(inbox.Domain, "Processed", isClosed: false);
        await using (inbox.StartReader())
        {
            await inbox.UntilFoldersAsync(processed: 3, rejected: 0);
        }

        (await new TestLog(inbox.Database).CountAsync(tenant.Id, "arrivals")).ShouldBe(3);
    }

    /// <summary>As after a long time in which nothing could be moved: what is known is not fetched again, and what is new does not wait for it.</summary>
    [Fact, Trait("Category", "Long")]
    public async Task In_a_mailbox_of_50000_messages_that_were_taken_the_new_ones_are_taken_and_all_are_moved()
    {
        const int Many = 50_000;
        var inbox = await TestInbox.MakeAsync(database, servers);
        var tenant = await inbox.TenantAsync();
        for (var i = 0; i < Many; i++)
        {
            servers.Put(inbox.Domain, "Subject: old\n\nold\n");
        }

        // Were one of them fetched again, it would be nobody's, and rejected.
        await tenant.PrepareAsync($"""
            insert into taken_messages (mailbox, digest, uid_validity, uid, at, is_rejected)
            select 'inbox', sha256(n::text::bytea), {await ValidityAsync(inbox)}, n, now(), false from generate_series(1, {Many}) n where $1::uuid is not null
            """);
        inbox.Put(tenant.Slug, "new 1");
        await using (inbox.StartReader())
        {
            await inbox.UntilAsync(tenant, 1);
            inbox.Put(tenant.Slug, "new 2");
            await inbox.UntilAsync(tenant, 2);
            await Patience.UntilAsync("all are moved", TimeSpan.FromMinutes(10), async () => await inbox.FoldersAsync() == (0, Many + 2, 0));
        }

        (await inbox.MessagesAsync(tenant)).Select(message => message.Subject).ShouldBe(["new 1", "new 2"]);
    }

    [Fact]
    public async Task A_bounce_is_an_event_of_the_process_whose_mail_it_was()
    {
        var inbox = await TestInbox.MakeAsync(database, servers);
        var tenant = await inbox.TenantAsync("members");
        var other = await inbox.TenantAsync("members");
        await tenant.PrepareAsync("insert into processes (tenant_id, pid, created_at) values ($1, 15, now())");
        await tenant.PrepareAsync("insert into outbox (tenant_id, id, run, pid, at, receivers, subject, text, message_id) values ($1, 1001, 1, 15, now(), array['nobody@people.test'], 's', 't', 'ours@eddy.test')");
        servers.Put(inbox.Domain, Bounce(inbox.Domain, tenant.Slug));
        // Another's mail is no mail of this one's.
        servers.Put(inbox.Domain, Bounce(inbox.Domain, other.Slug));

        await using (inbox.StartReader())
        {
            await inbox.UntilFoldersAsync(processed: 1, rejected: 1);
        }

        var message = (await inbox.MessagesAsync(tenant)).ShouldHaveSingleItem();
        (message.Kind, message.State, message.Pid).ShouldBe(("bounce", "accepted", 15));
        var kvps = (await new TestLog(inbox.Database).TextsAsync(tenant.Id, "select kvps from arrivals where tenant_id = $1")).ShouldHaveSingleItem();
        kvps.ShouldContain("nobody@people.test");
        kvps.ShouldContain("5.1.1");
        (await inbox.MessagesAsync(other)).ShouldHaveSingleItem().Code.ShouldBe("bounce");
    }

    [Fact]
    public async Task What_was_attached_is_opened_by_a_key_and_by_an_address_that_is_signed_for_a_while_and_by_nobody_else()
    {
        var inbox = await TestInbox.MakeAsync(database, servers);
        var (tenant, other) = (await inbox.TenantAsync(), await inbox.TenantAsync());
        servers.Put(inbox.Domain, TestInbox.Message(inbox.Domain, tenant.Slug, "with a file", """
            --b
            Content-Type: text/plain

            See below.
            --b
            Content-Type: text/html; name="a<b>.html"
            Content-Disposition: attachment; filename="a<b>.html"

            <script>alert(1)</script>
            --b--
            """, headers: "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b"));
        await using (inbox.StartReader())
        {
            await inbox.UntilAsync(tenant, 1);
        }

        var kvps = (await new TestLog(inbox.Database).TextsAsync(tenant.Id, "select kvps from arrivals where tenant_id = $1")).ShouldHaveSingleItem();
        var id = (await new TestLog(inbox.Database).TextsAsync(tenant.Id, "select id::text from attachments where tenant_id = $1")).ShouldHaveSingleItem();
        kvps.ShouldContain($"https://eddy.test/t/{tenant.Slug}/attachments/{id}");
        await using var web = await TestWeb.StartAsync(inbox.Database, "Secrets:MasterKeyFile=" + TestSecrets.File(TestSecrets.Line("one")));
        using var owner = tenant.Client(web);
        using var stranger = other.Client(web);
        using var anybody = new HttpClient { BaseAddress = web.Address };

        using var answer = await owner.GetAsync($"/api/attachments/{id}", Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync(Cancel)).ShouldContain("alert(1)");
        (await stranger.GetAsync($"/api/attachments/{id}", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await stranger.PostAsync($"/api/attachments/{id}/address", null, Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await anybody.GetAsync($"/t/{tenant.Slug}/attachments/{id}", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        var address = (await owner.PostAsync($"/api/attachments/{id}/address?days=1", null, Cancel).JsonAsync()).GetProperty("address").GetString()!;
        using var signed = await anybody.GetAsync(address, Cancel);
        signed.StatusCode.ShouldBe(HttpStatusCode.OK);
        signed.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        foreach (var forged in new[] { address.Replace(tenant.Slug, other.Slug, StringComparison.Ordinal), address.Replace("until=1", "until=2", StringComparison.Ordinal), address[..^1] + (address[^1] == '0' ? '1' : '0'), address.Split('&')[0] })
        {
            (await anybody.GetAsync(forged, Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound, forged);
        }
    }

    private async Task<uint> ValidityAsync(TestInbox inbox)
    {
        using var client = await servers.OpenAsync(inbox.Domain);
        await client.Inbox!.OpenAsync(FolderAccess.ReadOnly, Cancel);
        return client.Inbox.UidValidity;
    }

    private static string Bounce(string domain, string slug) => $"""
        Return-Path: <>
        Envelope-To: {slug}@{domain}
        Received: by mx.test id {Guid.NewGuid():N}; Sat, 28 Nov 2026 12:00:00 +0000
        From: Mail Delivery System <mailer-daemon@mx.test>
        To: {slug}@{domain}
        Subject: Undelivered mail returned to sender
        Message-ID: <{Guid.NewGuid():N}@mx.test>
        Date: Sat, 28 Nov 2026 12:00:00 +0000
        Auto-Submitted: auto-replied
        MIME-Version: 1.0
        Content-Type: multipart/report; report-type=delivery-status; boundary=b

        --b
        Content-Type: text/plain

        There is nobody of this name.
        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.test

        Final-Recipient: rfc822; nobody@people.test
        Action: failed
        Status: 5.1.1
        Diagnostic-Code: smtp; 550 5.1.1 There is nobody of this name here

        --b
        Content-Type: text/rfc822-headers

        From: {slug}@eddy.test
        Message-ID: <ours@eddy.test>
        Subject: s

        --b--

        """;
}
