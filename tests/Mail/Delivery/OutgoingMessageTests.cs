using System.Text;
using Eddy.Mail.Delivery;
using Eddy.Tenants;
using MimeKit;

namespace Eddy.Tests.Mail;

/// <summary>A mail of the outbox as the message that is sent.</summary>
public sealed class OutgoingMessageTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void It_is_text_and_HTML_with_the_attached_KVPs_as_a_table()
    {
        var message = Written(Mail() with { Html = "<p>Hello</p>", Attached = """{"room": "attic & <b>", "temperature": 95, "at": {"$datetime": "2026-11-28T12:00:00+00:00"}}""", TimeZone = "Europe/Berlin" });

        message.TextBody!.ReplaceLineEndings("\n").ShouldBe("Hello\n\nat: 2026-11-28 13:00\nroom: attic & <b>\ntemperature: 95\n");
        message.HtmlBody!.ShouldContain("<p>Hello</p>");
        message.HtmlBody!.ShouldContain("<tr><th align=\"left\">room</th><td>attic &amp; &lt;b&gt;</td></tr>");
        message.Body.ShouldBeOfType<MultipartAlternative>();
        Written(Mail()).Body.ShouldBeOfType<TextPart>().Text.TrimEnd().ShouldBe("Hello");
    }

    [Fact]
    public void Programs_know_that_no_person_wrote_it_and_we_that_it_is_ours()
    {
        var message = Written(Mail(), "acme+rf.abc@in.test");

        message.Headers[HeaderId.AutoSubmitted].ShouldBe("auto-generated");
        message.Headers[OutgoingMessage.Mark].ShouldBe("acme");
        message.MessageId.ShouldBe("one@eddy.test");
        message.From.ToString().ShouldBe("\"Acme\" <acme@eddy.test>");
        message.ReplyTo.ToString().ShouldBe("acme+rf.abc@in.test");
        message.Date.ShouldBe(At);
    }

    [Fact]
    public void It_stands_in_the_thread_of_its_process()
    {
        var second = Written(Mail() with { Thread = ["first@eddy.test", "second@eddy.test"] });
        var answer = Written(Mail() with { Thread = ["first@eddy.test"], Answers = "theirs@mail.example" });

        second.InReplyTo.ShouldBe("second@eddy.test");
        second.References.ShouldBe(["first@eddy.test", "second@eddy.test"]);
        answer.InReplyTo.ShouldBe("theirs@mail.example");
        answer.References.ShouldBe(["first@eddy.test", "theirs@mail.example"]);
    }

    [Theory]
    [InlineData("x\r\nBcc: evil@x.test")]
    [InlineData("x\nBcc: evil@x.test\n\nbody")]
    [InlineData("x\rBcc: evil@x.test")]
    [InlineData("x\0\u2028Bcc: evil@x.test")]
    [InlineData("=?utf-8?q?x=0D=0ABcc:_evil@x.test?=")]
    [InlineData("\"><evil@x.test>, <other@x.test>")]
    public void Nothing_that_a_tenant_writes_begins_a_header_of_its_own(string text)
    {
        var message = Written(Mail() with { Subject = text, TenantName = text, Answers = text, Attached = $$"""{"k": {{System.Text.Json.JsonSerializer.Serialize(text)}}}""", Html = "<p>x</p>" });

        message.Headers.Select(header => header.Field).Order(StringComparer.Ordinal).ShouldBe(
            ["Auto-Submitted", "Date", "From", "Message-Id", "MIME-Version", "Subject", "To", "X-Auto-Response-Suppress", "X-Eddy-Mail"], ignoreOrder: true);
        message.Bcc.Count.ShouldBe(0);
        message.From.Mailboxes.ShouldHaveSingleItem().Address.ShouldBe("acme@eddy.test");
        message.To.Mailboxes.ShouldHaveSingleItem().Address.ShouldBe("anna@x.test");
    }

    [Fact]
    public void Other_scripts_arrive_as_they_were_written()
    {
        var message = Written(Mail() with { Subject = "Größe 東京 (PID:15)", TenantName = "Müller & Söhne", Text = "Zażółć\n.\nFrom here", Receivers = ["anna@müller.example"] });

        message.Subject.ShouldBe("Größe 東京 (PID:15)");
        message.From.Mailboxes.Single().Name.ShouldBe("Müller & Söhne");
        message.TextBody!.ReplaceLineEndings("\n").TrimEnd().ShouldBe("Zażółć\n.\nFrom here");
    }

    // As a server has it: written as bytes, and read again.
    private static MimeMessage Written(DueMail mail, string? replyTo = null)
    {
        var message = OutgoingMessage.Of(mail, "eddy.test", replyTo);
        message.Prepare(EncodingConstraint.SevenBit);
        using var bytes = new MemoryStream();
        message.WriteTo(bytes);
        Encoding.UTF8.GetString(bytes.ToArray()).ShouldNotContain("\nBcc:", Case.Insensitive);
        bytes.Position = 0;
        return MimeMessage.Load(bytes);
    }

    private static DueMail Mail() => new(new TenantId(Guid.NewGuid()), 1001, Guid.NewGuid(), 15, At, "one@eddy.test", 1, At)
    {
        Slug = "acme", TenantName = "Acme", TimeZone = "UTC", Receivers = ["anna@x.test"], Subject = "Hello (PID:15)", Text = "Hello", Html = null, Attached = null,
    };
}
