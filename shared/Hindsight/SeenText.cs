using Eddy.Sandbox;

namespace Eddy.Hindsight;

/// <summary>What a check has read, in words: the text of an expression, and the same with values in the place of what was read.</summary>
public static class SeenText
{
    private const int Most = 200;

    private static readonly (string Sign, string Words)[] Comparisons =
        [(">=", "of at least"), ("<=", "of at most"), ("==", "of"), ("!=", "other than"), (">", "above"), ("<", "below"), ("not in", "not among"), ("in", "among"), ("is not", "other than"), ("is", "of")];

    /// <summary>The text of an expression; on several lines it is put on one.</summary>
    public static string Source(SeenPlace place, IReadOnlyDictionary<string, string> files) => Cut(Between(place, files) is { } text ? string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)) : "");

    /// <summary>The expression with the values of what it read, as in <c>72 &gt; 90</c>; of what reads nothing else its value.</summary>
    public static string Filled(SeenPlace place, IReadOnlyList<SeenPlace> seen, IReadOnlyDictionary<string, string> files)
    {
        var parts = PartsOf(place, seen).Where(part => part.Value is not null && part.Line == part.EndLine).ToList();
        if (place.Line != place.EndLine || parts.Count == 0 || Between(place, files) is not { } text)
        {
            return place.Value?.Text ?? "";
        }

        foreach (var part in parts.OrderByDescending(part => part.Column))
        {
            var (from, to) = (part.Column - place.Column, part.EndColumn - place.Column);
            if (from >= 0 && to <= text.Length && from < to)
            {
                text = text[..from] + part.Value!.Text + text[to..];
            }
        }

        return Cut(text);
    }

    /// <summary>
    /// What decided a check: the last expression that gave its answer, and in it, where it is made of several, the one on which that turned. As in <c>self.temperature 72 &gt; 90</c>. Null where
    /// nothing can be named.
    /// </summary>
    public static string? Decided(Look look, IReadOnlyDictionary<string, string> files)
    {
        if (look.Answer is not { } answer || DecidedPlace(look) is not { } place)
        {
            return null;
        }

        var parts = PartsOf(place, look.Seen).Where(part => part.Value is not null).ToList();
        var source = Source(place, files);
        if (parts.Count == 0)
        {
            return place.Value!.Text == answer.Text && source != answer.Text ? $"{source} {place.Value.Text}" : source;
        }

        // The name of what was compared, and then the comparison.
        var first = parts.MinBy(part => (part.Line, part.Column))!;
        var filled = Filled(place, look.Seen, files);
        return first.Line == place.Line && first.Column == place.Column && filled != place.Value!.Text ? $"{Source(first, files)} {filled}" : $"{source} {place.Value!.Text}";
    }

    /// <summary>The expression on which the answer turned.</summary>
    public static SeenPlace? DecidedPlace(Look look)
    {
        if (look.Answer is not { } answer)
        {
            return null;
        }

        var place = look.Seen.Where(one => one.Value?.Text == answer.Text && !look.Seen.Any(other => other != one && other.Contains(one) && other.Value is not null))
            .MaxBy(one => (one.Line, one.Column));
        while (place is not null && PartsOf(place, look.Seen).LastOrDefault(part => part.Value is not null) is { } last && last.Value!.Text == place.Value!.Text && PartsOf(last, look.Seen).Count > 0 && IsChoice(place, look.Seen))
        {
            place = last;
        }

        return place;
    }

    /// <summary>What would have turned a check that compares a KVP, as in <c>temperature above 90</c>; null where it is not as simple as that.</summary>
    public static string? Wanted(Look look, IReadOnlyDictionary<string, string> files)
    {
        if (DecidedPlace(look) is not { } place || place.Line != place.EndLine || Between(place, files) is not { } text || PartsOf(place, look.Seen) is not [{ Key: { } key } first, ..] || first.Column != place.Column)
        {
            return null;
        }

        var rest = text[(first.EndColumn - first.Column)..].Trim();
        foreach (var (sign, words) in Comparisons)
        {
            if (rest.StartsWith(sign, StringComparison.Ordinal))
            {
                // As it is filled in, so that a name stands there with its value; a second comparison makes it less simple.
                var right = Filled(place, look.Seen, files)[first.Value!.Text.Length..].Trim()[sign.Length..].Trim();
                return Comparisons.Any(other => right.Contains($" {other.Sign} ", StringComparison.Ordinal)) ? null : $"{(first.Pid == 0 ? "shared." : "")}{key} {words} {right}";
            }
        }

        return null;
    }

    /// <summary>The expressions directly within this one, in the order of the text.</summary>
    public static IReadOnlyList<SeenPlace> PartsOf(SeenPlace place, IReadOnlyList<SeenPlace> seen)
    {
        var within = seen.Where(one => one != place && place.Contains(one)).ToList();
        return [.. within.Where(one => !within.Exists(other => other != one && other.Contains(one))).OrderBy(one => (one.Line, one.Column))];
    }

    /// <summary>What is seen at the end of each line: its outermost expressions, with their values.</summary>
    public static IReadOnlyList<SeenLine> Lines(string file, IReadOnlyList<SeenPlace> seen, IReadOnlyDictionary<string, string> files) =>
    [
        .. seen.Where(one => one.File == file && !seen.Any(other => other != one && other.Contains(one) && other.EndLine == other.Line))
            .GroupBy(one => one.EndLine).OrderBy(line => line.Key)
            .Select(line => new SeenLine(line.Key, [.. line.Where(one => one.Value is not null).Select(one => new SeenChip(Source(one, files), Filled(one, seen, files), one.Value!))], line.All(one => one.Value is null))),
    ];

    private static bool IsChoice(SeenPlace place, IReadOnlyList<SeenPlace> seen) => PartsOf(place, seen) is { Count: > 1 } parts && parts.All(part => part.Value is null || PartsOf(part, seen).Count > 0 || part.Value.Text is "True" or "False" or "None");

    private static string? Between(SeenPlace place, IReadOnlyDictionary<string, string> files)
    {
        if (files.GetValueOrDefault(place.File)?.ReplaceLineEndings("\n").Split('\n') is not { } lines || place.Line < 1 || place.EndLine < place.Line || place.EndLine > lines.Length)
        {
            return null;
        }

        var text = string.Join('\n', lines[(place.Line - 1)..place.EndLine]);
        var (from, to) = (place.Column - 1, text.Length - (lines[place.EndLine - 1].Length - (place.EndColumn - 1)));
        return from >= 0 && to >= from && to <= text.Length ? text[from..to] : null;
    }

    private static string Cut(string text) => text.Length <= Most ? text : text[..Most] + "…";
}

/// <summary>What a line of a check was.</summary>
/// <param name="IsPassed">The check did not come to it.</param>
public sealed record SeenLine(int Line, IReadOnlyList<SeenChip> Chips, bool IsPassed);

/// <summary>An expression, the same with the values of what it read, and what it gave.</summary>
public sealed record SeenChip(string Source, string Filled, SeenValue Value)
{
    /// <summary>What the expression was, then what it gave, as in <c>72 &gt; 90: False</c>.</summary>
    public string Told => Filled.Length == 0 || Filled == Value.Text ? Value.Text : $"{Filled}: {Value.Text}";
}
