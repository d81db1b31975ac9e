using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using Eddy.Cards;
using Eddy.Kvps;

namespace Eddy.Tests.Cards;

public sealed class CardPageTests
{
    /// <summary>A card with every element, each showing and naming the KVP <c>x</c> in one way or another.</summary>
    private const string Every = """
        <title>{{x}}</title>
        <h1>{{x}}</h1>
        <eddy-text name="text" label="{{x}}" help="{{x}}" placeholder="{{x}}" default="{{x}}"></eddy-text>
        <eddy-textarea name="textarea" default="{{x}}"></eddy-textarea>
        <eddy-number name="number" default="{{x}}"></eddy-number>
        <eddy-yes-no name="yes_no" label="{{x}}" default="{{x}}"></eddy-yes-no>
        <eddy-yes-no name="yes_no_2" as="radio"></eddy-yes-no>
        <eddy-choice name="choice" options="{{list}}" placeholder="{{x}}"></eddy-choice>
        <eddy-choice name="choice_2" options="{{dict}}" as="radio"></eddy-choice>
        <eddy-checklist name="checklist" options="{{list}}" default="{{x}}"></eddy-checklist>
        <eddy-date name="date" default="{{x}}"></eddy-date>
        <eddy-time name="time"></eddy-time>
        <eddy-date-time name="date_time"></eddy-date-time>
        <eddy-email name="email"></eddy-email>
        <eddy-phone name="phone"></eddy-phone>
        <eddy-list name="list"></eddy-list>
        <eddy-dictionary name="dict"></eddy-dictionary>
        <eddy-file name="file"></eddy-file>
        <eddy-submit name="sent" value="1" label="{{x}}"></eddy-submit>
        <p title="{{x}}" data-x='{{x}}' class={{x}} onclick="go('{{x}}')" style="color: {{x}}" id="{{x}}"><b>{{x}}</b>{{shared.x}}</p>
        <a href="{{x}}">whole</a> <a href="https://acme.test/{{x}}">part</a> <a href="java{{x}}">begun</a> <a href="javascript:{{x}}">mad</a> <a href="//{{x}}">host</a>
        <img src="{{x}}" alt="{{x}}"> <iframe src="{{x}}" srcdoc="{{x}}"></iframe> <object data="{{x}}"></object> <svg><a xlink:href="{{x}}"><text>{{x}}</text></a><style>{{x}}</style></svg>
        <textarea>{{x}}</textarea> <noscript><p title="{{x}}">{{x}}</p></noscript> <style>{{x}}</style> <script>let x = "{{x}}";</script> <!-- {{x}} --> <select><option value="{{x}}">{{x}}</option></select>
        """;

    public static TheoryData<string> Attacks => new(
        "<script>alert(1)</script>", "\"><script>alert(1)</script>", "' onmouseover='alert(1)", "\" autofocus onfocus=\"alert(1)", "javascript:alert(1)", " JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,<script>alert(1)</script>",
        "</textarea><script>alert(1)</script>", "</title><script>alert(1)</script>", "</style><script>alert(1)</script>", "</script><script>alert(1)</script>", "</noscript><script>alert(1)</script>", "</option></select><script>alert(1)</script>",
        "--><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "{{x}}", "{{shared.secret}}", "&lt;script&gt;", "\\\"><svg onload=alert(1)>", "`onload=alert(1)", "//evil.test", "script:alert(1)", "x\u0000<script>alert(1)</script>", "]]><script>alert(1)</script>");

    [Theory]
    [MemberData(nameof(Attacks))]
    public void A_value_is_text_wherever_it_goes(string attack)
    {
        var text = attack.Replace("\0", "", StringComparison.Ordinal);
        var value = KvpValue.FromText(text);
        var calm = Shape(Every, "\"calm\"", "calm");

        Shape(Every, value, text).ShouldBe(calm, attack);
        // Typed, and wrong: it comes back as text, too.
        var typed = CardFile.Parse(Every).Fields.ToDictionary(field => field.Name, IReadOnlyList<string> (_) => [text]);
        var errors = typed.ToDictionary(one => one.Key, _ => text);
        Elements(TestCard.Show(Every, State("\"calm\"", "calm"), new CardAsk("/cards/heat?pid=15", text) { Typed = typed, Errors = errors })).ShouldNotContain("script>alert");
        var html = TestCard.Show(Every, State("\"calm\"", "calm"), new CardAsk("/cards/heat?pid=15", text) { Typed = typed, Errors = errors });
        new HtmlParser().ParseDocument(html).QuerySelectorAll("script").Length.ShouldBe(1);
    }

    [Theory]
    [MemberData(nameof(Attacks))]
    public void A_value_is_no_address_that_a_browser_would_run(string attack)
    {
        var document = new HtmlParser().ParseDocument(TestCard.Show(Every, State(KvpValue.FromText(attack.Replace("\0", "", StringComparison.Ordinal)), attack)));

        foreach (var address in document.All.SelectMany(element => element.Attributes).Where(attribute => attribute.Name is "href" or "src" or "xlink:href" or "action" or "formaction" or "data").Select(attribute => attribute.Value))
        {
            (address.StartsWith('#') || address.StartsWith("/_eddy/", StringComparison.Ordinal) || address.StartsWith("/cards/", StringComparison.Ordinal) || address.StartsWith("https://acme.test/", StringComparison.Ordinal)
                || (!address.Contains(':') && !address.StartsWith("//", StringComparison.Ordinal))).ShouldBeTrue(address);
        }
    }

    [Fact]
    public void Placeholders_print_what_may_be_read_and_an_address_goes_where_the_card_says()
    {
        var state = TestCard.State(key => key.Key != "salary", null, ("url", "\"https://acme.test/a b\""), ("good", "\"https://acme.test/a?b=c\""), ("id", "\"../x?y\""), ("salary", "1"), ("at", "{\"$datetime\":\"2026-02-28T14:30:00+00:00\"}"));
        var html = TestCard.Show("<p>{{salary}}|{{at}}|{{PROCESS_ID}}|{{nothing}}|{{#list}}</p><a href=\"{{good}}\">1</a><a href=\"/order/{{id}}\">2</a><a href=\"{{url}}\">3</a><a href=\"{{cards.other}}\">4</a>", state);

        html.ShouldContain("<p>|2026-02-28 15:30|15||{{#list}}</p>");
        html.ShouldContain("<a href=\"https://acme.test/a?b=c\">1</a><a href=\"/order/..%2Fx%3Fy\">2</a><a>3</a><a href=\"/cards/other?pid=15\">4</a>");
    }

    [Theory]
    [InlineData("<eddy-text name=x required minlength=2 maxlength=9 pattern=\"[a-z]+\" message=\"Small letters.\" placeholder=\"ann\"></eddy-text>", "<input type=\"text\" id=\"eddy-0\" name=\"x\" value=\"\" required placeholder=\"ann\" minlength=\"2\" maxlength=\"9\" pattern=\"[a-z]+\" title=\"Small letters.\">")]
    [InlineData("<eddy-number name=x min=0 max=9></eddy-number>", "<input type=\"number\" id=\"eddy-0\" name=\"x\" value=\"\" inputmode=\"decimal\" min=\"0\" max=\"9\" step=\"any\">")]
    [InlineData("<eddy-number name=x step=1></eddy-number>", "inputmode=\"numeric\" step=\"1\">")]
    [InlineData("<eddy-date name=x min=today></eddy-date>", "<input type=\"date\" id=\"eddy-0\" name=\"x\" value=\"\" min=\"2026-11-30\">")]
    [InlineData("<eddy-email name=x></eddy-email>", "<input type=\"email\" id=\"eddy-0\" name=\"x\" value=\"\" inputmode=\"email\" autocomplete=\"email\">")]
    [InlineData("<eddy-phone name=x></eddy-phone>", "type=\"tel\"")]
    [InlineData("<eddy-time name=x></eddy-time>", "type=\"time\"")]
    [InlineData("<eddy-date-time name=x></eddy-date-time>", "type=\"datetime-local\"")]
    [InlineData("<eddy-yes-no name=x></eddy-yes-no>", "<input type=\"checkbox\" id=\"eddy-0\" name=\"x\" value=\"true\">")]
    [InlineData("<eddy-choice name=x><option value=s>Small</option><option>Large</option></eddy-choice>", "<option value=\"s\">Small</option>\n<option value=\"Large\">Large</option>")]
    [InlineData("<eddy-list name=x help=\"Names.\"></eddy-list>", "<textarea rows=\"4\" id=\"eddy-0\" name=\"x\" aria-describedby=\"eddy-0-help\">\n</textarea>")]
    [InlineData("<eddy-file name=x accept=\".pdf\" multiple></eddy-file>", "<input type=\"file\" id=\"eddy-0\" name=\"x\" accept=\".pdf\" multiple>")]
    public void A_field_is_a_control_of_HTML(string card, string control) => TestCard.Show(card).ShouldContain(control);

    [Fact]
    public void A_field_shows_its_KVP_and_what_may_not_be_set_is_disabled_and_what_may_not_be_read_is_not_there()
    {
        var state = TestCard.State(key => key.Key != "hidden", key => key.Key == "mine", ("mine", "\"a\""), ("yours", "\"b\""), ("hidden", "\"c\""));
        var document = new HtmlParser().ParseDocument(TestCard.Show("<eddy-text name=mine></eddy-text><eddy-text name=yours></eddy-text><eddy-text name=hidden></eddy-text>", state));

        document.QuerySelector("[name=mine]")!.OuterHtml.ShouldContain("value=\"a\"");
        document.QuerySelector("[name=yours]")!.HasAttribute("disabled").ShouldBeTrue();
        document.QuerySelector("[name=yours]")!.GetAttribute("value").ShouldBe("b");
        document.QuerySelector("[name=hidden]").ShouldBeNull();
        document.DocumentElement.OuterHtml.ShouldNotContain("\"c\"");
    }

    [Fact]
    public void Errors_are_told_at_their_fields_with_what_was_typed()
    {
        var ask = new CardAsk("/cards/heat?pid=15", null) { Typed = new Dictionary<string, IReadOnlyList<string>> { ["n"] = ["twelve"] }, Errors = new Dictionary<string, string> { ["n"] = "It is no number." } };
        var document = new HtmlParser().ParseDocument(TestCard.Show("<eddy-number name=n></eddy-number>", TestCard.With(("n", "5")), ask));

        var control = document.QuerySelector("[name=n]")!;
        control.GetAttribute("value").ShouldBe("twelve");
        control.GetAttribute("aria-invalid").ShouldBe("true");
        document.GetElementById(control.GetAttribute("aria-describedby")!)!.TextContent.ShouldBe("It is no number.");
        document.QuerySelector(".eddy-errors a")!.GetAttribute("href").ShouldBe("#eddy-0");
    }

    [Fact]
    public void A_card_has_one_form_one_heading_and_a_button()
    {
        var document = new HtmlParser().ParseDocument(TestCard.Show("<form action=\"https://evil.test\"><p>Name <eddy-text name=a></eddy-text></p></form>"));

        document.QuerySelectorAll("form").ShouldHaveSingleItem().GetAttribute("action").ShouldBe("/cards/heat?pid=15");
        document.QuerySelectorAll("h1").ShouldHaveSingleItem().TextContent.ShouldBe("Heat");
        document.QuerySelectorAll("button").ShouldHaveSingleItem().TextContent.ShouldBe("Send");
        document.Title.ShouldBe("Heat");
    }

    private static CardState State(string value, string text)
    {
        var kvps = CardFile.Parse(Every).Fields.Select(field => (field.Name, value))
            .Append(("x", value)).Append(("shared.x", value))
            .Where(one => one.Item1 is not ("list" or "dict" or "file" or "checklist"))
            .Concat([("list", $"[{value}]"), ("dict", $"{{{Json(text)}:{value}}}"), ("file", $$"""{"link":{{value}},"name":{{value}}}"""), ("checklist", $"[{value}]")]);
        return TestCard.With([.. kvps]);
    }

    private static string Json(string text) => System.Text.Json.JsonSerializer.Serialize(text.Replace("\0", "", StringComparison.Ordinal));

    /// <summary>The elements and the names of attributes of what a browser makes of a page: what a value can not change. Addresses are looked at for themselves.</summary>
    private static string Shape(string card, string value, string text) => Elements(TestCard.Show(card, State(value, text)));

    private static string Elements(string html) => string.Join(
        '\n', new HtmlParser().ParseDocument(html).All
            .Select(element => $"{element.LocalName} {string.Join(',', element.Attributes.Select(attribute => attribute.Name).Where(name => name is not ("href" or "src" or "checked" or "xlink:href")))} {(element.LocalName is "script" or "style" ? element.TextContent : "")}"));
}
