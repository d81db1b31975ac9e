namespace Eddy.Files;

/// <summary>
/// What two people made of one text, put together line by line: what only one of them changed is taken as it is, what both changed alike is there once, and what they changed differently
/// (<see cref="MergeKind.Clash"/>) waits for a choice. Nothing of either is dropped by itself.
/// </summary>
public sealed record TextMerge(IReadOnlyList<MergePart> Parts)
{
    // Beyond this, what lies between the equal ends is compared as a whole.
    private const int MostCells = 4_000_000;

    public int Clashes => Parts.Count(part => part.Kind == MergeKind.Clash);

    /// <summary>How many places fit together without a choice.</summary>
    public int Fitting => Parts.Count(part => part.Kind is MergeKind.Theirs or MergeKind.Mine);

    public static TextMerge Of(string origin, string theirs, string mine)
    {
        var (from, left, right) = (Lines(origin), Lines(theirs), Lines(mine));
        var (inLeft, inRight) = (Matches(from, left), Matches(from, right));
        var parts = new List<MergePart>();
        var (at, l, r) = (0, 0, 0);
        while (at < from.Count || l < left.Count || r < right.Count)
        {
            var same = 0;
            while (at + same < from.Count && inLeft[at + same] == l + same && inRight[at + same] == r + same)
            {
                same++;
            }

            if (same > 0)
            {
                var lines = from.GetRange(at, same);
                parts.Add(new MergePart(MergeKind.Same, lines, lines));
                (at, l, r) = (at + same, l + same, r + same);
                continue;
            }

            var next = at;
            while (next < from.Count && (inLeft[next] < 0 || inRight[next] < 0))
            {
                next++;
            }

            var (endLeft, endRight) = next < from.Count ? (inLeft[next], inRight[next]) : (left.Count, right.Count);
            parts.Add(PartOf(from.GetRange(at, next - at), left.GetRange(l, endLeft - l), right.GetRange(r, endRight - r)));
            (at, l, r) = (next, endLeft, endRight);
        }

        return new TextMerge(parts);
    }

    /// <summary>The text that comes of it.</summary>
    /// <param name="takesTheirs">What was chosen where the two clash, in their order.</param>
    public string Text(IReadOnlyList<bool> takesTheirs)
    {
        var lines = new List<string>();
        var clash = 0;
        foreach (var part in Parts)
        {
            lines.AddRange(part.Kind switch
            {
                MergeKind.Theirs => part.Theirs,
                MergeKind.Clash => takesTheirs[clash++] ? part.Theirs : part.Mine,
                _ => part.Mine,
            });
        }

        return string.Join('\n', lines);
    }

    private static MergePart PartOf(List<string> origin, List<string> theirs, List<string> mine) =>
        theirs.SequenceEqual(mine) ? new MergePart(MergeKind.Same, theirs, mine)
        : theirs.SequenceEqual(origin) ? new MergePart(MergeKind.Mine, theirs, mine)
        : mine.SequenceEqual(origin) ? new MergePart(MergeKind.Theirs, theirs, mine)
        : new MergePart(MergeKind.Clash, theirs, mine);

    private static List<string> Lines(string text) => [.. text.ReplaceLineEndings("\n").Split('\n')];

    /// <summary>For each line its place in the other text, by a longest common subsequence; -1 where it is not there.</summary>
    private static int[] Matches(List<string> one, List<string> other)
    {
        var matches = new int[one.Count];
        Array.Fill(matches, -1);
        var start = 0;
        while (start < one.Count && start < other.Count && one[start] == other[start])
        {
            matches[start] = start++;
        }

        var end = 0;
        while (end < one.Count - start && end < other.Count - start && one[^(end + 1)] == other[^(end + 1)])
        {
            end++;
            matches[one.Count - end] = other.Count - end;
        }

        var (rows, columns) = (one.Count - start - end, other.Count - start - end);
        if ((long)rows * columns > MostCells)
        {
            return matches;
        }

        var longest = new int[rows + 1, columns + 1];
        for (var i = rows - 1; i >= 0; i--)
        {
            for (var j = columns - 1; j >= 0; j--)
            {
                longest[i, j] = one[start + i] == other[start + j] ? longest[i + 1, j + 1] + 1 : Math.Max(longest[i + 1, j], longest[i, j + 1]);
            }
        }

        for (int i = 0, j = 0; i < rows && j < columns;)
        {
            if (one[start + i] == other[start + j])
            {
                matches[start + i++] = start + j++;
            }
            else if (longest[i + 1, j] >= longest[i, j + 1])
            {
                i++;
            }
            else
            {
                j++;
            }
        }

        return matches;
    }
}

/// <summary>Lines that belong together.</summary>
public sealed record MergePart(MergeKind Kind, IReadOnlyList<string> Theirs, IReadOnlyList<string> Mine);

/// <summary>Who changed a part.</summary>
public enum MergeKind
{
    Same,
    Theirs,
    Mine,
    Clash,
}
