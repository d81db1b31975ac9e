using System.Text;
using Eddy.Mail;
using Eddy.Mail.Inbox;
using Eddy.Tests.Mail.Inbox;

namespace Eddy.Tests.Mail;

/// <summary>Messages of people who mean harm, as far as the database.</summary>
public sealed class HostileMailTests(TestDatabase database, MailServers servers)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The operator's server has not seen what comes into a tenant's own mailbox, so nobody there may speak in its name.</summary>
    [Fact]
    public async Task What_a_stranger_writes_in_the_name_of_the_operators_server_counts_for_nothing_in_a_tenants_own_mailbox()
    {
        var inbox = await TestInbox.MakeAsync(database, servers);
        var tenant = await inbox.TenantAsync();
        var raw = Encoding.UTF8.GetBytes(TestInbox.Message(inbox.Domain, "anybody", "forged"));

        await inbox.Taker().TakeAsync(new FetchedMessage("own", 1, 1, raw), new MessageOwner.Tenant(tenant.Id, tenant.Slug), Cancel);
        await inbox.Taker().TakeAsync(new FetchedMessage("inbox", 1, 1, Encoding.UTF8.GetBytes(TestInbox.Message(inbox.Domain, tenant.Slug, "vouched"))), Whose(inbox), Cancel);

        (await inbox.MessagesAsync(tenant)).Select(message => (message.Subject, message.Dmarc, message.Actor)).ShouldBe([("forged", "none", "unproven:ann@people.test"), ("vouched", "pass", "ann@people.test")]);
    }

    [Fact]
    public async Task In_a_tenants_own_mailbox_the_signature_of_the_senders_domain_vouches()
    {
        using var dns = new TestNameServer();
        dns.Texts["s1._domainkey.acme.test"] = SignatureKeysTests.Record(SignatureKeysTests.Pair);
        var inbox = await TestInbox.MakeAsync(database, servers, dns: dns.Address);
        var tenant = await inbox.TenantAsync();

        await inbox.Taker().TakeAsync(new FetchedMessage("own", 1, 1, Encoding.Latin1.GetBytes(SignatureKeysTests.Signed())), new MessageOwner.Tenant(tenant.Id, tenant.Slug), Cancel);

        var message = (await inbox.MessagesAsync(tenant)).ShouldHaveSingleItem();
        message.Dkim.ShouldBe("pass");
        message.Why.ShouldContain("acme.test vouches for it: the DKIM signature of acme.test holds, says the check that was made here.");
    }

    /// <summary>Cut where one character is two, it would be no text any more.</summary>
    [Fact]
    public async Task A_subject_that_is_cut_within_a_character_holds_up_nobody()
    {
        var inbox = await TestInbox.MakeAsync(database, servers);
        var tenant = await inbox.TenantAsync();
        var subject = new string('a', 997) + "😀😀😀";

        var isRejected = await inbox.Taker().TakeAsync(
            new FetchedMessage("inbox", 1, 1, Encoding.UTF8.GetBytes(TestInbox.Message(inbox.Domain, tenant.Slug, $"=?utf-8?b?{Convert.ToBase64String(Encoding.UTF8.GetBytes(subject))}?="))), Whose(inbox), Cancel);

        isRejected.ShouldBeFalse();
        (await inbox.MessagesAsync(tenant)).ShouldHaveSingleItem().Subject.ShouldStartWith("aaa");
    }

    [Fact]
    public async Task Whoever_writes_in_somebodys_name_does_not_use_up_what_that_one_may_send_and_refused_mail_uses_up_nothing()
    {
        var inbox = await TestInbox.MakeAsync(database, servers);
        var tenant = await inbox.TenantAsync();
        await PutAsync(300, "refused", actor: null, answered: null);
        await PutAsync(20, "accepted", "unproven:ann@people.test", null);
        await PutAsync(3, "accepted", "ann@people.test", null);
        await PutAsync(2, "refused", null, "ann@people.test");

        var vouched = await FactsAsync(isVouched: true);
        (vouched.FromSender, vouched.InAll).ShouldBe((5, 25));
        var forged = await FactsAsync(isVouched: false);
        (forged.FromSender, forged.InAll).ShouldBe((25, 25));

        async Task<InboxFacts> FactsAsync(bool isVouched) =>
            await inbox.Facts.ReadAsync(tenant.Id, await TestMessages.ReadAsync(TestMessages.Of("Hello.", from: "ann@people.test", isVouched: isVouched)), null, null, Cancel);

        Task PutAsync(int count, string state, string? actor, string? answered) => tenant.PrepareAsync($"""
            insert into inbox_messages (tenant_id, id, at, mailbox, sender, subject, text, kind, bytes, spf, dkim, dmarc, state, why, code, reason, pid, arrival, actor, answered)
            select $1, gen_random_uuid(), now(), 'inbox', 'ann@people.test', 's', 't', 'ordinary', 1, 'none', 'none', 'none', '{state}', array[]::text[], {(state == "refused" ? "'not_allowed', 'no'" : "null, null")},
              {(state == "refused" ? "null, null" : "1, gen_random_uuid()")}, {(actor is null ? "null" : $"'{actor}'")}, {(answered is null ? "null" : $"'{answered}'")}
            from generate_series(1, {count})
            """);
    }

    private static MessageOwner.ByAddress Whose(TestInbox inbox) => new(new InboxAddresses(inbox.Domain, []));
}
