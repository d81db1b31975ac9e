using Eddy.People;

namespace Eddy.Tests.Mail;

/// <summary>Whether the sender of a refused mail hears of it.</summary>
public sealed class RefusedAnswerTests(TestDatabase database, MailServers servers)
{
    [Fact]
    public async Task Who_is_refused_is_answered_where_the_tenant_has_chosen_so_and_never_where_it_could_reach_another()
    {
        var inbox = await TestInbox.MakeAsync(database, servers);
        var (telling, silent) = (await inbox.TenantAsync("members", answersRefused: true), await inbox.TenantAsync("members"));
        inbox.Put(telling.Slug, "1 theirs");
        inbox.Put(silent.Slug, "2 silent");
        // Anybody can write any address there.
        inbox.Put(telling.Slug, "3 forged", from: "victim@people.test", dmarc: "fail");
        inbox.Put(telling.Slug, "4 by a program", from: "robot@people.test", headers: "Auto-Submitted: auto-generated");
        inbox.Put(telling.Slug, "5 of a list", from: "list@people.test", headers: "List-Id: <all.people.test>");
        inbox.Put(telling.Slug, "6 wants none", from: "carl@people.test", headers: "X-Auto-Response-Suppress: All");
        servers.Put(inbox.Domain, TestInbox.Message(inbox.Domain, telling.Slug, "7 nothing goes back", from: "dora@people.test").Replace("Return-Path: <dora@people.test>", "Return-Path: <>", StringComparison.Ordinal));

        await using (inbox.StartReader())
        {
            await inbox.UntilFoldersAsync(processed: 0, rejected: 7);
        }

        var taken = (await inbox.MessagesAsync(telling)).Concat(await inbox.MessagesAsync(silent)).OrderBy(message => message.Subject, StringComparer.Ordinal).ToList();
        taken.ShouldAllBe(message => message.State == "refused");
        taken.Where(message => message.Answered is not null).Select(message => $"{message.Subject}: {message.Answered}").ShouldBe(["1 theirs: ann@people.test"]);
        var log = new TestLog(inbox.Database);
        (await log.TextsAsync(PlatformTenant.Id, "select array_to_string(receivers, ',') || ' ' || subject from outbox where tenant_id = $1")).ShouldBe(["ann@people.test Not taken: 1 theirs"]);
        var text = (await log.TextsAsync(PlatformTenant.Id, "select text from outbox where tenant_id = $1")).ShouldHaveSingleItem();
        text.ShouldStartWith($"Your mail to {telling.Slug}@{inbox.Domain} was not taken.");
        text.ShouldContain("ann@people.test is none of them.");
    }
}
