namespace Eddy.Rules;

/// <summary>Who wakes whom among a tenant's rules, as far as their texts say.</summary>
/// <param name="Edges">From a rule that writes keys to one that listens to them.</param>
/// <param name="Loops">Rules that may wake themselves or one another for ever.</param>
/// <param name="Unset">Keys that rules listen to and no rule writes, with those that listen. They may come from outside.</param>
/// <param name="Unread">Keys that rules write and no rule reads or listens to, with those that write. Somebody outside may read them.</param>
public sealed record RuleGraph(IReadOnlyList<RuleEdge> Edges, IReadOnlyList<RuleLoop> Loops, IReadOnlyList<KeyOfRules> Unset, IReadOnlyList<KeyOfRules> Unread)
{
    private const string Shared = "shared.";
    private const string Any = "*";

    // Names what a process is, for people and look-ups.
    private const string Kind = "kind";

    public static RuleGraph Of(IReadOnlyList<PlacedRule> rules)
    {
        var writes = rules.Select(rule => rule.Look.Writes.Select(Written).ToHashSet(StringComparer.Ordinal)).ToList();
        var listens = rules.Select(rule => (rule.Look.ListensTo ?? []).Select(Awaited).ToHashSet(StringComparer.Ordinal)).ToList();
        var edges = EdgesOf(writes, listens);
        return new RuleGraph(
            [.. edges.Select(edge => new RuleEdge(rules[edge.From].Id, rules[edge.To].Id, edge.Keys))],
            LoopsOf(rules, writes, edges),
            UnsetOf(rules, writes, listens),
            UnreadOf(rules, writes, listens));
    }

    /// <summary>The key whose change an entry of listens_to waits for: of any process, or shared.</summary>
    internal static string Awaited(string entry) => Without(entry, "child.", "parent.");

    /// <summary>The key that a write changes: in whichever process, or shared.</summary>
    internal static string Written(string key) => Without(key, "child.", "parent.", "new_child.", "process.");

    private static string Without(string key, params ReadOnlySpan<string> prefixes)
    {
        foreach (var prefix in prefixes)
        {
            if (key.StartsWith(prefix, StringComparison.Ordinal))
            {
                return key[prefix.Length..];
            }
        }

        return key;
    }

    private static bool IsShared(string key) => key.StartsWith(Shared, StringComparison.Ordinal);

    private static List<(int From, int To, IReadOnlyList<string> Keys)> EdgesOf(List<HashSet<string>> writes, List<HashSet<string>> listens)
    {
        var listeners = new Dictionary<string, List<int>>(StringComparer.Ordinal);
        for (var to = 0; to < listens.Count; to++)
        {
            foreach (var key in listens[to])
            {
                (listeners.TryGetValue(key, out var known) ? known : listeners[key] = []).Add(to);
            }
        }

        var edges = new List<(int, int, IReadOnlyList<string>)>();
        for (var from = 0; from < writes.Count; from++)
        {
            var keys = new SortedDictionary<int, SortedSet<string>>();
            foreach (var key in writes[from])
            {
                foreach (var to in (listeners.GetValueOrDefault(key) ?? []).Concat(IsShared(key) ? [] : listeners.GetValueOrDefault(Any) ?? []))
                {
                    (keys.TryGetValue(to, out var known) ? known : keys[to] = new SortedSet<string>(StringComparer.Ordinal)).Add(key);
                }
            }

            foreach (var (to, between) in keys)
            {
                edges.Add((from, to, [.. between]));
            }
        }

        return edges;
    }

    private static List<RuleLoop> LoopsOf(IReadOnlyList<PlacedRule> rules, List<HashSet<string>> writes, List<(int From, int To, IReadOnlyList<string> Keys)> edges)
    {
        var to = edges.ToLookup(edge => edge.From, edge => edge.To);
        var loops = new List<RuleLoop>();
        foreach (var members in Circles.Of(rules.Count, to))
        {
            var inside = members.ToHashSet();
            var keys = edges.Where(edge => inside.Contains(edge.From) && inside.Contains(edge.To)).SelectMany(edge => edge.Keys).Distinct().Order(StringComparer.Ordinal).ToList();
            var written = members.SelectMany(member => writes[member]).ToHashSet(StringComparer.Ordinal);

            // A check that looks at what the loop writes can end it. Whether it does is for a run to show.
            var guards = members.Where(member => rules[member].Look.CheckReads.Select(Written).Any(written.Contains)).ToHashSet();
            var open = Circles.Of(rules.Count, edges.Where(edge => inside.Contains(edge.From) && inside.Contains(edge.To) && !guards.Contains(edge.From) && !guards.Contains(edge.To)).ToLookup(edge => edge.From, edge => edge.To));
            loops.Add(new RuleLoop([.. members.Select(member => rules[member].Id)], keys, [.. guards.Order().Select(guard => rules[guard].Id)], !open.Any()));
        }

        return loops;
    }

    private static List<KeyOfRules> UnsetOf(IReadOnlyList<PlacedRule> rules, List<HashSet<string>> writes, List<HashSet<string>> listens)
    {
        // Who writes what can not be seen may write any of them.
        if (rules.Any(rule => rule.Look.UnknownWrites))
        {
            return [];
        }

        var written = writes.SelectMany(keys => keys).ToHashSet(StringComparer.Ordinal);
        return KeysOf(rules, listens, key => key != Any && !written.Contains(key));
    }

    private static List<KeyOfRules> UnreadOf(IReadOnlyList<PlacedRule> rules, List<HashSet<string>> writes, List<HashSet<string>> listens)
    {
        if (rules.Any(rule => rule.Look.UnknownReads || rule.Look.ListensTo is null))
        {
            return [];
        }

        var read = rules.SelectMany(rule => rule.Look.Reads).Select(Written).Concat(listens.SelectMany(keys => keys)).ToHashSet(StringComparer.Ordinal);

        // Who listens to everything is told of it. In a rule that a shared KVP woke, self has it where the process has none of its own.
        return KeysOf(rules, writes, key => key != Kind && !read.Contains(key) && !read.Contains(IsShared(key) ? key[Shared.Length..] : Any));
    }

    private static List<KeyOfRules> KeysOf(IReadOnlyList<PlacedRule> rules, List<HashSet<string>> having, Func<string, bool> wanted) =>
    [
        .. having.SelectMany((keys, i) => keys.Where(wanted).Select(key => (Key: key, Rule: rules[i].Id)))
            .GroupBy(one => one.Key, one => one.Rule, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => new KeyOfRules(group.Key, [.. group])),
    ];
}

/// <summary>A rule's changes of these keys wake another.</summary>
public sealed record RuleEdge(string From, string To, IReadOnlyList<string> Keys);

/// <summary>Rules each of which can lead to each other one.</summary>
/// <param name="Keys">By which they wake one another.</param>
/// <param name="Guards">Those whose check reads a key that the loop writes.</param>
/// <param name="Guarded">There is no way round without one of these.</param>
public sealed record RuleLoop(IReadOnlyList<string> Rules, IReadOnlyList<string> Keys, IReadOnlyList<string> Guards, bool Guarded);

/// <summary>A key and the rules that have to do with it.</summary>
public sealed record KeyOfRules(string Key, IReadOnlyList<string> Rules);
