using Eddy.Mail;
using Eddy.Mail.Delivery;
using Eddy.Mail.Inbox;
using Eddy.Secrets;
using Eddy.Tests.Secrets;
using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>The outbox on screens, and the page of a receiver who wants no more.</summary>
public sealed class OutboxTests(TestBrowser browser, TestDatabase database)
{
    [Fact, Trait("Category", "Long")]
    public async Task A_receiver_unsubscribes_on_a_page_and_an_owner_sees_it_and_lifts_it()
    {
        var line = TestSecrets.Line("one");
        await using var web = await TestWeb.StartAsync(database, "Secrets:MasterKeyFile=" + TestSecrets.File(line), "Mail:Smtp:Host=127.0.0.1", "Mail:Smtp:Domain=eddy.test");
        var tenant = await TestTenant.MakeAsync(database);
        var mail = new MailOptions { Site = "https://eddy.test" };
        var link = new UnsubscribeLinks(TestSecrets.Masters(line), mail, new InboxAddresses(mail.Inbox, MasterKeys.None)).For(tenant.Id, tenant.Slug, "anna@shop.test")!.Link!;
        await tenant.PrepareAsync(
            """
            insert into outbox (tenant_id, id, run, pid, at, receivers, subject, text, state, tries, ended_at, delivered, refused, error)
            values ($1, 1001, 1, 15, now(), '{anna@shop.test,bob@shop.test}', 'The price (PID:15)', 'It is 12.', 'partly', 1, now(), '{bob@shop.test}',
              '{"anna@shop.test": "anna@shop.test has unsubscribed on 2026-11-28; owners and editors can lift that in the outbox."}', 'anna@shop.test has unsubscribed on 2026-11-28; owners and editors can lift that in the outbox.')
            """);
        await using var receiver = await browser.OpenAsync(web);
        await receiver.Page.GotoAsync(new Uri(link).AbsolutePath);

        await Assertions.Expect(receiver.Page.GetByRole(AriaRole.Heading, new() { Name = $"No more mail of {tenant.Slug}?" })).ToBeVisibleAsync();
        await receiver.ShouldBeAccessibleEverywhereAsync();
        await receiver.Page.GetByRole(AriaRole.Button, new() { Name = "Unsubscribe" }).ClickAsync();
        await Assertions.Expect(receiver.Page.GetByRole(AriaRole.Heading, new() { Name = "You are unsubscribed" })).ToBeVisibleAsync();
        await receiver.Page.GotoAsync(new Uri(link).AbsolutePath + "0");
        await Assertions.Expect(receiver.Page.GetByRole(AriaRole.Heading, new() { Name = "This link is not good" })).ToBeVisibleAsync();

        await using var owner = await browser.OpenAsync(web, tenant);
        await owner.GoAsync($"/t/{tenant.Slug}/outbox");
        await owner.Page.GetByRole(AriaRole.Button, new() { Name = "The price (PID:15)" }).ClickAsync();
        var dialog = owner.Page.GetByRole(AriaRole.Dialog);
        await Assertions.Expect(dialog.GetByText("has unsubscribed on 2026-11-28")).ToHaveCountAsync(1);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await owner.ShouldBeAccessibleAsync();
        await owner.Page.GetByRole(AriaRole.Button, new() { Name = "Lift for anna@shop.test" }).ClickAsync();
        await Assertions.Expect(owner.Page.GetByRole(AriaRole.Heading, new() { Name = "Unsubscribed" })).ToHaveCountAsync(0);
        await owner.GoAsync($"/t/{tenant.Slug}/outbox");
        await Assertions.Expect(owner.Page.GetByRole(AriaRole.Heading, new() { Name = "Mails" })).ToBeVisibleAsync();
        await Assertions.Expect(owner.Page.GetByRole(AriaRole.Heading, new() { Name = "Unsubscribed" })).ToHaveCountAsync(0);
    }
}
