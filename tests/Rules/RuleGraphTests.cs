using CsCheck;
using Eddy.Rules;

namespace Eddy.Tests.Rules;

/// <summary>Who wakes whom, from what each rule listens to, reads and writes.</summary>
public sealed class RuleGraphTests
{
    [Theory]
    [InlineData("b", "b", "b")]
    [InlineData("b c", "b c d", "b c")]
    [InlineData("b", "*", "b")]
    [InlineData("shared.b", "shared.b", "shared.b")]
    [InlineData("shared.b", "*", null)]
    [InlineData("shared.b", "b", null)]
    [InlineData("b", "shared.b", null)]
    [InlineData("b", "child.b", "b")]
    [InlineData("b", "parent.b", "b")]
    [InlineData("child.b", "b", "b")]
    [InlineData("new_child.b", "child.b", "b")]
    [InlineData("process.b", "b", "b")]
    [InlineData("b", "c", null)]
    public void A_rule_wakes_one_that_listens_to_what_it_writes(string writes, string listens, string? by)
    {
        var graph = RuleGraph.Of([Rule("one", "a", writes: writes), Rule("two", listens)]);

        graph.Edges.Where(edge => edge.From.EndsWith(":one", StringComparison.Ordinal)).Select(edge => (edge.To, string.Join(' ', edge.Keys)))
            .ShouldBe(by is null ? [] : [("scripts/r.py:two", by)]);
    }

    [Fact]
    public void A_loop_is_found_with_its_keys_and_only_those_who_are_in_it()
    {
        var graph = RuleGraph.Of([Rule("before", "start", writes: "a"), Rule("one", "a", writes: "b"), Rule("two", "b", writes: "a c"), Rule("after", "c")]);

        var loop = graph.Loops.ShouldHaveSingleItem();
        loop.Rules.ShouldBe(["scripts/r.py:one", "scripts/r.py:two"]);
        loop.Keys.ShouldBe(["a", "b"]);
        (loop.Guarded, loop.Guards.Count).ShouldBe((false, 0));
    }

    [Fact]
    public void A_rule_that_writes_what_it_listens_to_is_a_loop_of_its_own() =>
        RuleGraph.Of([Rule("one", "*", writes: "a")]).Loops.ShouldHaveSingleItem().Rules.ShouldBe(["scripts/r.py:one"]);

    [Theory]
    [InlineData("", "", false)]
    [InlineData("a", "", true)]
    [InlineData("", "b", true)]
    [InlineData("parent.a", "", true)]
    [InlineData("elsewhere", "", false)]
    public void A_check_that_reads_what_the_loop_writes_guards_it(string first, string second, bool guarded)
    {
        var loop = RuleGraph.Of([Rule("one", "a", checkReads: first, writes: "b"), Rule("two", "b", checkReads: second, writes: "a")]).Loops.ShouldHaveSingleItem();

        loop.Guarded.ShouldBe(guarded);
        loop.Guards.Count.ShouldBe(guarded ? 1 : 0);
    }

    [Fact]
    public void A_loop_with_a_way_round_its_guard_is_not_guarded()
    {
        var loop = RuleGraph.Of([Rule("guard", "a", checkReads: "a", writes: "a"), Rule("one", "a", writes: "b"), Rule("two", "b", writes: "a")]).Loops.ShouldHaveSingleItem();

        loop.Guards.ShouldBe(["scripts/r.py:guard"]);
        loop.Guarded.ShouldBeFalse();
    }

    [Fact]
    public void Keys_that_no_rule_sets_and_that_none_reads_are_told_with_their_rules()
    {
        var graph = RuleGraph.Of([Rule("one", "a shared.s b *", reads: "d", writes: "b c shared.t"), Rule("two", "a", writes: "d e", reads: "t")]);

        graph.Unset.Select(key => $"{key.Key}: {string.Join(' ', key.Rules)}").ShouldBe(["a: scripts/r.py:one scripts/r.py:two", "shared.s: scripts/r.py:one"]);

        // Whoever listens to everything reads it.
        graph.Unread.ShouldBeEmpty();
        RuleGraph.Of([Rule("one", "a", reads: "d", writes: "b c shared.t"), Rule("two", "a b", writes: "d e", reads: "t")]).Unread.Select(key => key.Key).ShouldBe(["c", "e"]);
    }

    [Fact]
    public void Where_a_rule_may_write_or_read_anything_nothing_is_said_of_keys()
    {
        var unknown = Rule("two", "q");

        RuleGraph.Of([Rule("one", "a", writes: "b"), unknown with { Look = unknown.Look with { UnknownWrites = true } }]).Unset.ShouldBeEmpty();
        RuleGraph.Of([Rule("one", "a", writes: "b"), unknown with { Look = unknown.Look with { UnknownReads = true } }]).Unread.ShouldBeEmpty();
        RuleGraph.Of([Rule("one", "a", writes: "b"), unknown with { Look = unknown.Look with { ListensTo = null } }]).Unread.ShouldBeEmpty();
        RuleGraph.Of([Rule("one", "a", writes: "b"), unknown]).Unread.ShouldHaveSingleItem();
    }

    [Fact]
    public void Circles_are_those_who_reach_one_another()
    {
        Gen.Int[1, 12].SelectMany(nodes => Gen.Select(Gen.Int[0, nodes - 1], Gen.Int[0, nodes - 1]).Array[0, 30].Select(edges => (nodes, edges))).Sample((nodes, edges) =>
        {
            var reaches = new bool[nodes, nodes];
            foreach (var (from, to) in edges)
            {
                reaches[from, to] = true;
            }

            for (var by = 0; by < nodes; by++)
            {
                for (var from = 0; from < nodes; from++)
                {
                    for (var to = 0; to < nodes; to++)
                    {
                        reaches[from, to] |= reaches[from, by] && reaches[by, to];
                    }
                }
            }

            var circles = Circles.Of(nodes, edges.ToLookup(edge => edge.Item1, edge => edge.Item2));

            var expected = Enumerable.Range(0, nodes).Where(node => reaches[node, node])
                .GroupBy(node => Enumerable.Range(0, nodes).First(other => reaches[node, other] && reaches[other, node])).Select(group => string.Join(' ', group));
            circles.Select(members => string.Join(' ', members)).ShouldBe(expected);
        });
    }

    private static PlacedRule Rule(string name, string listens, string checkReads = "", string reads = "", string writes = "") =>
        new("scripts/r.py", new RuleLook(name, 1, 2, Words(listens), null, [.. Words(reads), .. Words(checkReads)], Words(checkReads), Words(writes), false, false));

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
