using Eddy.Mail.Inbox;
using Eddy.Upkeep;
using Microsoft.Extensions.Logging.Abstractions;

namespace Eddy.Tests.Mail;

/// <summary>What is forgotten of mail and of what comes with cards, and when.</summary>
public sealed class InboxUpkeepTests(TestDatabase database)
{
    [Fact]
    public async Task What_is_older_than_it_is_kept_goes_with_what_was_attached_and_the_rest_stays()
    {
        await using var own = await database.OfItsOwnAsync();
        var (tenant, other) = (await TestTenant.MakeAsync(own), await TestTenant.MakeAsync(own));
        foreach (var one in (TestTenant[])[tenant, other])
        {
            // More than are deleted at once.
            await one.PrepareAsync(
                """
                insert into inbox_messages (tenant_id, id, at, mailbox, sender, delivered_to, subject, text, kind, bytes, spf, dkim, dmarc, state, why, code, reason)
                select $1, gen_random_uuid(), now() - interval '401 days', 'inbox', 'bob@shop.test', 'acme@in.example.com', 'old', 'x', 'ordinary', 900, 'pass', 'none', 'fail', 'refused', '{}', 'not_allowed', 'No.' from generate_series(1, 1100)
                """);
            await one.PrepareAsync(
                """
                insert into inbox_messages (tenant_id, id, at, mailbox, sender, delivered_to, subject, text, kind, bytes, spf, dkim, dmarc, state, why, code, reason)
                values ($1, gen_random_uuid(), now() - interval '399 days', 'inbox', 'bob@shop.test', 'acme@in.example.com', 'young', 'x', 'ordinary', 900, 'pass', 'none', 'fail', 'refused', '{}', 'not_allowed', 'No.')
                """);
            await one.PrepareAsync("insert into attachments (tenant_id, id, message, place, name, type, bytes, content) select $1, gen_random_uuid(), m.id, 1, m.subject, 'text/plain', 1, 'x' from inbox_messages m where m.tenant_id = $1");
            await one.PrepareAsync(
                """
                with sent as (insert into uploads (tenant_id, id, at, bytes, actor) select $1, gen_random_uuid(), now() - days * interval '1 day', days, 'bob@shop.test' from (select 401 as days from generate_series(1, 1100) union all select 399) of returning id, bytes)
                insert into attachments (tenant_id, id, message, place, name, type, bytes, content) select $1, gen_random_uuid(), id, 1, case bytes when 401 then 'old' else 'young' end, 'text/plain', 1, 'x' from sent
                """);
            await one.PrepareAsync("insert into handed_mails (tenant_id, mail, receiver, pid, at) values ($1, 1, 'old', 1, now() - interval '50 hours'), ($1, 2, 'young', 1, now() - interval '48 hours')");
        }

        await tenant.PrepareAsync(
            "insert into taken_messages (mailbox, digest, uid_validity, uid, at, is_rejected) select 'inbox', name::bytea, 1, days, now() - days * interval '1 day', false from (values ('old', 91), ('young', 89)) of(name, days) where $1::uuid is not null");

        await new Housekeeper(own.App, new InboxOptions(), TimeProvider.System, NullLogger<Housekeeper>.Instance).TidyAsync(TestContext.Current.CancellationToken);

        var log = new TestLog(own);
        foreach (var one in (TestTenant[])[tenant, other])
        {
            (await log.TextsAsync(one.Id, "select subject from inbox_messages where tenant_id = $1")).ShouldBe(["young"]);
            (await log.TextsAsync(one.Id, "select bytes::text from uploads where tenant_id = $1")).ShouldBe(["399"]);
            (await log.TextsAsync(one.Id, "select name from attachments where tenant_id = $1")).ShouldBe(["young", "young"]);
            (await log.TextsAsync(one.Id, "select receiver from handed_mails where tenant_id = $1")).ShouldBe(["young"]);
        }

        (await log.TextsAsync(tenant.Id, "select convert_from(digest, 'UTF8') from taken_messages where $1::uuid is not null")).ShouldBe(["young"]);
    }
}
