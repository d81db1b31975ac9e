using Eddy.Ide.Map;
using Eddy.Rules;

namespace Eddy.Tests.Ide.Map;

/// <summary>What a map has, and where it stands.</summary>
public sealed class MapTests
{
    [Fact]
    public void What_flows_goes_to_the_right_from_doors_by_keys_and_rules_to_whom_they_tell()
    {
        var layout = MapLayout.Of(MapOf(
            [Rule("hot", ["temperature"], ["alert"]), Rule("tell", ["alert"], ["shared.told"])],
            new Traffic([new("temperature", "post", null, 7), new("alert", null, "scripts/a.py:hot", 2)], [new("scripts/a.py:hot", 5, 2, 0)], [new("scripts/a.py:tell", "card", 1), new("scripts/a.py:tell", null, 1)], false)));

        layout.Columns.Select(column => column.Name).ShouldBe(["Doors", "Keys set from outside", "Rules", "Keys they set", "Rules", "Keys they set", "Faces"]);
        X("door:POST").ShouldBeLessThan(X("key:temperature"));
        X("rule:scripts/a.py:hot").ShouldBeLessThan(X("key:alert"));
        X("rule:scripts/a.py:tell").ShouldBeLessThan(X("card:card"));
        layout.Edges.ShouldAllBe(edge => !edge.IsBack);
        layout.Edges.Single(edge => edge.Edge.From == "key:temperature").Edge.Count.ShouldBe(7);
        Node("rule:scripts/a.py:hot").Rate.ShouldBe("7 woken, 2 ran");
        Node("key:temperature").Rate.ShouldBe("7/h");

        double X(string id) => layout.Nodes.Single(place => place.Node.Id == id).X;
        MapNode Node(string id) => layout.Nodes.Single(place => place.Node.Id == id).Node;
    }

    [Fact]
    public void A_loop_and_a_key_that_nobody_sets_stand_out_with_a_sentence()
    {
        var map = MapOf([Rule("up", ["n"], ["m"]), Rule("down", ["m"], ["n"]), Rule("lost", ["romo"], [])], Traffic.None, "romo");

        map.Loops.ShouldHaveSingleItem().ShouldBe("up and down wake one another by m, n, and no check ends that.");
        map.Edges.Where(edge => edge.IsLoop).Count().ShouldBe(4);
        map.Nodes.Single(node => node.Warning is not null).ShouldSatisfyAllConditions(node => node.Id.ShouldBe("key:romo"), node => node.Warning.ShouldBe("lost listens to romo, and nobody sets it."));
        MapLayout.Of(map).Edges.Count(edge => edge.IsBack).ShouldBe(1);
    }

    [Fact]
    public void Mails_cards_and_pages_are_there_as_the_texts_say()
    {
        var map = TenantMap.Of(new MapFacts(
            [Rule("tell", ["alert"], [])], RuleGraph.Of([Rule("tell", ["alert"], [])]), [], new HashSet<string>(),
            new Dictionary<string, string> { ["scripts/a.py"] = "class tell(Rule):\n    def action(self):\n        send_email('a@b.test', 'x')\n        load_card(\"heat\")\n        # load_card('never')\n" },
            [("pages/index.html", "{{ process.alert }} {{ shared.other }}")], [("night", ["alert"])], Traffic.None));

        map.Edges.Select(edge => (edge.From, edge.To)).ShouldBe(
            [("key:alert", "rule:scripts/a.py:tell"), ("rule:scripts/a.py:tell", "mail"), ("rule:scripts/a.py:tell", "card:heat"), ("drip:night", "key:alert"), ("key:alert", "page:pages/index.html")], ignoreOrder: true);
    }

    [Fact]
    public void Two_hundred_rules_stand_beside_one_another_and_none_on_another()
    {
        var layout = MapLayout.Of(MapOf([.. Enumerable.Range(0, 200).Select(n => Rule($"rule_number_{n}", [$"key_{n % 40}"], [$"key_{40 + (n % 90)}"])), .. Enumerable.Range(0, 90).Select(n => Rule($"later_{n}", [$"key_{40 + n}"], [$"last_{n % 7}"]))], Traffic.None));

        layout.Nodes.Count.ShouldBe(200 + 90 + 40 + 90 + 7);
        foreach (var column in layout.Nodes.GroupBy(place => place.X))
        {
            column.OrderBy(place => place.Y).Zip(column.OrderBy(place => place.Y).Skip(1)).ShouldAllBe(two => two.Second.Y - two.First.Y > PlacedNode.Height);
        }

        layout.Nodes.Where(place => place.Y + PlacedNode.Height > layout.Height || place.X + place.Width > layout.Width).ShouldBeEmpty();
    }

    private static PlacedRule Rule(string name, string[] listens, string[] writes) => new("scripts/a.py", new RuleLook(name, 1, 20, listens, null, [], [], writes, false, false));

    private static TenantMap MapOf(IReadOnlyList<PlacedRule> rules, Traffic traffic, params string[] never)
    {
        var graph = RuleGraph.Of(rules);
        return TenantMap.Of(new MapFacts(rules, graph, [.. graph.Unset.Where(unset => never.Contains(unset.Key))], new HashSet<string>(), new Dictionary<string, string>(), [], [], traffic));
    }
}
