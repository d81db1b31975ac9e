using System.Text.RegularExpressions;

namespace Eddy.Tests.Rules;

/// <summary><c>docs/rules.md</c>, from which its examples are run.</summary>
internal static partial class RulesPage
{
    public static string Text { get; } = File.ReadAllText(Path.Combine(Repository.Root, "docs", "rules.md"));

    /// <summary>The blocks of Python in which one of these lines is, in their order.</summary>
    public static IEnumerable<string> BlocksWith(params string[] lines) => Blocks().Matches(Text).Select(match => match.Groups[1].Value).Where(block => lines.Any(block.Contains));

    public static string BlockWith(string line) => BlocksWith(line).ShouldHaveSingleItem();

    [GeneratedRegex("```python\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
