using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Eddy.Schedules;

/// <summary>What a field of a cron text may hold.</summary>
/// <param name="Names">Names of its values from the first one on, for those that have names.</param>
internal sealed record CadenceRange(string Name, int First, int Last, string[] Names)
{
    /// <summary>Of the days of a week, where Sunday is 0 as well as 7.</summary>
    public bool IsWeek => Last == 7;

    public string Allowed => Names.Length == 0 ? $"{First} to {Last}" : IsWeek ? "0 to 7 (0 and 7 are Sunday) or SUN to SAT" : $"{First} to {Last} or {Names[0]} to {Names[^1]}";

    public int? ValueOf(string text)
    {
        var named = Array.FindIndex(Names, name => name.Equals(text, StringComparison.OrdinalIgnoreCase));
        return named >= 0 ? named + First
            : text.Length <= 9 && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= First && number <= Last ? number
            : null;
    }
}

/// <summary>One field: a list of values, ranges and steps.</summary>
/// <param name="Text">The same in numbers.</param>
/// <param name="IsRow">It has a star, a range or a step.</param>
/// <param name="IsStarred">It begins with a star.</param>
internal sealed record CadenceField(string Written, string Text, int Column, bool IsRow, bool IsStarred, IReadOnlySet<int> Values)
{
    public static bool TryRead(string written, int column, CadenceRange range, [NotNullWhen(true)] out CadenceField? field, [NotNullWhen(false)] out CadenceFault? fault)
    {
        field = null;
        var values = new HashSet<int>();
        var parts = written.Split(',');
        var at = column;
        for (var i = 0; i < parts.Length; i++)
        {
            if (Part(parts[i], range, values, out var text) is { } detail)
            {
                fault = new CadenceFault(at, detail);
                return false;
            }

            at += parts[i].Length + 1;
            parts[i] = text;
        }

        field = new CadenceField(written, string.Join(',', parts), column, written.AsSpan().ContainsAny("*-/"), written[0] == '*', values);
        fault = null;
        return true;
    }

    /// <summary>What is wrong with one part of the list, or null.</summary>
    private static string? Part(string part, CadenceRange range, HashSet<int> values, out string text)
    {
        text = "";
        if (part.Length == 0)
        {
            return $"The {range.Name} has a comma with nothing on one side of it: write values with commas between them, as in {range.First},{range.First + 1}.";
        }

        if (part.AsSpan().ContainsAny("?#") || (range.Name.StartsWith("day", StringComparison.Ordinal) && IsQuartz(part)))
        {
            return $"The {range.Name} '{Shown(part)}' is of another cron: ?, L, W and # mean nothing here. It takes {range.Allowed}, lists, ranges, steps and *.";
        }

        var slash = part.IndexOf('/');
        var span = slash < 0 ? part : part[..slash];
        var step = 1;
        if (slash >= 0 && (!int.TryParse(part.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out step) || step < 1 || step > range.Last))
        {
            return $"The {range.Name} has the step '{Shown(part[(slash + 1)..])}': a step is 1 to {range.Last}, as in */2.";
        }

        int first, last;
        if (span == "*")
        {
            (first, last) = (range.First, range.IsWeek ? 6 : range.Last);
        }
        else if (Bounds(span, slash >= 0, range, out first, out last) is { } fault)
        {
            return fault;
        }

        for (var value = first; value <= last; value += step)
        {
            values.Add(range.IsWeek ? value % 7 : value);
        }

        text = (span == "*" ? "*" : first == last ? $"{first}" : $"{first}-{last}") + (slash < 0 || first == last ? "" : $"/{step}");
        return null;
    }

    private static string? Bounds(string span, bool isStepped, CadenceRange range, out int first, out int last)
    {
        (first, last) = (0, 0);
        var dash = span.IndexOf('-');
        var from = dash < 0 ? span : span[..dash];
        var to = dash < 0 ? null : span[(dash + 1)..];
        foreach (var bound in to is null ? [from] : new[] { from, to })
        {
            if (range.ValueOf(bound) is null)
            {
                return $"The {range.Name} '{Shown(bound)}' is not one: it takes {range.Allowed}, and * for each.";
            }
        }

        first = range.ValueOf(from)!.Value;
        last = to is not null ? range.ValueOf(to)!.Value : isStepped ? (range.IsWeek ? 6 : range.Last) : first;
        if (range.IsWeek)
        {
            // A week may be said to end with Sunday as well as to begin with it.
            first = first == 7 && last != 7 ? 0 : first;
            last = last == 0 && first > 0 ? 7 : last;
        }

        return first <= last ? null
            : $"The {range.Name} '{Shown(span)}' goes backwards: for one that goes past the end write two, {from}-{(range.IsWeek ? 6 : range.Last)},{range.First}-{to}.";
    }

    // L, W, LW, 15W, 5L: letters of no name.
    private static bool IsQuartz(string part) =>
        part.TrimStart("0123456789".ToCharArray()).ToUpperInvariant() is "L" or "W" or "LW" or "WL" || part.StartsWith("L-", StringComparison.OrdinalIgnoreCase);

    private static string Shown(string text) => text.Length > 20 ? text[..19] + "…" : text;
}
