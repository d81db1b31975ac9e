using Eddy.Tests.Secrets;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Eddy.Tests.Mail;

/// <summary>Mail from a person to a rule and back, across real servers both ways.</summary>
public sealed class MailRoundTripTests(TestDatabase database, MailServers servers)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mail_wakes_a_rule_whose_answer_comes_back_and_the_answer_to_that_finds_its_process()
    {
        await servers.StartAsync();
        var (domain, people) = (servers.MakeDomain("in"), servers.MakeDomain("people"));
        await using var own = await database.OfItsOwnAsync();
        await using var web = await TestWeb.StartAsync(own);
        await using var worker = await TestWorker.StartAsync(own, [.. servers.Out(), .. TestInbox.In(servers, domain), "Secrets:MasterKeyFile=" + TestSecrets.File(TestSecrets.Line("one"))]);
        var tenant = await TestInbox.OpenAsync(own, "anyone");
        var caller = new TestCaller(tenant, tenant.Client(web));
        await caller.SaveAsync("scripts/answer.py", """
            class answer(Rule):
                listens_to = ["mail_text"]

                def action(self):
                    self.seen = (self.seen or 0) + 1
                    send_email(self.mail_from, "You said: {{mail_text}}", subject=f"Re: {self.mail_subject}", attach_variables=False)
            """);

        await SendAsync(people, $"{tenant.Slug}@{domain}", "Hello", "The heating is cold.", null);

        var answer = (await servers.ReadAsync(people, 1)).ShouldHaveSingleItem();
        answer.TextBody!.ShouldContain("You said: The heating is cold.");
        answer.HtmlBody!.ShouldContain("The heating is cold.");
        answer.Headers[HeaderId.AutoSubmitted].ShouldBe("auto-generated");
        answer.InReplyTo.ShouldBe("first@people.test");
        var reply = answer.ReplyTo.Mailboxes.ShouldHaveSingleItem().Address;
        reply.ShouldStartWith($"{tenant.Slug}+r");
        answer.Headers["Return-path"].ShouldBe($"<{reply}>");
        var pid = (await caller.GetAsync("/api/outbox")).GetProperty("mails")[0].GetProperty("pid").GetInt64();
        answer.Subject.ShouldBe($"Re: Hello (PID:{pid})");

        await SendAsync(people, reply, "something else altogether", "It is warm now.", answer.MessageId);

        var second = (await servers.ReadAsync(people, 2)).Single(message => message.MessageId != answer.MessageId);
        second.TextBody!.ShouldContain("You said: It is warm now.");
        var kvps = await caller.ProcessAsync(pid);
        kvps.GetProperty("seen").GetInt32().ShouldBe(2);
        kvps.GetProperty("mail_from").GetString().ShouldBe($"anna@{people}");
        kvps.GetProperty("mail_dmarc").GetString().ShouldBe("pass");
        await Patience.UntilAsync("the outbox knows", Patience.Long, async () => (await caller.GetAsync("/api/outbox")).GetProperty("mails").EnumerateArray().All(mail => mail.GetProperty("state").GetString() == "sent"));
        await new TestLog(own).ShouldBeSoundAsync(tenant.Id);
    }

    [Fact, Trait("Category", "Long")]
    public async Task However_often_the_worker_is_killed_each_of_500_messages_is_taken_once()
    {
        const int Count = 500;
        await servers.StartAsync();
        var domain = servers.MakeDomain("in");
        await using var product = await TestProduct.StartAsync([.. TestInbox.In(servers, domain).Select(setting => setting.Split('=') is [var name, var value] ? $"{name.Replace(":", "__", StringComparison.Ordinal)}={value}" : setting)]);
        var tenant = await TestInbox.OpenAsync(product.Database, "anyone");
        using var http = tenant.Client(product.Address);
        var caller = new TestCaller(tenant, http);
        await caller.SaveAsync("scripts/count.py", """
            class count(Rule):
                listens_to = ["mail_subject"]

                def action(self):
                    self.seen = self.mail_subject
            """);
        for (var i = 0; i < Count; i++)
        {
            servers.Put(domain, TestInbox.Message(domain, tenant.Slug, $"mail {i:000}", from: $"ann{i % 7}@people.test"));
        }

        var log = new TestLog(product.Database);
        for (var kills = 1; kills <= 4; kills++)
        {
            var so = kills * Count / 5;
            await Patience.UntilAsync($"{so} are taken", Patience.Long, async () => await log.CountAsync(tenant.Id, "inbox_messages") >= so);
            product.Kill("worker");
        }

        await Patience.UntilAsync("all are taken and applied", TimeSpan.FromMinutes(5), async () =>
            await log.CountAsync(tenant.Id, "inbox_messages") >= Count && await log.CountAsync(tenant.Id, "arrivals") + await log.CountAsync(tenant.Id, "wakings") == 0);
        var expected = Enumerable.Range(0, Count).Select(i => $"mail {i:000}");
        (await log.TextsAsync(tenant.Id, "select subject from inbox_messages where tenant_id = $1 order by subject")).ShouldBe(expected);
        (await log.TextsAsync(tenant.Id, "select value #>> '{}' from events where tenant_id = $1 and key = 'mail_subject' order by 1")).ShouldBe(expected);
        (await log.TextsAsync(tenant.Id, "select value #>> '{}' from events where tenant_id = $1 and key = 'seen' order by 1")).ShouldBe(expected);
        using var client = await servers.OpenAsync(domain);
        await Patience.UntilAsync("all are moved", Patience.Long, async () =>
        {
            await client.Inbox!.StatusAsync(StatusItems.Count, Cancel);
            return client.Inbox.Count == 0;
        });
        await log.ShouldBeSoundAsync(tenant.Id);
    }

    private async Task SendAsync(string people, string to, string subject, string text, string? answers)
    {
        var message = new MimeMessage { Subject = subject, MessageId = answers is null ? "first@people.test" : "second@people.test", Body = new TextPart("plain") { Text = text } };
        message.From.Add(new MailboxAddress("Anna", $"anna@{people}"));
        message.To.Add(new MailboxAddress(null, to));
        if (answers is not null)
        {
            message.InReplyTo = answers;
        }

        using var client = new SmtpClient { CheckCertificateRevocation = false, ServerCertificateValidationCallback = (_, certificate, _, _) => MailServers.IsOurs(certificate) };
        await client.ConnectAsync("127.0.0.1", servers.Smtp, SecureSocketOptions.StartTls, Cancel);
        await client.SendAsync(message, Cancel);
        await client.DisconnectAsync(true, Cancel);
    }
}
