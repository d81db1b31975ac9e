namespace Eddy.Sandbox;

/// <summary>Which rules a change set wakes: the host's copy of the order that the cell keeps.</summary>
internal sealed class WakeTable
{
    private static readonly int[] None = [];

    private readonly Dictionary<string, int[]> _own = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int[]> _shared = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);
    private readonly int[] _star;

    public WakeTable(IReadOnlyList<LoadedRule> rules)
    {
        Rules = rules;
        _star = Where(entry => entry == "*");
        foreach (var entry in rules.SelectMany(rule => rule.ListensTo).Distinct(StringComparer.Ordinal))
        {
            if (entry.StartsWith("shared.", StringComparison.Ordinal))
            {
                _shared[entry[7..]] = Where(other => other == entry);
            }
            else if (entry != "*")
            {
                _own[entry] = Where(other => other == entry || other == "*");
            }
        }

        for (var i = 0; i < rules.Count; i++)
        {
            _index[rules[i].Id] = i;
        }

        int[] Where(Func<string, bool> listens) =>
            [.. Enumerable.Range(0, rules.Count).Where(i => rules[i].ListensTo.Any(listens))];
    }

    public IReadOnlyList<LoadedRule> Rules { get; }

    public int IndexOf(string rule) => _index.GetValueOrDefault(rule, -1);

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
