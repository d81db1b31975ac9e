using System.Text.RegularExpressions;

namespace Eddy.Tests.Pages;

/// <summary><c>docs/pages.md</c>, from which its examples are run.</summary>
internal static partial class PagesPage
{
    public static string Text { get; } = File.ReadAllText(Path.Combine(Repository.Root, "docs", "pages.md"));

    /// <summary>What the tenant of the examples has: processes, and in the last line the shared KVPs.</summary>
    public static IReadOnlyList<string> State { get; } = Json().Match(Text).Groups[1].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Each example: its file, its text, the address at which it is looked at, and what is there then; that is empty for parts.</summary>
    public static IReadOnlyList<(string Path, string Text, string Address, IReadOnlyList<string> Shows)> Examples { get; } =
    [
        .. Example().Matches(Text).Select(match =>
        {
            var (path, text) = (match.Groups["path"].Value, match.Groups["text"].Value);
            IReadOnlyList<string> shows = match.Groups["shows"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return shows is [['/', ..] address, ..] ? (path, text, address, [.. shows.Skip(1)]) : (path, text, "/" + Path.GetFileNameWithoutExtension(path), shows);
        }),
    ];

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Json();

    [GeneratedRegex("```html\n<!-- (?<path>\\S+) -->\n(?<text>.*?)```(\n\n```text\n(?<shows>.*?)```)?", RegexOptions.Singleline)]
    private static partial Regex Example();
}
