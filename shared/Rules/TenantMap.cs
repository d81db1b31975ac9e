using System.Globalization;
using System.Text.RegularExpressions;

namespace Eddy.Rules;

/// <summary>A tenant as what flows through it: from doors to keys, from keys to the rules that they wake, from these to what they set and whom they tell. As far as the texts say, with what really flowed.</summary>
/// <param name="Loops">Sentences, one for each loop.</param>
public sealed partial record TenantMap(IReadOnlyList<MapNode> Nodes, IReadOnlyList<MapEdge> Edges, IReadOnlyList<string> Loops)
{
    public static TenantMap Of(MapFacts facts) => new Building(facts).Build();

    [GeneratedRegex("""\bload_card\(\s*["']([A-Za-z0-9_-]{1,100})["']""")]
    private static partial Regex CardCall { get; }

    [GeneratedRegex(@"\bsend_email\(")]
    private static partial Regex MailCall { get; }

    [GeneratedRegex(@"\.([A-Za-z_][A-Za-z0-9_]*)")]
    private static partial Regex Member { get; }

    private sealed class Building(MapFacts facts)
    {
        private readonly Dictionary<string, MapNode> _nodes = new(StringComparer.Ordinal);
        private readonly Dictionary<(string From, string To), MapEdge> _edges = [];

        public TenantMap Build()
        {
            var never = facts.Never.ToDictionary(key => key.Key, StringComparer.Ordinal);
            foreach (var rule in facts.Rules)
            {
                Add(rule, never);
            }

            foreach (var key in facts.Traffic.Keys.Where(key => key.Rule is null))
            {
                Join(Door(key.Source), Key(key.Key), key.Count);
            }

            foreach (var (name, keys) in facts.Drips)
            {
                var drip = Add(new MapNode($"drip:{name}", MapKind.Door, name) { Address = "schedules", Rate = "drip" });
                foreach (var key in keys)
                {
                    Join(drip, Key(key), 0);
                }
            }

            foreach (var (path, text) in facts.Pages)
            {
                AddPage(path, text);
            }

            return new TenantMap([.. _nodes.Values], Marked(), [.. facts.Graph.Loops.Select(Sentence)]);
        }

        private void Add(PlacedRule rule, Dictionary<string, KeyOfRules> never)
        {
            var look = rule.Look;
            var traffic = facts.Traffic.Rules.FirstOrDefault(one => one.Rule == rule.Id);
            if (!rule.IsRule && look.Writes.Count == 0 && !look.UnknownWrites)
            {
                return;
            }

            var node = Add(new MapNode(rule.IsRule ? $"rule:{rule.Id}" : $"file:{rule.File}", rule.IsRule ? MapKind.Rule : MapKind.Door, rule.IsRule ? look.Name : rule.File)
            {
                Address = $"rules/{rule.File}{(rule.IsRule ? $"?line={look.Line}" : "")}",
                Rate = facts.Off.Contains(rule.Id) ? "switched off" : traffic is null ? null : Rate(traffic),
                IsHot = traffic is not null,
                IsFailing = facts.Off.Contains(rule.Id) || traffic?.Failed > 0,
                Warning = look.UnknownWrites ? $"{(rule.IsRule ? look.Name : rule.File)} may set other keys too: one is computed." : null,
            });
            foreach (var entry in look.ListensTo ?? [])
            {
                var key = RuleGraph.Awaited(entry);
                var from = Key(key);
                if (never.TryGetValue(key, out var unset))
                {
                    _nodes[from] = _nodes[from] with { Warning = $"{string.Join(", ", unset.Rules.Select(NameOf))} {(unset.Rules.Count == 1 ? "listens" : "listen")} to {key}, and nobody sets it." };
                }

                Join(from, node, Math.Min(facts.Traffic.Keys.Where(one => one.Key == key).Sum(one => one.Count), traffic?.Woken ?? 0));
            }

            foreach (var key in look.Writes.Select(RuleGraph.Written).Distinct(StringComparer.Ordinal))
            {
                Join(node, Key(key), facts.Traffic.Keys.Where(one => one.Key == key && one.Rule == rule.Id).Sum(one => one.Count));
            }

            if (look.Schedule is { } schedule)
            {
                Join(Add(new MapNode($"clock:{rule.Id}", MapKind.Door, schedule.Length > 0 ? schedule : "a schedule") { Address = "schedules", Rate = "by the clock" }), node, 0);
            }

            AddFaces(rule, node);
        }

        // What a rule tells people, as its lines say, and as it did.
        private void AddFaces(PlacedRule rule, string node)
        {
            var told = facts.Traffic.Told.Where(one => one.Rule == rule.Id).ToList();
            var lines = facts.Texts.TryGetValue(rule.File, out var text) ? text.Split('\n').Skip(rule.Look.Line - 1).Take(rule.Look.EndLine - rule.Look.Line + 1).Select(WithoutComment).ToList() : [];
            if (lines.Exists(MailCall.IsMatch) || told.Exists(one => one.Card is null))
            {
                Join(node, Add(new MapNode("mail", MapKind.Face, "mail") { Address = "outbox" }), told.Where(one => one.Card is null).Sum(one => one.Count));
            }

            foreach (var card in lines.SelectMany(line => CardCall.Matches(line).Select(call => call.Groups[1].Value)).Concat(told.Select(one => one.Card).OfType<string>()).Distinct(StringComparer.Ordinal))
            {
                Join(node, Add(new MapNode($"card:{card}", MapKind.Face, card) { Address = $"rules/card_html_files/{card}.html", Rate = "card" }), told.Where(one => one.Card == card).Sum(one => one.Count));
            }
        }

        // A page names keys behind a dot, whatever stands before it.
        private void AddPage(string path, string text)
        {
            var page = new MapNode($"page:{path}", MapKind.Face, path["pages/".Length..]) { Address = $"rules/{path}", Rate = "page" };
            foreach (var name in Member.Matches(text).Select(member => member.Groups[1].Value).Distinct(StringComparer.Ordinal))
            {
                foreach (var key in new[] { $"key:{name}", $"key:shared.{name}" }.Where(_nodes.ContainsKey))
                {
                    Join(key, Add(page), 0);
                }
            }
        }

        private string Door(string? source)
        {
            var name = source switch { null or "" => "other", "post" => "POST", "ide" => "IDE", "api" => "API", var other => other.Split(':')[0] };
            return Add(new MapNode($"door:{name}", MapKind.Door, name) { Address = "runs/live", IsHot = true });
        }

        private string Key(string key)
        {
            var count = facts.Traffic.Keys.Where(one => one.Key == key).Sum(one => one.Count);
            return Add(new MapNode($"key:{key}", MapKind.Key, key == "*" ? "any key" : key)
            {
                Address = key.StartsWith("shared.", StringComparison.Ordinal) ? "shared" : key == "*" ? "processes" : $"processes?key={Uri.EscapeDataString(key)}",
                Rate = count > 0 ? string.Create(CultureInfo.InvariantCulture, $"{count}/h") : null,
                IsHot = count > 0,
            });
        }

        private string Add(MapNode node)
        {
            _nodes.TryAdd(node.Id, node);
            return node.Id;
        }

        private void Join(string from, string to, long count) =>
            _edges[(from, to)] = _edges.TryGetValue((from, to), out var known) ? known with { Count = known.Count + count } : new MapEdge(from, to, count, false);

        // An edge of a loop leads from one of its rules to one of its keys, or back.
        private List<MapEdge> Marked()
        {
            var loops = facts.Graph.Loops.Select(loop => loop.Rules.Select(rule => $"rule:{rule}").Concat(loop.Keys.Select(key => $"key:{key}")).ToHashSet(StringComparer.Ordinal)).ToList();
            return [.. _edges.Values.Select(edge => loops.Exists(loop => loop.Contains(edge.From) && loop.Contains(edge.To)) ? edge with { IsLoop = true } : edge)];
        }

        private static string Rate(RuleTraffic traffic) => traffic switch
        {
            { Failed: > 0 } => string.Create(CultureInfo.InvariantCulture, $"{traffic.Woken} woken, {traffic.Failed} failed"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{traffic.Woken} woken, {traffic.Ran} ran"),
        };

        private static string Sentence(RuleLoop loop) =>
            $"{string.Join(" and ", loop.Rules.Select(NameOf))} {(loop.Rules.Count == 1 ? "wakes itself" : "wake one another")} by {string.Join(", ", loop.Keys)}{(loop.Guarded ? $"; the check of {string.Join(", ", loop.Guards.Select(NameOf))} can end that." : ", and no check ends that.")}";

        private static string NameOf(string rule) => rule[(rule.LastIndexOf(':') + 1)..];

        private static string WithoutComment(string line) => line.TrimStart().StartsWith('#') ? "" : line;
    }
}

/// <summary>What a map is made of.</summary>
/// <param name="Rules">With libraries and API scripts.</param>
/// <param name="Never">Keys that rules listen to and nobody sets.</param>
/// <param name="Off">Rules that are switched off.</param>
/// <param name="Texts">The texts in force, by path.</param>
/// <param name="Pages">Those of pages.</param>
/// <param name="Drips">With the keys that they set.</param>
public sealed record MapFacts(
    IReadOnlyList<PlacedRule> Rules, RuleGraph Graph, IReadOnlyList<KeyOfRules> Never, IReadOnlySet<string> Off, IReadOnlyDictionary<string, string> Texts,
    IReadOnlyList<(string Path, string Text)> Pages, IReadOnlyList<(string Name, IReadOnlyList<string> Keys)> Drips, Traffic Traffic);

/// <summary>What flowed in the last hour.</summary>
/// <param name="IsCut">There was more than is counted: it is the last part of it.</param>
public sealed record Traffic(IReadOnlyList<KeyTraffic> Keys, IReadOnlyList<RuleTraffic> Rules, IReadOnlyList<ToldTraffic> Told, bool IsCut)
{
    public static readonly Traffic None = new([], [], [], false);
}

/// <summary>How often a key was set: by a door, or by a rule.</summary>
/// <param name="Key">A shared one as <c>shared.key</c>.</param>
public sealed record KeyTraffic(string Key, string? Source, string? Rule, long Count);

/// <summary>How often a rule was woken, and how that ended.</summary>
public sealed record RuleTraffic(string Rule, long SaidNo, long Ran, long Failed)
{
    public long Woken => SaidNo + Ran + Failed;
}

/// <summary>How often a rule sent mail, or showed a card.</summary>
/// <param name="Card">Null for mail.</param>
public sealed record ToldTraffic(string Rule, string? Card, long Count);

/// <summary>What a node of a map is.</summary>
public enum MapKind
{
    Door,
    Key,
    Rule,
    Face,
}

/// <summary>Something in a map.</summary>
/// <param name="Id">Unique in it.</param>
public sealed record MapNode(string Id, MapKind Kind, string Name)
{
    /// <summary>Where its source is, below the tenant's address.</summary>
    public string? Address { get; init; }

    /// <summary>What is said of it in two or three words.</summary>
    public string? Rate { get; init; }

    /// <summary>Something flowed through it.</summary>
    public bool IsHot { get; init; }

    public bool IsFailing { get; init; }

    /// <summary>What is wrong with it, in a sentence; null for nothing.</summary>
    public string? Warning { get; init; }
}

/// <summary>Something flows from one to the other.</summary>
/// <param name="Count">How often it did.</param>
public sealed record MapEdge(string From, string To, long Count, bool IsLoop);
