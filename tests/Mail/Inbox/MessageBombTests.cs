using System.Text;
using Eddy.Mail.Inbox;

namespace Eddy.Tests.Mail.Inbox;

/// <summary>Messages that are made to be too much: each ends in a sentence, and what is known of it is kept.</summary>
[Trait("Category", "Long")]
public sealed class MessageBombTests
{
    private const string Head = "Delivered-To: acme@in.example.com\r\nFrom: eve@evil.test\r\nSubject: bomb\r\nMessage-ID: <b@evil.test>\r\nMIME-Version: 1.0\r\n";

    [Fact]
    public Task Fifty_megabytes_are_not_taken() => IsRefusedAsync(new StringBuilder(Head).Append("\r\n").Append('x', 50 << 20), "52,4");

    [Fact]
    public Task Parts_inside_one_another_have_an_end()
    {
        var text = new StringBuilder(Head);
        for (var i = 0; i < 50_000; i++)
        {
            text.Append("Content-Type: multipart/mixed; boundary=b").Append(i).Append("\r\n\r\n--b").Append(i).Append("\r\n");
        }

        return IsRefusedAsync(text.Append("Content-Type: text/plain\r\n\r\nx\r\n"), "parts inside one another");
    }

    [Fact]
    public Task Messages_inside_one_another_have_an_end()
    {
        var text = new StringBuilder(Head);
        for (var i = 0; i < 100_000; i++)
        {
            text.Append("Content-Type: message/rfc822\r\n\r\n");
        }

        return IsRefusedAsync(text.Append("\r\nx"), "parts inside one another");
    }

    [Fact]
    public Task A_message_of_a_million_parts_is_not_unpacked()
    {
        var text = new StringBuilder(Head).Append("Content-Type: multipart/mixed; boundary=b\r\n\r\n");
        for (var i = 0; i < 1_000_000; i++)
        {
            text.Append("--b\r\n\r\n\r\n");
        }

        return IsRefusedAsync(text, "more than 500 parts");
    }

    [Fact]
    public Task A_million_headers_are_too_many()
    {
        var text = new StringBuilder(Head);
        for (var i = 0; i < 1_000_000; i++)
        {
            text.Append("X-A: b\r\n");
        }

        return IsRefusedAsync(text.Append("\r\nx"), "more than 2,000 headers");
    }

    [Fact]
    public Task A_header_of_megabytes_is_too_long() => IsRefusedAsync(new StringBuilder(Head).Append("X-Long: ").Append('a', 5 << 20).Append("\r\n\r\nx"), "Its headers have more than");

    [Fact]
    public async Task A_subject_of_a_quarter_megabyte_is_cut()
    {
        var mail = await TestMessages.ReadAsync(Encoding.UTF8.GetBytes($"From: eve@evil.test\r\nSubject: {new string('a', 250_000)}\r\n\r\nx"));

        mail.Subject.Length.ShouldBeLessThan(1_100);
    }

    [Fact]
    public async Task Addresses_by_the_thousand_are_no_sender()
    {
        var mail = await TestMessages.ReadAsync(Encoding.UTF8.GetBytes($"From: {string.Join(", ", Enumerable.Range(0, 20_000).Select(i => $"a{i}@b.test"))}\r\nSubject: x\r\n\r\nx"));

        mail.From.ShouldBeNull();
    }

    [Fact]
    public async Task HTML_that_is_nested_without_end_is_read_tag_by_tag()
    {
        var mail = await TestMessages.ReadAsync(Encoding.UTF8.GetBytes(
            $"From: eve@evil.test\r\nContent-Type: text/html\r\n\r\nroom := 7<br>{string.Concat(Enumerable.Repeat("<blockquote type=cite><div><b>", 200_000))}x{string.Concat(Enumerable.Repeat("</div>", 200_000))}"));

        mail.NewText.ShouldStartWith("room := 7");
    }

    [Fact]
    public async Task A_text_of_megabytes_is_cut_and_says_so()
    {
        var mail = await TestMessages.ReadAsync(Encoding.UTF8.GetBytes($"From: eve@evil.test\r\nContent-Type: text/plain\r\n\r\n{string.Concat(Enumerable.Repeat("On 1 a <b@c.test>\r\n> x\r\n", 300_000))}"));

        mail.Text.Length.ShouldBeLessThanOrEqualTo(TestMessages.Settings.MostTextCharacters);
        mail.Notes.ShouldHaveSingleItem().ShouldContain("cut");
    }

    [Fact]
    public async Task A_signature_of_nothing_but_wrappings_is_no_message()
    {
        // Each level of it is two bytes: what walks into them one by one would go as deep as there are.
        var wrappings = Enumerable.Repeat((byte[])[0x30, 0x80], 300_000).SelectMany(level => level).ToArray();
        var mail = await TestMessages.ReadAsync(Encoding.UTF8.GetBytes(
            $"From: eve@evil.test\r\nContent-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n{Convert.ToBase64String(wrappings, Base64FormattingOptions.InsertLineBreaks)}"));

        mail.Notes.ShouldContain(note => note.Contains("encrypted"));
    }

    [Fact]
    public async Task Attachments_beyond_what_is_taken_are_left_out_and_told()
    {
        var text = new StringBuilder(Head).Append("Content-Type: multipart/mixed; boundary=b\r\n\r\n");
        for (var i = 0; i < 60; i++)
        {
            text.Append("--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nx\r\n");
        }

        var mail = await TestMessages.ReadAsync(Encoding.UTF8.GetBytes(text.Append("--b--\r\n").ToString()));

        mail.Attachments.Count.ShouldBe(50);
        mail.Attachments.Select(one => one.Name).Distinct().Count().ShouldBe(50);
        mail.Notes.ShouldHaveSingleItem().ShouldContain("more than 50 attachments");
    }

    private static async Task IsRefusedAsync(StringBuilder message, string why)
    {
        var refused = (await MessageReader.ReadAsync(Encoding.ASCII.GetBytes(message.ToString()), TestMessages.Settings, keys: null, TestContext.Current.CancellationToken)).ShouldBeOfType<MessageReading.Refused>();

        refused.Why.ShouldContain(why);
        refused.Head.ShouldBe(new MessageHead("acme@in.example.com", "eve@evil.test", "bomb", "b@evil.test"));
    }
}
