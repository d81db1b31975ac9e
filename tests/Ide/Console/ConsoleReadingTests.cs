using CsCheck;
using Eddy.Access;
using Eddy.Ide.Console;
using Eddy.Kvps;
using Eddy.Rules;

namespace Eddy.Tests.Ide.Console;

public sealed class ConsoleReadingTests
{
    private static readonly ActorAccess All = ActorAccess.OfTenant(new Actor.ForTenant("key:test"));
    private static readonly ActorAccess Nothing = new AccessRules(1, [], []).Of(new Actor.OfAddress("ann@acme.test"));

    private static readonly PlacedRule[] Rules =
    [
        Rule("high", "temperature"), Rule("any", "*"), Rule("shared", "shared.temperature"), Rule("above", "child.temperature"), Rule("below", "parent.temperature"), Rule("computed", null), Rule("other", "door"),
    ];

    [Theory]
    [InlineData("95", "whole number", null)]
    [InlineData("95.50", "number", null)]
    [InlineData("0.1000000000000000055511151231257827", "number", "rounded")]
    [InlineData("B12", "text", null)]
    [InlineData("0170 555 0123", "text", "leading zero")]
    [InlineData("007", "text", "leading zero")]
    [InlineData("0", "whole number", null)]
    [InlineData("+49 30 1", "text", "plus sign: text")]
    [InlineData("1e5", "text", "exponent: text")]
    [InlineData("1,5", "text", "comma: text")]
    [InlineData("11/23/2026 02:03:00 PM", "date-time", "month first")]
    [InlineData("11/23/2026", "date", "month first")]
    [InlineData("23/11/2026", "text", "no such date: month first")]
    [InlineData("2026-11-23T14:03", "date-time", null)]
    [InlineData("2026-02-30", "text", "no such date")]
    [InlineData("""["cold", "north"]""", "list", null)]
    [InlineData("[cold, north]", "text", "not a list: text")]
    [InlineData("\"open", "text", "quote stays open")]
    [InlineData("\"95\"", "text", null)]
    [InlineData("", "text", "empty")]
    [InlineData("True", "yes or no", null)]
    [InlineData("none", "none", null)]
    public void What_a_value_is_and_what_surprises_in_it_is_said(string written, string kind, string? note)
    {
        var line = KvpText.ReadLines($"key := {written}", 1).Lines.ShouldHaveSingleItem();

        ValueNote.Kind(line.Value).ShouldBe(kind);
        ValueNote.Of(line.Written, line.Value).ShouldBe(note);
    }

    [Fact]
    public void Each_line_says_how_it_is_read_and_of_two_with_one_key_the_first_counts()
    {
        var (lines, changes, faults) = KvpText.ReadLines("a := 1\n\nb := \"\"\"two\nlines\"\"\"\na := 2\n? what", 10);

        lines.Select(line => $"{line.Line} {line.Key} {line.Value} {line.Counts}").ShouldBe(["1 a 1 True", "3 b \"two\\nlines\" True", "5 a 2 False"]);
        changes.Select(change => change.Key).ShouldBe(["a", "b"]);
        faults.ShouldHaveSingleItem().Line.ShouldBe(6);
    }

    [Fact]
    public void Lines_come_to_the_same_as_the_text_does() =>
        Gen.OneOf("a := 1", "b := [1,\n2]", "a := two", "c := \"\"\"x\ny\"\"\"", "nonsense", "", ":= 3", "d := {\"x\": 1}").Array[0, 8].Sample(parts =>
        {
            var text = string.Join('\n', parts);

            var (lines, changes, faults) = KvpText.ReadLines(text, 20);

            var (expected, wrong) = KvpText.ReadAll(text, 20);
            changes.ShouldBe(expected);
            faults.ShouldBe(wrong);
            lines.Where(line => line.Counts).Select(line => new Change(line.Key, line.Value)).ShouldBe(expected);
        });

    [Theory]
    [InlineData(null, "high any", "computed")]
    [InlineData(15L, "high any", "above below computed")]
    [InlineData(0L, "shared", "")]
    public void Whom_it_wakes_depends_on_where_it_is_set(long? pid, string surely, string perhaps)
    {
        var wakes = Wakes.Of(Rules, ["temperature"], new ConsoleTarget(pid));

        string.Join(' ', wakes.Surely.Select(rule => rule.Look.Name)).ShouldBe(surely);
        string.Join(' ', wakes.Perhaps.Select(rule => rule.Look.Name)).ShouldBe(perhaps);
    }

    [Fact]
    public void What_may_not_be_set_is_said_before_it_is_sent()
    {
        var reading = ConsoleReading.Of("temperature := 95", ConsoleTarget.New, Nothing, null, Rules);

        reading.CanSend.ShouldBeFalse();
        reading.Refusal.ShouldBe("ann@acme.test may not set temperature of a process without a kind: no entry lets public do that.");
        ConsoleReading.Of("temperature := 95", ConsoleTarget.New, All, null, Rules).CanSend.ShouldBeTrue();
    }

    [Fact]
    public void A_line_that_is_wrong_is_named_and_nothing_is_sent()
    {
        var reading = ConsoleReading.Of("a := 1\nnonsense", ConsoleTarget.New, All, null, Rules);

        reading.CanSend.ShouldBeFalse();
        reading.Refusal!.ShouldStartWith("Line 2: This line is no KVP");
        reading.Lines.ShouldHaveSingleItem().Key.ShouldBe("a");
    }

    private static PlacedRule Rule(string name, string? listens) => new("scripts/r.py", new RuleLook(name, 1, 9, listens is null ? null : [listens], null, [], [], [], false, false));
}
