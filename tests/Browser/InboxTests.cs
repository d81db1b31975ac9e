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
        await screen.Page.GetByLabel("Or a file").SetInputFilesAsync(new FilePayload { Name = "a.eml", MimeType = "message/rfc822", Buffer = "From: bob@shop.test\nSubject: Room 7\n\nPlease look.\n-- \nBob"u8.ToArray() });
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading, new() { Name = "It would begin a process" })).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Status)).ToContainTextAsync("The tenant has listed shop.test.");
        await Assertions.Expect(screen.Page.Locator(".parse").GetByText("mail_subject")).ToBeVisibleAsync();
        await screen.ShouldBeAccessibleAsync();
    }
}
