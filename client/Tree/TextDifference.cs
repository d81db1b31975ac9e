using Eddy.Files;

namespace Eddy.Client.Tree;

/// <summary>What differs between two texts, line by line, as patches show it.</summary>
public static class TextDifference
{
    private const int Around = 3;

    /// <summary>The lines, each with what stands before it: a space, - or +; between two places that are apart a line that says where the next one is.</summary>
    public static IReadOnlyList<string> Of(string before, string after)
    {
        var lines = new List<(char Sign, string Text, int Before, int After)>();
        var (old, now) = (1, 1);
        foreach (var part in TextMerge.Of(before, before, after).Parts)
        {
            if (part.Kind == MergeKind.Same)
            {
                foreach (var text in part.Mine)
                {
                    lines.Add((' ', text, old++, now++));
                }

                continue;
            }

            foreach (var text in part.Theirs)
            {
                lines.Add(('-', text, old++, now));
            }

            foreach (var text in part.Mine)
            {
                lines.Add(('+', text, old, now++));
            }
        }

        var shown = new List<string>();
        var last = -1;
        for (var at = 0; at < lines.Count; at++)
        {
            if (!Enumerable.Range(Math.Max(0, at - Around), Math.Min(lines.Count, at + Around + 1) - Math.Max(0, at - Around)).Any(near => lines[near].Sign != ' '))
            {
                continue;
            }

            if (last != at - 1 || last < 0)
            {
                shown.Add($"@@ -{lines[at].Before} +{lines[at].After} @@");
            }

            shown.Add($"{lines[at].Sign}{lines[at].Text}");
            last = at;
        }

        return shown;
    }
}
