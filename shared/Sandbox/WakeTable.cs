namespace Eddy.Sandbox;

/// <summary>Which rules a change set wakes: the host's copy of the order that the cell keeps.</summary>
internal sealed class WakeTable
{
    private static readonly int[] None = [];

    private readonly Dictionary<string, int[]> _own = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int[]> _shared = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int[]> _child = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int[]> _parent = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);
    private readonly int[] _star;

    public WakeTable(IReadOnlyList<LoadedRule> rules)
    {
        Rules = rules;

        // One pass: the entries are the tenant's, and there may be very many.
        var star = new List<int>();
        var own = new Dictionary<string, List<int>>(StringComparer.Ordinal);
        var shared = new Dictionary<string, List<int>>(StringComparer.Ordinal);
        var child = new Dictionary<string, List<int>>(StringComparer.Ordinal);
        var parent = new Dictionary<string, List<int>>(StringComparer.Ordinal);
        for (var i = 0; i < rules.Count; i++)
        {
            _index[rules[i].Id] = i;
            foreach (var entry in rules[i].ListensTo)
            {
                Note(
                    entry == "*" ? star
                    : entry.StartsWith("shared.", StringComparison.Ordinal) ? Of(shared, entry[7..])
                    : entry.StartsWith("child.", StringComparison.Ordinal) ? Of(child, entry[6..])
                    : entry.StartsWith("parent.", StringComparison.Ordinal) ? Of(parent, entry[7..])
                    : Of(own, entry), i);
            }
        }

        _star = [.. star];
        foreach (var (key, some) in own)
        {
            _own[key] = star.Count == 0 ? [.. some] : [.. some.Union(star).Order()];
        }

        foreach (var (key, some) in shared)
        {
            _shared[key] = [.. some];
        }

        foreach (var (key, some) in parent)
        {
            _parent[key] = [.. some];
        }

        foreach (var (key, some) in child)
        {
            _child[key] = [.. some];
        }

        static List<int> Of(Dictionary<string, List<int>> some, string key) => some.TryGetValue(key, out var list) ? list : some[key] = [];

        static void Note(List<int> some, int rule)
        {
            if (some.Count == 0 || some[^1] != rule)
            {
                some.Add(rule);
            }
        }
    }

    public IReadOnlyList<LoadedRule> Rules { get; }

    public int IndexOf(string rule) => _index.GetValueOrDefault(rule, -1);

    /// <summary>There are rules that wake by what changes in the processes below or above.</summary>
    public bool Reaches => _child.Count + _parent.Count > 0;

    /// <summary>The rules that a change of this key wakes in each process below, in order.</summary>
    public int[] WokenBelow(string key) => _parent.GetValueOrDefault(key, None);

    /// <summary>The rules that a change of this key wakes in the process above, in order.</summary>
    public int[] WokenAbove(string key) => _child.GetValueOrDefault(key, None);

    /// <summary>The rules that a change of this key wakes, in order.</summary>
    public int[] Woken(long pid, string key) =>
        pid == 0 ? _shared.GetValueOrDefault(key, None) : _own.GetValueOrDefault(key, _star);

    /// <summary>The union of what was woken before and what this key wakes.</summary>
    public int[] Woken(int[]? before, long pid, string key)
    {
        var more = Woken(pid, key);
        return before is null || before.Length == 0 || ReferenceEquals(before, more) ? more
            : more.Length == 0 ? before
            : [.. before.Union(more).Order()];
    }
}
