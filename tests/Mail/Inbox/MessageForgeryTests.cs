using System.Text;
using Eddy.Mail.Inbox;

namespace Eddy.Tests.Mail.Inbox;

/// <summary>Strangers who write as if they were ann@acme.test.</summary>
public sealed class MessageForgeryTests
{
    private const string Name = "mx.in.example.com";

    [Theory]
    [InlineData($"Authentication-Results: {Name}; dmarc=pass header.from=evil.test")]
    [InlineData($"Authentication-Results: {Name}; dmarc=pass")]
    [InlineData($"Authentication-Results: {Name}; dmarc=pass header.from=acme.test.evil.test")]
    [InlineData($"Authentication-Results: {Name}; dmarc=fail (dmarc=pass header.from=acme.test) header.from=acme.test")]
    [InlineData($"Authentication-Results: {Name}; spf=pass smtp.mailfrom=ann@acme.test@evil.test")]
    [InlineData($"Authentication-Results: {Name}; spf=pass smtp.helo=acme.test")]
    [InlineData($"Authentication-Results: {Name}; dkim=pass header.d=test")]
    [InlineData($"Authentication-Results: {Name}; dkim=pass header.d=mail.acme.test")]
    [InlineData($"Authentication-Results: {Name}; dkim=pass header.d=evil.test header.i=@acme.test")]
    [InlineData($"Authentication-Results: evil.test; dmarc=pass header.from=acme.test\r\nAuthentication-Results: {Name}; dmarc=pass header.from=acme.test")]
    [InlineData($"Authentication-Results: {Name}; dmarc=fail header.from=acme.test\r\nAuthentication-Results: {Name}; dmarc=pass header.from=acme.test")]
    [InlineData($"Authentication-Results: {Name}; dmarc=none\r\nReceived: by evil.test; Sat, 28 Nov 2026 12:00:00 +0000\r\nAuthentication-Results: {Name}; spf=pass smtp.mailfrom=acme.test; dkim=pass header.d=acme.test")]
    [InlineData($"Authentication-Results: evil.test ({Name}); dmarc=pass header.from=acme.test")]
    [InlineData($"Authentication-Results: (\r\n {Name};) evil.test; dmarc=pass header.from=acme.test")]
    [InlineData($"ARC-Authentication-Results: i=1; {Name}; dmarc=pass header.from=acme.test")]
    [InlineData($"X-Authentication-Results: {Name}; dmarc=pass header.from=acme.test")]
    [InlineData("Received-SPF: pass (acme.test) client-ip=192.0.2.1; envelope-from=ann@acme.test")]
    public async Task Nobody_vouches_for_them_by_headers_that_say_something_else(string headers) =>
        (await ReadAsync($"{headers}\r\nFrom: ann@acme.test")).Verdicts.VouchedBy("acme.test").ShouldBeNull();

    /// <summary>Whatever is read there, no server said that it is Ann's.</summary>
    [Theory]
    [InlineData("From: ann@acme.test <x@evil.test>")]
    [InlineData("From: \"ann@acme.test\" <x@evil.test>")]
    [InlineData("From: =?utf-8?q?ann=40acme=2Etest?= <x@evil.test>")]
    [InlineData("From: <x@evil.test> (ann@acme.test)")]
    [InlineData("From: ann@acme.test, x@evil.test")]
    [InlineData("From: x@evil.test, ann@acme.test")]
    [InlineData("From: people: x@evil.test, ann@acme.test;")]
    [InlineData("From: people: ann@acme.test;")]
    [InlineData("From: <@evil.test:ann@acme.test>")]
    [InlineData("From: \"x@evil.test\"@acme.test")]
    [InlineData("From: <ann@acme.test><x@evil.test>")]
    [InlineData("From: x@evil.test\r\nFrom: ann@acme.test")]
    [InlineData("From: ann@acme.test\r\nFrom: x@evil.test")]
    [InlineData("From : ann@acme.test\r\nFrom: x@evil.test")]
    [InlineData("From: ann@acme.test\0 <x@evil.test>")]
    [InlineData("From:\r\n ann@acme.test\r\n\t<x@evil.test>")]
    [InlineData("From: ann@acme.test.\r\nSender: x@evil.test")]
    public async Task A_From_that_is_written_oddly_is_nobodys_whom_its_server_did_not_name(string from)
    {
        var mail = await ReadAsync($"Authentication-Results: {Name}; spf=pass smtp.mailfrom=x@evil.test; dkim=pass header.d=evil.test; dmarc=pass header.from=evil.test\r\n{from}");

        (mail.From == "ann@acme.test" && mail.Verdicts.VouchedBy(mail.FromDomain) is not null).ShouldBeFalse(mail.From);
    }

    [Theory]
    [InlineData("<>")]
    [InlineData("< >")]
    [InlineData("")]
    public async Task An_empty_return_path_says_that_nothing_shall_go_back(string path) => (await ReadAsync($"Return-Path: {path}\r\nFrom: ann@acme.test")).ReturnPath.ShouldBe("");

    /// <summary>Whoever forwards or answers such a mail has not seen it.</summary>
    [Theory]
    [InlineData("<span style=\"display: none\">paid := true</span>")]
    [InlineData("<b style='display:none'>paid := true</b>")]
    [InlineData("<p hidden>paid := true</p>")]
    [InlineData("<font style=\"font-size:0px;color:#fff\">paid := true</font>")]
    [InlineData("<li style=\"visibility:hidden\">paid := true</li>")]
    [InlineData("<div style=\"max-height:0;overflow:hidden\"><i>paid := true</i></div>")]
    [InlineData("<a style=\"opacity: 0 !important\">paid := true</a>")]
    [InlineData("<div style=\"mso-hide:all\">paid := true</div>")]
    [InlineData("<div style=\"display:/* */none\">paid := true</div>")]
    [InlineData("<template>paid := true</template><noscript hidden>paid := true</noscript>")]
    public async Task What_is_hidden_in_HTML_is_not_read(string html)
    {
        var mail = await ReadHtmlAsync($"<p>Hello.</p>{html}<p>room := 7</p>");

        mail.NewText.ShouldNotContain("paid");
        mail.NewText.ShouldContain("Hello.");
        mail.NewText.ShouldContain("room := 7");
    }

    [Theory]
    [InlineData("<span style=\"font-size:0.9em\">room := 7</span>")]
    [InlineData("<span style=\"opacity:0.5\">room := 7</span>")]
    [InlineData("<ul><li style=\"display:none\">x<li>room := 7</ul>")]
    public async Task What_is_seen_in_HTML_is_read(string html) => (await ReadHtmlAsync($"<p>Hello.</p>{html}")).NewText.ShouldContain("room := 7");

    [Fact]
    public async Task However_deep_HTML_is_nothing_hidden_in_it_is_read()
    {
        var html = $"<p>Hello.</p>{string.Concat(Enumerable.Repeat("<div>", 2_000))}<span style=\"display:none\">paid := true</span><blockquote type=\"cite\">sum := 1</blockquote>";

        (await ReadHtmlAsync(html)).NewText.ShouldBe("Hello.");
    }

    /// <summary>Many programs do not end their paragraphs.</summary>
    [Fact]
    public async Task Paragraphs_that_are_not_ended_are_not_inside_one_another() =>
        (await ReadHtmlAsync(string.Concat(Enumerable.Range(0, 1_000).Select(i => $"<p>line {i}")))).NewText.ShouldContain("line 999");

    private static Task<IncomingMail> ReadHtmlAsync(string html) => ReadAsync("From: ann@acme.test\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8", html);

    private static async Task<IncomingMail> ReadAsync(string headers, string text = "Hello.") =>
        (await MessageReader.ReadAsync(Encoding.UTF8.GetBytes($"{headers}\r\nSubject: s\r\n\r\n{text}\r\n"), TestMessages.Settings, keys: null, TestContext.Current.CancellationToken)).ShouldBeOfType<MessageReading.Read>().Mail;
}
