using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>The inbox on screens.</summary>
public sealed class InboxTests(TestBrowser browser, SharedWeb shared, TestDatabase database) : IClassFixture<SharedWeb>
{
    [Fact]
    public async Task Who_may_write_is_said_and_a_message_is_tried_by_that()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await using var screen = await browser.OpenAsync(shared.Web, tenant);
        await screen.GoAsync($"/t/{tenant.Slug}/inbox");
        await screen.Page.GetByLabel("The message as it is sent").FillAsync("From: bob@shop.test\nSubject: Room 7\n\nPlease look.\n-- \nBob");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Try it" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Name = "It would be refused" })).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Status)).ToContainTextAsync("bob@shop.test is none of them");

        await screen.GoAsync($"/t/{tenant.Slug}/settings/inbox");
        await screen.Page.GetByRole(AriaRole.Textbox, new() { Name = "Listed senders and domains" }).FillAsync("no address");
        await screen.Page.GetByRole(AriaRole.Radio, new() { Name = "Listed" }).CheckAsync();
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("is neither an address");
        await screen.Page.GetByRole(AriaRole.Textbox, new() { Name = "Listed senders and domains" }).FillAsync("shop.test");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByText("Saved. It holds for mail")).ToBeVisibleAsync();
        await screen.ShouldBeAccessibleAsync();

        await screen.GoAsync($"/t/{tenant.Slug}/inbox");
        await screen.GiveFileAsync(screen.Page.GetByLabel("Or a file"), new FilePayload { Name = "a.eml", MimeType = "message/rfc822", Buffer = "From: bob@shop.test\nSubject: Room 7\n\nPlease look.\n-- \nBob"u8.ToArray() });
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Name = "It would begin a process" })).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Status)).ToContainTextAsync("The tenant has listed shop.test.");
        await Assertions.Expect(screen.Page.Locator(".parse").GetByText("mail_subject")).ToBeVisibleAsync();
        await screen.ShouldBeAccessibleAsync();
    }

    [Fact]
    public async Task What_came_in_stands_there_with_what_it_became_and_why_and_no_other_tenants_does()
    {
        var (own, other) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        foreach (var (tenant, subject) in new[] { (own, "Price?"), (other, "Not yours") })
        {
            await tenant.PrepareAsync(
                $"""
                insert into inbox_messages (tenant_id, id, at, mailbox, sender, delivered_to, subject, text, kind, bytes, spf, dkim, dmarc, state, why, code, reason)
                values ($1, gen_random_uuid(), now(), 'inbox', 'bob@shop.test', 'acme@in.example.com', '{subject}', 'How much is it?', 'ordinary', 900, 'pass', 'none', 'fail', 'refused', '{"{It is an ordinary message.,Bob is none of them.}"}', 'not_allowed', 'Bob is none of them.')
                """);
        }

        await using var screen = await browser.OpenAsync(shared.Web, own);
        await screen.GoAsync($"/t/{own.Slug}/inbox");

        var row = screen.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = "Price?" });
        await Assertions.Expect(row).ToContainTextAsync("Bob is none of them.");
        await Assertions.Expect(screen.Page.GetByText("Not yours")).ToHaveCountAsync(0);
        await row.GetByRole(AriaRole.Button, new() { Name = "Price?" }).ClickAsync();
        var dialog = screen.Page.GetByRole(AriaRole.Dialog);
        await Assertions.Expect(dialog).ToContainTextAsync("How much is it?");
        await Assertions.Expect(dialog).ToContainTextAsync("It is an ordinary message.");
        await screen.ShouldBeAccessibleAsync();
    }

    [Fact]
    public async Task Older_messages_are_a_page_further()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await tenant.PrepareAsync(
            """
            insert into inbox_messages (tenant_id, id, at, mailbox, sender, delivered_to, subject, text, kind, bytes, spf, dkim, dmarc, state, why, code, reason)
            select $1, gen_random_uuid(), timestamptz '2026-11-28 12:00Z' - n / 2 * interval '1 minute', 'inbox', 'bob@shop.test', 'acme@in.example.com', 'message ' || n, 'x', 'ordinary', 900, 'pass', 'none', 'fail', 'refused', '{}', 'not_allowed', 'No.'
            from generate_series(0, 202) n
            """);
        await using var screen = await browser.OpenAsync(shared.Web, tenant);
        await screen.GoAsync($"/t/{tenant.Slug}/inbox");
        var rows = screen.Page.Locator("tr[data-row]");

        await Assertions.Expect(rows).ToHaveCountAsync(200);
        await screen.Page.GetByRole(AriaRole.Link, new() { Name = "Older" }).ClickAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(3);
        await Assertions.Expect(rows.Last).ToContainTextAsync("message 202");
        // It stands in the address.
        await screen.GoAsync(new Uri(screen.Page.Url).PathAndQuery);
        await Assertions.Expect(rows).ToHaveCountAsync(3);
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Link, new() { Name = "Older" })).ToHaveCountAsync(0);
        await screen.Page.GetByRole(AriaRole.Link, new() { Name = "Newest" }).ClickAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(200);
    }
}
