using System.Text.RegularExpressions;
using Eddy.Cards;
using Eddy.Kvps;

namespace Eddy.Tests.Cards;

/// <summary><c>docs/cards.md</c>: its examples do what it says.</summary>
public sealed class CardsPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "cards.md"));

    public static TheoryData<string, string, string> Rows
    {
        get
        {
            var rows = new TheoryData<string, string, string>();
            foreach (Match row in Regex.Matches(Page, @"^\| `(<eddy-[^`]*)` \| `([^`]*)` \| `([^`]*)` \|$", RegexOptions.Multiline))
            {
                rows.Add(row.Groups[1].Value, row.Groups[2].Value, row.Groups[3].Value);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void An_element_sets_its_KVP_as_its_row_says(string card, string typed, string value)
    {
        var file = CardFile.Parse(card);
        file.Findings.ShouldBeEmpty();
        var name = file.Fields.Select(field => field.Name).Concat(file.Buttons.Select(button => button.Name!)).ShouldHaveSingleItem();

        TestCard.Answer(card, TestCard.With(("shared.rooms", "[1,2,3]")), (name, typed)).Changes.ShouldBe([new Change(name, value)]);
        TestCard.Show(card, TestCard.With(("shared.rooms", "[1,2,3]"))).ShouldContain($"name=\"{name}\"");
    }

    [Fact]
    public void Each_element_has_a_row_and_each_other_name_its_place_in_the_table()
    {
        var elements = Regex.Matches(Page, "<(eddy-[a-z-]+)").Select(match => match.Groups[1].Value).ToHashSet();
        var names = Regex.Matches(Page[Page.IndexOf("## Names of NebriOS", StringComparison.Ordinal)..], "`([a-z-]+)`").Select(match => match.Groups[1].Value).ToHashSet();

        CardElements.All.Select(one => one.Ours).Distinct().ShouldAllBe(ours => elements.Contains(ours));
        foreach (var (name, ours) in CardElements.All.Where(one => one.Name.StartsWith("nebri-", StringComparison.Ordinal)))
        {
            (name["nebri-".Length..] == ours["eddy-".Length..] || names.Contains(name["nebri-".Length..])).ShouldBeTrue(name);
        }
    }

    [Fact]
    public void The_example_at_the_top_is_a_card()
    {
        var card = Regex.Match(Page, "```html\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;

        CardFile.Parse(card).Findings.ShouldBeEmpty();
        var html = TestCard.Show(card, TestCard.With(("kind", "\"order\""), ("customer", "\"Ann & Co\""), ("total", "12.5")));
        html.ShouldContain("<h1>Release order 15?</h1>");
        html.ShouldContain("Ann &amp; Co ordered for 12.5.");
        html.ShouldContain("<title>Release order 15?</title>");
    }
}
