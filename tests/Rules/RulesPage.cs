using System.Text.RegularExpressions;

namespace Eddy.Tests.Rules;

/// <summary><c>docs/rules.md</c>, from which its examples are run.</summary>
internal static partial class RulesPage
{
    public static string Text { get; } = File.ReadAllText(Path.Combine(Repository.Root, "docs", "rules.md"));

    /// <summary>Its blocks of Python, in their order.</summary>
    public static IReadOnlyList<string> Blocks { get; } = [.. Python().Matches(Text).Select(match => match.Groups[1].Value)];

    /// <summary>The only block that this line is in.</summary>
    public static string BlockWith(string line) => Blocks.Where(block => block.Contains(line, StringComparison.Ordinal)).ShouldHaveSingleItem();

    /// <summary>Blocks as files of a tenant: each at the path that its first line names, else as a script.</summary>
    public static (string Path, string Text)[] Files(IEnumerable<string> blocks) =>
        [.. blocks.Select((block, i) => (Named().Match(block) is { Success: true } name ? name.Groups[1].Value : $"scripts/example{i}.py", block))];

    [GeneratedRegex("```python\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Python();

    [GeneratedRegex(@"\A# (\S+\.py)\n")]
    private static partial Regex Named();
}
