using System.Net;
using Eddy.Pages;

namespace Eddy.Tests.Pages;

/// <summary>Whatever a KVP holds, it is no program on a page: at every place at which a template can print it, by every way that a template has.</summary>
[Trait("Category", "Long")]
public sealed class PageEscapeTests(TestWay way) : IClassFixture<TestWay>
{
    private const string Evil = """<script>alert(1)</script>"' onload=alert(1) x=`\ javascript:alert(1) --> </style></title></textarea>{{ shared.x }}{% raw %}""";

    [Theory]
    [InlineData("{{ x }}")]
    [InlineData("{{ l }}")]
    [InlineData("{{ l | join: x }}")]
    [InlineData("{{ l | concat: l }}")]
    [InlineData("{{ l | default: x }}")]
    [InlineData("{{ x | escape }}")]
    [InlineData("{{ x | json }}")]
    [InlineData("{{ d }}")]
    [InlineData("{% capture c %}{{ x }}{% endcapture %}{{ c }}")]
    [InlineData("{% capture c %}{{ x }}{% endcapture %}{{ c | upcase }}")]
    [InlineData("{% assign a = x | append: x | replace: 'a', x %}{{ a }}")]
    [InlineData("{% for one in l %}{{ one }}{% endfor %}")]
    [InlineData("{% include '_part' y: x %}")]
    [InlineData("{% chart all key: 'n' title: x unit: x %}")]
    public async Task A_value_stands_in_text_titles_and_attributes_as_text(string printed)
    {
        foreach (var place in new[] { "<p>…</p>", "<p title=\"…\"></p>", "<p title='…'></p>", "<title>…</title>", "<textarea>…</textarea>", "<p title=…></p>" })
        {
            var html = await ShowAsync(place.Replace("…", printed, StringComparison.Ordinal));

            using var document = await new AngleSharp.Html.Parser.HtmlParser().ParseDocumentAsync(html, TestContext.Current.CancellationToken);
            document.QuerySelectorAll("script:not([src^='/_eddy/'])").ShouldBeEmpty($"{place} {html}");
            document.All.SelectMany(one => one.Attributes).Select(attribute => attribute.Name).Where(name => name.StartsWith("on", StringComparison.Ordinal)).ShouldBeEmpty($"{place} {html}");
            html.ShouldNotContain("<script>alert");
            // It is there, as text; but a drawing is nowhere but between tags.
            (printed.Contains("chart", StringComparison.Ordinal) && place != "<p>…</p>" ? "alert(1)" : WebUtility.HtmlDecode(html)).ShouldContain("alert(1)", Case.Insensitive);
        }
    }

    [Theory]
    [InlineData("<script>const a = …;</script>")]
    [InlineData("<script>const a = \"…\";</script>")]
    [InlineData("<SCRIPT >`…`</SCRIPT>")]
    [InlineData("<p onclick=\"go('…')\"></p>")]
    [InlineData("<iframe srcdoc=\"…\"></iframe>")]
    [InlineData("<script src=\"…\"></script>")]
    [InlineData("<link rel=stylesheet href=\"…\">")]
    [InlineData("<base href=\"…\">")]
    [InlineData("<style>p { color: … }</style>")]
    [InlineData("<p style=\"color: …\"></p>")]
    [InlineData("<… a=b>")]
    [InlineData("<p …>")]
    [InlineData("<p …=\"b\">")]
    [InlineData("<!-- … -->")]
    [InlineData("<object data=\"…\"></object>")]
    public async Task Where_a_value_could_be_a_program_there_is_none(string place)
    {
        foreach (var printed in new[] { "{{ x }}", "{% capture c %}{{ x }}{% endcapture %}{{ c }}", "{{ l }}", "{% include '_part' y: x %}" })
        {
            (await ShowAsync(place.Replace("…", printed, StringComparison.Ordinal))).ShouldContain(place.Replace("…", "", StringComparison.Ordinal));
        }

        PageCheck.Of(place.Replace("…", "{{ x }}", StringComparison.Ordinal)).Select(finding => (finding.Severity, finding.Code))
            .ShouldBe(place.Contains("style", StringComparison.Ordinal) && !place.Contains("link", StringComparison.Ordinal) ? [] : [("warning", "misplaced-value")], place);
    }

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("  JavaScript:alert(1)")]
    [InlineData("java\tscript:alert(1)")]
    [InlineData("vbscript:x")]
    public async Task An_address_that_is_a_program_becomes_none(string address)
    {
        foreach (var place in new[] { "<a href=\"…\">", "<a href='…'>", "<form action=\"…\">", "<button formaction=\"…\">", "<iframe src=\"…\">", "<svg><a xlink:href=\"…\"></a></svg>" })
        {
            (await ShowAsync(place.Replace("…", "{{ u }}", StringComparison.Ordinal), address)).ShouldContain(place.Replace("…", "#", StringComparison.Ordinal));
        }

        (await ShowAsync("<a href=\"{{ u | slice: 0, 4 }}script:alert(1)\">", "javascript:")).ShouldContain("<a href=\"#\">");
        (await ShowAsync("<a href={{ u }}>", address)).ShouldNotContain("alert(1)\">");
    }

    [Fact]
    public async Task An_address_that_is_none_stays() => (await ShowAsync("<a href=\"{{ u }}\">", "https://acme.test/?a=1&b=2")).ShouldContain("<a href=\"https://acme.test/?a=1&amp;b=2\">");

    private async Task<string> ShowAsync(string text, string address = "")
    {
        var tenant = await TestTenant.MakeAsync(way.Database);
        await tenant.PrepareAsync("insert into processes (tenant_id, pid, created_at) values ($1, 7, now())");
        await using (var write = way.Database.Superuser.CreateCommand(
            "insert into kvps (tenant_id, pid, key, value, position) select $1, 7, k, v::jsonb, n from unnest($2, $3) with ordinality u(k, v, n)"))
        {
            write.Parameters.Add(new() { Value = tenant.Id.Value });
            write.Parameters.Add(new() { Value = new[] { "x", "l", "d", "u", "n" } });
            write.Parameters.Add(new()
            {
                Value = new[]
                {
                    System.Text.Json.JsonSerializer.Serialize(Evil), System.Text.Json.JsonSerializer.Serialize(new[] { Evil, Evil }), System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, string> { [Evil] = Evil }),
                    System.Text.Json.JsonSerializer.Serialize(address), "1",
                },
            });
            await write.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var set = new PageSet(1, new Dictionary<string, string>
        {
            ["pages/x.html"] = "{% processes all PROCESS_ID: 7 %}{% assign p = all.first %}{% assign x = p.x %}{% assign l = p.l %}{% assign d = p.d %}{% assign u = p.u %}" + text, ["pages/_part.html"] = "{{ y }}",
        });
        return (await way.RenderAsync(tenant, set, "pages/x.html")).Html;
    }
}
