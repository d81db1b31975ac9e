using System.Text;
using Eddy.Mail.Delivery;
using Eddy.Mail.Inbox;
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
        message.Headers[MessageKinds.OwnHeader].ShouldBe("acme");
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

    [Fact]
    public void It_says_how_to_have_no_more_in_headers_that_programs_know_and_that_are_whole()
    {
        var unsubscribe = new ListUnsubscribe($"https://eddy.test/unsubscribe/acme/{new string('a', 300)}/{new string('0', 32)}", "mailto:acme+u.abcdefghijklmnop@in.test?subject=unsubscribe%20anna%40x.test");
        var message = OutgoingMessage.Of(Mail(), new Parcel(["anna@x.test"], ["anna@x.test"], unsubscribe), "eddy.test", null);
        message.Prepare(EncodingConstraint.SevenBit);
        using var bytes = new MemoryStream();
        message.WriteTo(bytes, TestContext.Current.CancellationToken);

        // In no line is an address broken: not all programs put it together again.
        var text = Encoding.ASCII.GetString(bytes.ToArray());
        text.ShouldContain($"<{unsubscribe.Link}>");
        text.ShouldContain($"<{unsubscribe.Mail}>");
        Written(Mail(), unsubscribe: unsubscribe).Headers[HeaderId.ListUnsubscribe].ShouldBe($"<{unsubscribe.Link}>, <{unsubscribe.Mail}>");
        Written(Mail(), unsubscribe: unsubscribe).Headers["List-Unsubscribe-Post"].ShouldBe("List-Unsubscribe=One-Click");
        // Without an address of the web there is no one click.
        Written(Mail(), unsubscribe: unsubscribe with { Link = null }).Headers["List-Unsubscribe-Post"].ShouldBeNull();
        Written(Mail(), unsubscribe: unsubscribe with { Link = "http://eddy.test/x" }).Headers["List-Unsubscribe-Post"].ShouldBeNull();
        Written(Mail()).Headers[HeaderId.ListUnsubscribe].ShouldBeNull();
    }

    [Fact]
    public void Who_belongs_to_the_tenant_shares_one_message_and_everybody_else_has_one_of_their_own()
    {
        var mail = Mail() with { Receivers = ["ann@acme.test", "x@shop.test", "bob@acme.test", "y@shop.test", "z@shop.test"] };

        var parcels = Parcel.Of(mail, ["ann@acme.test", "x@shop.test", "bob@acme.test", "z@shop.test"], new HashSet<string> { "ann@acme.test", "bob@acme.test" }, one => new ListUnsubscribe($"https://eddy.test/{one}", null));

        parcels.Select(parcel => string.Join(' ', parcel.Receivers)).ShouldBe(["ann@acme.test bob@acme.test", "x@shop.test", "z@shop.test"]);
        parcels[0].To.ShouldBe(mail.Receivers);
        parcels[0].Unsubscribe.ShouldBeNull();
        parcels[1].To.ShouldBe(["x@shop.test"]);
        parcels[1].Unsubscribe!.Header.ShouldBe("<https://eddy.test/x@shop.test>");
    }

    // As a server has it: written as bytes, and read again.
    private static MimeMessage Written(DueMail mail, string? replyTo = null, ListUnsubscribe? unsubscribe = null)
    {
        var message = OutgoingMessage.Of(mail, new Parcel(mail.Receivers, mail.Receivers, unsubscribe), "eddy.test", replyTo);
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
