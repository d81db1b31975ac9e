using AngleSharp.Html.Parser;
using CsCheck;
using Eddy.Kvps;
using Eddy.Mail;

namespace Eddy.Tests.Mail;

/// <summary>What Markdown, HTML and values become in a mail's HTML.</summary>
public sealed class MailHtmlTests
{
    private static readonly string[] Elements =
    [
        "a", "b", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol", "p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead",
        "tr", "u", "ul",
    ];

    /// <summary>What Markdown, HTML and their browsers make something of.</summary>
    private static readonly string[] Hostile =
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<a href='javascript:alert(1)'>x</a>", "[x](javascript:alert(1))", "![x](https://evil.test/p.png)", "<https://evil.test>", "</p>", "</a>",
        "**", "__", "`", "```\n", "\n\n# Heading\n\n", "\n- item", "> quote", "[ref]: https://evil.test\n", "|a|b|\n|-|-|\n", "&lt;script&gt;", "&#x3c;b&#x3e;", "<!--", "-->", "<![CDATA[", "\" onmouseover=\"alert(1)",
        "<style>*{}</style>", "<svg><a xlink:href='javascript:alert(1)'>", "<math><mtext></p>", "\\", "{{room}}", "javascript:alert(1)", "https://evil.test", "\u0000".Replace('\0', '\u0001'), "é😀\u202E", "\t    ", "<", ">", "0q", "0x0q",
    ];

    private static readonly string[] Templates =
        ["{{v}}", "a {{v}} b", "# {{v}}", "- {{v}}\n- {{v}}", "*{{v}}* `{{v}}`", "<b>{{v}}</b>", "> {{v}}", "    {{v}}", "```\n{{v}}\n```"];

    [Theory]
    [InlineData("It is **{{temperature}}** in _{{room}}_.", "<p>It is <strong>95</strong> in <em>attic</em>.</p>")]
    [InlineData("# {{room}}\n\n- {{temperature}}", "<h1>attic</h1>\n<ul>\n<li>95</li>\n</ul>")]
    [InlineData("one\ntwo", "<p>one<br>\ntwo</p>")]
    [InlineData("`{{room}}`", "<p><code>attic</code></p>")]
    [InlineData("<b>{{room}}</b>", "<p><b>attic</b></p>")]
    [InlineData("<{{room}}>", "<p>&lt;attic&gt;</p>")]
    [InlineData("[open](https://acme.test/rooms/{{room}})", "<p><a href=\"https://acme.test/rooms/attic\">open</a></p>")]
    [InlineData("{{cards.welcome}}", "<p><a href=\"https://eddy.example/cards/welcome?pid=15\">https://eddy.example/cards/welcome?pid=15</a></p>")]
    [InlineData("[card]({{cards.welcome}})", "<p><a href=\"https://eddy.example/cards/welcome?pid=15\">card</a></p>")]
    public void Markdown_is_made_up_and_values_stand_in_it(string text, string html) => Html(text).ShouldBe(html);

    [Theory]
    [InlineData("<script>alert(1)</script>after")]
    [InlineData("<img src=x onerror=alert(1)>after")]
    [InlineData("<b onclick='alert(1)' style='x:y' class=z id=a>after</b>")]
    [InlineData("<a href='javascript:alert(1)'>after</a>")]
    [InlineData("[after](javascript:alert(1))")]
    [InlineData("[after](java{{colon}}script:alert(1))")]
    [InlineData("[after](data:text/html;base64,PHNjcmlwdD4=)")]
    [InlineData("[after](/relative)")]
    [InlineData("![x](https://evil.test/p.png)after")]
    [InlineData("<iframe src=https://evil.test></iframe>after")]
    [InlineData("<form action=https://evil.test><input></form>after")]
    [InlineData("<svg><script>alert(1)</script></svg>after")]
    [InlineData("<style>@import 'https://evil.test'</style>after")]
    public void What_a_rule_writes_is_reduced_to_what_mail_may_have(string text)
    {
        var html = Html(text).ShouldNotBeNull();

        html.ShouldContain("after");
        html.ShouldNotContain("alert(1)");
        html.ShouldNotContain("evil.test");
        html.ShouldNotContain("href");
        html.ShouldNotContain("style");
        html.ShouldNotContain("base64");
    }

    [Fact]
    public void A_value_is_text_whatever_it_is()
    {
        foreach (var value in Hostile)
        {
            Check("before {{v}} after", value);
            Check("**{{v}}**\n\n- {{v}}\n\n> {{v}}", value);
            Check("{{v}}", value);
        }
    }

    [Fact]
    public void A_value_of_any_pieces_in_any_text_is_text() =>
        Gen.Select(Gen.Int[0, Hostile.Length - 1].Array[1, 6], Gen.Int[0, Templates.Length - 1])
            .Sample((pieces, template) => Check(Templates[template], string.Concat(pieces.Select(piece => Hostile[piece]))), iter: 300);

    [Theory]
    [InlineData("[x]({{v}})", "https://acme.test/a?b=c", "https://acme.test/a?b=c")]
    [InlineData("[x]({{v}}/path)", "https://acme.test", "https://acme.test/path")]
    [InlineData("[x](https://acme.test/{{v}})", "../../evil?x=\"><script>", "https://acme.test/..%2F..%2Fevil%3Fx%3D%22%3E%3Cscript%3E")]
    [InlineData("[x](https://{{v}}/path)", "acme.test", "https://acme.test/path")]
    [InlineData("[x](mailto:{{v}})", "a?b@acme.test", "mailto:a%3Fb@acme.test")]
    [InlineData("[x](mailto:a@acme.test?subject={{v}})", "b&bcc=c@d.test", "mailto:a@acme.test?subject=b%26bcc%3Dc%40d.test")]
    [InlineData("[x](https://acme.test{{v}})", ".evil.test", null)]
    [InlineData("[x](https://acme.test{{v}})", "@evil.test", null)]
    [InlineData("[x](https://{{v}}/path)", "evil.test/x@acme.test", null)]
    [InlineData("[x](mailto:{{v}})", "a@b.test?bcc=c@d.test", null)]
    [InlineData("[x]({{v}})", "javascript:alert(1)", null)]
    [InlineData("[x]({{v}})", " java\tscript:alert(1)", null)]
    [InlineData("[x]({{v}})", "data:text/html,x", null)]
    [InlineData("[x]({{v}})", "//evil.test", null)]
    [InlineData("[x]({{v}})", "https://acme.test/\" onclick=\"x", null)]
    [InlineData("[x](java{{v}})", "script:alert(1)", null)]
    public void A_link_goes_where_its_rule_says(string template, string value, string? address)
    {
        var link = new HtmlParser().ParseDocument(Html(template, ("v", KvpValue.FromText(value)))!).QuerySelectorAll("a").ShouldHaveSingleItem();

        link.TextContent.ShouldBe("x");
        link.GetAttribute("href").ShouldBe(address);
        link.Attributes.Length.ShouldBe(address is null ? 0 : 1);
    }

    [Theory]
    [InlineData("> ")]
    [InlineData("[")]
    [InlineData("*a **b ")]
    [InlineData("<b>")]
    [InlineData("<div><p>")]
    [InlineData("<table><tr><td>")]
    [InlineData("- ")]
    [InlineData("1. ")]
    [InlineData("[a](b")]
    public void Whatever_is_repeated_comes_to_an_end(string piece)
    {
        // Nested deep enough it goes out as text alone.
        var html = Html(string.Concat(Enumerable.Repeat(piece, MailHtml.MostCharacters / piece.Length)));

        (html?.Length ?? 0).ShouldBeLessThan(MailHtml.MostCharacters * 10);
    }

    [Fact]
    public void What_is_too_long_goes_out_as_text_alone()
    {
        Html(new string('x', MailHtml.MostCharacters)).ShouldNotBeNull();
        Html(new string('x', MailHtml.MostCharacters + 1)).ShouldBeNull();
    }

    private static void Check(string template, string value)
    {
        var with = new HtmlParser().ParseDocument(Html(template, ("v", KvpValue.FromText(value))) ?? "");
        var without = new HtmlParser().ParseDocument(Html(template, ("v", "\"word\"")) ?? "");

        // The same elements as around a harmless word, but for the breaks of its lines.
        with.Body!.QuerySelectorAll("*").Select(one => one.LocalName).Where(name => name != "br").ShouldBe(without.Body!.QuerySelectorAll("*").Select(one => one.LocalName).Where(name => name != "br"), value);
        with.QuerySelectorAll("body *").ShouldAllBe(one => Elements.Contains(one.LocalName) && one.Attributes.Length == 0);
        Flat(with.Body!.TextContent).ShouldBe(Flat(without.Body!.TextContent.Replace("word", value, StringComparison.Ordinal)), value);
    }

    // Line breaks are elements.
    private static string Flat(string text) => text.ReplaceLineEndings("").Replace("\u0001", "", StringComparison.Ordinal);

    private static string? Html(string text, params (string Key, string Value)[] kvps) => MailHtml.Of(MailTemplate.Parse(text), MailTemplateTests.Values(kvps));
}
