using Eddy.Processes;

namespace Eddy.Ide.Processes;

/// <summary>Which keys a list of processes shows as columns: those that most of the visible ones have. A column stays as long as one of them has it, so that little jumps.</summary>
public static class KeyColumns
{
    public const int Most = 5;

    public static IReadOnlyList<string> Choose(IReadOnlyList<string> before, IEnumerable<ListedProcess> visible)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        // The kind has a column of its own.
        foreach (var key in visible.SelectMany(process => process.Kvps.Select(kvp => kvp.Key)).Where(key => key != "kind"))
        {
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }

        var kept = before.Where(counts.ContainsKey).ToList();
        var others = counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Key).Except(kept);
        return [.. kept.Concat(others).Take(Most)];
    }
}
