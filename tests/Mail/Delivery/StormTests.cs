using Eddy.Mail;
using Eddy.Mail.Delivery;
using Eddy.Mail.Inbox;

namespace Eddy.Tests.Mail;

/// <summary>How many mails may go out within an hour.</summary>
public sealed class StormTests(TestDatabase database, MailServers servers)
{
    private static readonly StormLimits Few = new(PerThread: 3, PerPerson: 2, PerTenant: 5);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_process_a_receiver_and_a_tenant_have_their_limits_within_an_hour()
    {
        var (outbox, tenant) = (new TestOutbox(database, new SmtpOptions()), await TestTenant.MakeAsync(database));
        var began = outbox.Clock.GetUtcNow();

        (await AdmitAsync(outbox, tenant, 1, 15, "a@x.test", "b@x.test", "c@x.test", "d@x.test")).ShouldBe([null, null, null, StormLimit.Process]);
        (await AdmitAsync(outbox, tenant, 5, 15, "a@x.test", "g@x.test")).ShouldBe([StormLimit.Circle, StormLimit.Process]);
        // In whatever letters.
        (await AdmitAsync(outbox, tenant, 2, 16, "A@x.test", "e@x.test")).ShouldBe([null, null]);
        (await AdmitAsync(outbox, tenant, 3, 17, "a@X.test", "f@x.test")).ShouldBe([StormLimit.Receiver, StormLimit.Tenant]);

        var held = (await outbox.Queue.AdmitAsync(Mail(tenant, 3, 17), ["f@x.test"], Few, Cancel)).ShouldHaveSingleItem();
        held.Until.ShouldBeInRange(began.AddHours(1).AddSeconds(-1), outbox.Clock.GetUtcNow().AddHours(1));
        outbox.Clock.Turn(TimeSpan.FromHours(1) + TimeSpan.FromMinutes(5));
        (await AdmitAsync(outbox, tenant, 4, 15, "a@x.test", "d@x.test", "f@x.test")).ShouldBe([null, null, null]);
    }

    [Fact]
    public async Task A_mail_counts_once_for_all_its_tries_and_another_tenants_do_not_count()
    {
        var (outbox, tenant, other) = (new TestOutbox(database, new SmtpOptions()), await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));

        for (var i = 0; i < 10; i++)
        {
            (await AdmitAsync(outbox, tenant, 1, 15, "a@x.test", "b@x.test")).ShouldBe([null, null]);
        }

        (await AdmitAsync(outbox, tenant, 2, 15, "a@x.test", "b@x.test")).ShouldBe([null, StormLimit.Circle]);
        (await AdmitAsync(outbox, other, 1, 15, "a@x.test", "b@x.test", "c@x.test")).ShouldBe([null, null, null]);
    }

    [Fact]
    public async Task Two_workers_never_both_find_the_last_place()
    {
        var (outbox, tenant) = (new TestOutbox(database, new SmtpOptions()), await TestTenant.MakeAsync(database));
        var limits = StormLimits.Out with { PerPerson = 5 };

        var admitted = await Task.WhenAll(Enumerable.Range(1, 20).Select(async id => (await outbox.Queue.AdmitAsync(Mail(tenant, id, id), ["a@x.test"], limits, Cancel))[0].Limit));

        admitted.Count(limit => limit is null).ShouldBe(5);
        admitted.Count(limit => limit == StormLimit.Receiver).ShouldBe(15);
    }

    [Fact]
    public async Task What_goes_in_a_circle_is_not_sent_and_what_is_many_goes_on_the_next_hour_while_the_platforms_own_do_not_wait()
    {
        await servers.StartAsync();
        var own = await database.OfItsOwnAsync();
        var (tenant, domain) = (await TestTenant.MakeAsync(own), servers.MakeDomain());
        var outbox = new TestOutbox(own, servers.Options());
        await outbox.HandAsync(tenant, StormLimits.Out.PerThread - 10, 15);
        await outbox.HandAsync(tenant, 10, 15, $"bert@{domain}");
        await outbox.HandAsync(tenant, StormLimits.Out.PerPerson, 16, $"anna@{domain}");
        var circle = await outbox.PutAsync(tenant, [$"bert@{domain}"], pid: 15);
        var batch = await outbox.PutAsync(tenant, [$"dora@{domain}"], pid: 15);
        var many = await outbox.PutAsync(tenant, [$"anna@{domain}", $"carl@{domain}"], pid: 17);
        await outbox.PutPlatformAsync($"anna@{domain}", "Confirm your address");

        await using (outbox.StartCourier())
        {
            await outbox.UntilAsync(tenant, circle, "the circle is cut", (state, _) => state == MailState.Failed);
            await Patience.UntilAsync("the batch waits", Patience.Long, async () => (await outbox.LookAsync(tenant, batch)).Error is not null);
            (await outbox.LookAsync(tenant, batch)).Error!.ShouldStartWith("Within an hour mails about process 15 went to 60 receivers, which is the limit. It waits, and goes on at ");
            await Patience.UntilAsync("the other waits", Patience.Long, async () => (await outbox.LookAsync(tenant, many)).Error is not null);
            var (state, tries, error, _, _) = await outbox.LookAsync(tenant, many);
            (state, tries).ShouldBe((MailState.Waiting, 1));
            error!.ShouldStartWith($"Within an hour anna@{domain} was sent 60 mails, which is the limit. It waits, and goes on at ");
            (await servers.ReadAsync(domain, 2)).Select(message => message.Headers["Envelope-to"] + " " + message.Subject).Order(StringComparer.Ordinal)
                .ShouldBe([$"anna@{domain} Confirm your address", $"carl@{domain} Hello"]);

            outbox.Clock.Turn(TimeSpan.FromMinutes(65));
            await outbox.UntilAsync(tenant, many, "it has gone on", (now, _) => now == MailState.Sent);
            await outbox.UntilAsync(tenant, batch, "the batch, too", (now, _) => now == MailState.Sent);
        }

        var cut = await outbox.LookAsync(tenant, circle);
        cut.Tries.ShouldBe(0);
        cut.Refused[$"bert@{domain}"].ShouldStartWith($"Within an hour mails about process 15 went to 60 receivers, which is the limit, and to bert@{domain} again and again: a rule seems to send in a circle. It is not sent; from ");
        (await servers.ReadAsync(domain, 4)).Count(message => message.Subject == "Hello").ShouldBe(3);
    }

    private static async Task<IEnumerable<StormLimit?>> AdmitAsync(TestOutbox outbox, TestTenant tenant, long id, long pid, params string[] receivers) =>
        (await outbox.Queue.AdmitAsync(Mail(tenant, id, pid), receivers, Few, Cancel)).Select(one => one.Limit);

    private static DueMail Mail(TestTenant tenant, long id, long pid) => new(tenant.Id, (id * 1000) + 1, Guid.NewGuid(), pid, DateTimeOffset.UnixEpoch, "m@eddy.test", 1, DateTimeOffset.UnixEpoch)
    {
        Slug = "acme", TenantName = "Acme", TimeZone = "UTC", Receivers = ["a@x.test"], Subject = "s", Text = "t", Html = null, Attached = null,
    };
}
