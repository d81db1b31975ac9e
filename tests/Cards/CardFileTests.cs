using Eddy.Cards;
using Eddy.Rules;

namespace Eddy.Tests.Cards;

public sealed class CardFileTests
{
    [Fact]
    public void Each_name_of_an_element_is_read_as_the_one_that_it_stands_for()
    {
        foreach (var (name, ours) in CardElements.All.Where(one => one.Ours is not ("eddy-form" or "eddy-submit")))
        {
            var card = CardFile.Parse($"<{name} name=\"x\" options=\"a, b\"></{name}>");

            card.Findings.Where(finding => finding.IsError).ShouldBeEmpty(name);
            card.Fields.ShouldHaveSingleItem(name).Kind.ShouldBe(CardFile.Parse($"<{ours} name=\"x\" options=\"a\"></{ours}>").Fields[0].Kind, name);
        }

        CardFile.Parse("<nebrios-radio name=x options='a,b'></nebrios-radio>").Fields[0].IsRadio.ShouldBeTrue();
        CardFile.Parse("<nebri-button label=Go></nebri-button>").Buttons.ShouldHaveSingleItem().Label.ShouldBe("Go");
    }

    [Fact]
    public void What_is_said_of_a_field_is_read()
    {
        var field = CardFile.Parse("""
            <eddy-number name="shared.rate" label="Rate" required min="0.5" max="9" step="0.5" placeholder="1" help="Per hour." message="Between a half and nine." default="1.5"></eddy-number>
            """).Fields.ShouldHaveSingleItem();

        field.Key.ShouldBe(new CardKey(true, "rate"));
        (field.Label, field.IsRequired, field.Min, field.Max, field.Step, field.Placeholder, field.Help, field.Message, field.Default)
            .ShouldBe(("Rate", true, "0.5", "9", "0.5", "1", "Per hour.", "Between a half and nine.", "1.5"));
        CardFile.Parse("<eddy-text name=first_name></eddy-text>").Fields[0].Label.ShouldBe("First name");
    }

    [Fact]
    public void Fields_that_are_closed_by_a_slash_stand_beside_each_other()
    {
        var card = CardFile.Parse("<p>One <eddy-text name=a /> two <eddy-text name=b /></p><p>three</p>");

        card.Fields.Select(field => field.Name).ShouldBe(["a", "b"]);
        TestCard.Show("<div>One <eddy-text name=a /> two <eddy-text name=b /> three</div>").ShouldContain(" three");
    }

    [Theory]
    [InlineData("<template><eddy-text name=\"a\"></eddy-text></template>")]
    [InlineData("<html><head><title>T</title></head><body><template target=\"m.f\"><eddy-text name=\"a\"></eddy-text></template></body></html>")]
    [InlineData("<link rel=\"import\" href=\"../polymer/polymer.html\"><dom-module id=\"x-card\"><template><nebrios-input name=\"a\"></nebrios-input></template><script>Polymer({is: 'x-card'});</script></dom-module>")]
    [InlineData("<polymer-element name=\"x-card\" noscript><template><nebri-input name=\"a\"></nebri-input></template></polymer-element>")]
    [InlineData("<polymer-element name=\"x-card\"><nebri-input name=\"a\"></nebri-input><script>Polymer('x-card');</script></polymer-element>")]
    public void A_template_is_found_in_whatever_it_is_wrapped(string text)
    {
        var card = CardFile.Parse(text);

        card.Findings.ShouldBeEmpty();
        card.Fields.ShouldHaveSingleItem().Name.ShouldBe("a");
        var html = TestCard.Show(text);
        html.ShouldContain("name=\"a\"");
        html.ShouldNotContain("Polymer");
        html.ShouldNotContain("polymer");
    }

    [Fact]
    public void A_cards_own_scripts_and_styles_stay()
    {
        var html = TestCard.Show("<style>.a > .b { color: red }</style><template><h1>Hi</h1><eddy-text name=a></eddy-text><script>if (1 < 2) x(\"&\")</script></template><script src=\"/own.js\"></script>");

        html.ShouldContain("<style>.a > .b { color: red }</style>");
        html.ShouldContain("<script>if (1 < 2) x(\"&\")</script>");
        html.ShouldContain("<script src=\"/own.js\"></script>");
    }

    [Theory]
    [InlineData("<h1>Hi</h1>\n<p>\n  <eddy-txt name=a></eddy-txt></p>", "unknown-element", 3, 3, "Did you mean <eddy-text>?")]
    [InlineData("<nebrios-graph name=a></nebrios-graph>", "unknown-element", 1, 1, "docs/cards.md")]
    [InlineData("<eddy-select name=a></eddy-select>", "unknown-element", 1, 1, "Did you mean <eddy-choice>?")]
    [InlineData("\n <eddy-text label=A></eddy-text>", "field-without-name", 2, 2, "name=\"key\"")]
    [InlineData("<eddy-text name=a></eddy-text>\n<eddy-date name=a></eddy-date>", "same-name", 2, 1, "a already")]
    [InlineData("<eddy-text name=a></eddy-text>\n<eddy-submit name=a></eddy-submit>", "same-name", 2, 1, "a is a field")]
    [InlineData("<eddy-text name=a pattern=\"[a\"></eddy-text>", "wrong-pattern", 1, 1, "can not be read")]
    [InlineData("<eddy-text name=a pattern=\"(a)\\1\"></eddy-text>", "wrong-pattern", 1, 1, "one pass")]
    [InlineData("<eddy-text name=a pattern=\"((a{100}){100}){100}\"></eddy-text>", "wrong-pattern", 1, 1, "1,000")]
    [InlineData("<eddy-choice name=a></eddy-choice>", "no-options", 1, 1, "nothing to choose from")]
    [InlineData("<eddy-number name=a min=x></eddy-number>", "wrong-limits", 1, 1, "it takes a number")]
    [InlineData("<eddy-number name=a min=5 max=1></eddy-number>", "wrong-limits", 1, 1, "nothing is both")]
    [InlineData("<eddy-text name=a minlength=5 maxlength=1></eddy-text>", "wrong-limits", 1, 1, "no text is both")]
    [InlineData("<eddy-text name=PROCESS_ID></eddy-text>", "wrong-name", 1, 1, "already")]
    [InlineData("<template target=\"billing\"><eddy-text name=a></eddy-text></template>", "wrong-target", 1, 1, "module.function")]
    public void What_keeps_a_card_out_of_force_is_found_where_it_stands(string text, string code, int line, int column, string says)
    {
        var finding = CardFile.Parse(text).Findings.ShouldHaveSingleItem();

        (finding.Severity, finding.Code, finding.Line, finding.Column).ShouldBe((Finding.Error, code, line, column));
        finding.Message.ShouldContain(says);
    }

    [Theory]
    [InlineData("<form action=/x><eddy-text name=a></eddy-text></form>", "form-in-card")]
    [InlineData("<script>let x = '{{a}}';</script>", "placeholder-not-printed")]
    [InlineData("<p onclick=\"f('{{a}}')\">x</p>", "placeholder-not-printed")]
    [InlineData("<eddy-text name=a requird></eddy-text>", "unknown-attribute")]
    [InlineData("<input name=plain>", "plain-control")]
    [InlineData("<p>lost</p><template><eddy-text name=a></eddy-text></template>", "outside-template")]
    [InlineData("<eddy-choice name=a options=\"x, x\"></eddy-choice>", "same-option")]
    public void What_is_odd_is_told_and_the_card_is_in_force(string text, string code)
    {
        var finding = CardFile.Parse(text).Findings.ShouldHaveSingleItem();

        (finding.Severity, finding.Code).ShouldBe((Finding.Warning, code));
    }

    [Fact]
    public void A_file_of_the_folder_of_cards_is_one_where_its_name_can_be_called()
    {
        CardFile.NameOf("card_html_files/heat.html").ShouldBe("heat");
        CardFile.NameOf("card_html_files/parts/heat.html").ShouldBeNull();
        CardFile.NameOf("card_html_files/.html").ShouldBeNull();
        CardFile.NameOf("pages/heat.html").ShouldBeNull();
    }

    [Fact]
    public void What_is_nested_without_measure_is_refused_and_not_read_to_its_end()
    {
        var text = string.Concat(Enumerable.Repeat("<div>", 5000)) + "<eddy-text name=a></eddy-text>";

        CardFile.Parse(text).Findings.ShouldHaveSingleItem().Code.ShouldBe("nested-too-deep");
        CardFile.Parse(new string('x', CardFile.MostCharacters + 1)).Findings.ShouldHaveSingleItem().Code.ShouldBe("card-too-long");
    }
}
