using System.Text.RegularExpressions;
using Eddy.Ide.Files;

namespace Eddy.Tests.Hindsight;

/// <summary>The examples of <c>docs/tests.md</c> pass as they stand there, and the page names all that there is.</summary>
[Collection(nameof(HindsightWay))]
public sealed partial class TestsPageTests(HindsightWay way)
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Repository.Root, "docs/tests.md"));

    [Fact]
    public async Task The_examples_pass()
    {
        var files = Blocks().Matches(Text).Select(block => (block.Groups[1].Value, block.Groups[2].Value)).ToArray();
        files.Length.ShouldBe(2);
        var caller = await way.CallerAsync(files);
        foreach (var (path, text) in files)
        {
            (await caller.SaveAsync(path, text)).GetProperty("findings").GetRawText().ShouldBe("[]", path);
        }

        var ran = await RuleTestsTests.TestAsync(caller, "{}", System.Net.HttpStatusCode.OK);

        ran["failed"]!.GetValue<int>().ShouldBe(0, ran.ToJsonString());
        ran["passed"]!.GetValue<int>().ShouldBe(2);
    }

    [Fact]
    public void What_a_test_has_at_hand_is_on_the_page_and_is_proposed_while_one_types()
    {
        var names = Names().Match(File.ReadAllText(Path.Combine(Repository.Root, "shared/Sandbox/guest/testing.py"))).Groups[1].Value.Split(',').Select(name => name.Trim(' ', '"')).ToList();

        names.Count.ShouldBeGreaterThan(10);
        names.ShouldBeSubsetOf(LanguageNames.OfTests.Of(null).Select(name => name.Name));
        new LanguageNames().Of(null).Select(name => name.Name).ShouldNotContain("given");
    }

    [GeneratedRegex(@"```python\n# ((?:scripts|tests)/\S+)\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();

    [GeneratedRegex(@"\nNAMES = \(([^)]*)\)")]
    private static partial Regex Names();
}
