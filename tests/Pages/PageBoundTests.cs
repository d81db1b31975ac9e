using Eddy.Pages;

namespace Eddy.Tests.Pages;

/// <summary>A template ends, and says why, whatever it asks for.</summary>
public sealed class PageBoundTests(TestWay way) : IClassFixture<TestWay>
{
    [Theory]
    [InlineData("{% for a in (1..1000) %}{% for b in (1..1000) %}{% assign x = b %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{% for a in (1..50000000) %}{% endfor %}", "A range has 1000 numbers")]
    [InlineData("{% assign r = (1..50000000) %}", "A range has 1000 numbers")]
    [InlineData("{% assign x = 'aaaaaaaaaaaaaaaa' %}{% for a in (1..40) %}{% assign x = x | append: x %}{% endfor %}", "characters")]
    [InlineData("{% assign x = 'aaaaaaaaaaaaaaaa' %}{% for a in (1..9) %}{% assign x = x | append: x %}{% endfor %}{% assign x = x | replace: 'a', x %}", "characters")]
    [InlineData("{% capture x %}{% for a in (1..1000) %}0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789{% endfor %}{% endcapture %}", "characters")]
    [InlineData("{% assign x = 'a' %}{% for a in (1..14) %}{% assign x = x | append: x %}{% endfor %}{% for a in (1..1000) %}{{ x }}{% endfor %}", "more than 1,048,576 characters")]
    [InlineData("{% include '_self' %}", "8 deep")]
    [InlineData("{% include '_none' %}", "There is no part pages/_none.html")]
    [InlineData("{% include 'x' %}", "begin with _")]
    [InlineData("{% include '../scripts/_x.py' %}", "There is no part")]
    [InlineData("{% for a in (1..30) %}{% processes x kind: 'a' %}{% endfor %}", "20 times")]
    [InlineData("{% processes x kind: 'a' limit: 5000 %}", "limit is a number from 0 to 200")]
    [InlineData("{{ 1 | divided_by: 0 }}", "can not be computed")]
    [InlineData("{{ 'now' | date: '%099999999d' }}", "date")]
    [InlineData("{% chart 'x' %}", "chart takes the key")]
    public async Task It_is_said(string text, string why)
    {
        var tenant = await TestTenant.MakeAsync(way.Database);
        var set = new PageSet(1, new Dictionary<string, string> { ["pages/x.html"] = text, ["pages/_self.html"] = "{% include '_self' %}" });

        (await Should.ThrowAsync<PageFault>(() => way.RenderAsync(tenant, set, "pages/x.html"))).Message.ShouldContain(why);
    }

    [Theory]
    [InlineData("<p>\n{% if x %}", "template", 2, 11, "'{% endif %}' was expected")]
    [InlineData("{{ x | raw }}", "unknown-filter", 1, 8, "There is no filter raw: a page never prints a value as HTML.")]
    [InlineData("a\n  {{ x | nof: 'a | b' }}", "unknown-filter", 2, 10, "There is no filter 'nof'.")]
    [InlineData("{% processes all n__above: 3 %}", "unknown-comparison", 1, 18, "There is no comparison 'above'.")]
    [InlineData("<meta name=\"eddy-access\" content=\"all\">", "eddy-access", 1, 1, "eddy-access is public, members, or group:")]
    [InlineData("{% render 'x' %}", "template", 1, 10, "Unknown tag 'render'. There are if,")]
    public void A_fault_has_a_place_and_a_sentence(string text, string code, int line, int column, string message)
    {
        var finding = PageCheck.Of(text)[0];

        (finding.Code, finding.Line, finding.Column).ShouldBe((code, line, column));
        finding.Message.ShouldStartWith(message);
    }

    [Fact]
    public void What_was_read_says_which_changes_concern_a_page()
    {
        var reads = new PageReads();
        reads.Note(7, "temperature");
        reads.NoteQuery(["kind", "room"]);

        reads.Concern(7, "temperature").ShouldBeTrue();
        reads.Concern(8, "room").ShouldBeTrue();
        reads.Concern(8, "temperature").ShouldBeFalse();
        reads.Concern(0, "room").ShouldBeFalse();
    }
}
