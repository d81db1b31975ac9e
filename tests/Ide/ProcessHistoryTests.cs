using Eddy.Events;
using Eddy.Ide.Processes;
using Eddy.Runs;
using Eddy.Sandbox;

namespace Eddy.Tests.Ide;

public sealed class ProcessHistoryTests
{
    private readonly ProcessHistory _history = new();

    [Fact]
    public void Change_sets_stand_the_last_first_without_those_of_which_nothing_may_be_seen()
    {
        _history.AddOlder([Event(4, "secret"), Event(3, "b", set: 2), Event(2, "a")]);
        _history.Add([Event(5, "a")], [], isStill: false);
        _history.Draw(change => change.Key != "secret", anew: false);

        _history.Lines.Select(line => (line.Set, string.Join(' ', line.Changes.Select(change => change.Key)))).ShouldBe([(5, "a"), (2, "a b")]);
    }

    [Fact]
    public void What_is_told_twice_is_there_once_and_a_line_that_stays_is_the_same()
    {
        _history.Add([Event(1, "a"), Event(2, "a")], [], isStill: false);
        _history.Draw(_ => true, anew: false);
        var before = _history.Lines;

        _history.Add([Event(2, "a")], [], isStill: false).ShouldBeFalse();
        _history.Add([Event(2, "a"), Event(3, "a")], [], isStill: false).ShouldBeTrue();
        _history.Draw(_ => true, anew: false);

        _history.Lines.Count.ShouldBe(3);
        _history.Lines[1].ShouldBeSameAs(before[0]);
        _history.Lines[2].ShouldBeSameAs(before[1]);
    }

    [Fact]
    public void A_run_shows_at_what_woke_it_and_its_rule_at_what_it_changed()
    {
        _history.Add([Event(1, "a")], [], isStill: false);
        _history.Add([Event(2, "b", cause: 7)], [Run(7, RunOutcome.Ran, 1), Run(8, RunOutcome.Failed, 1)], isStill: false);
        _history.Draw(_ => true, anew: false);

        _history.Lines[1].Failed.ShouldBe("scripts/heat.py:alert");
        _history.RuleOf(_history.Lines[0].First.Cause).ShouldBe("scripts/heat.py:alert");
    }

    [Fact]
    public void The_oldest_go_as_more_come_but_not_while_somebody_looks_at_the_past()
    {
        for (var position = 1; position <= ProcessHistory.Least + 10; position++)
        {
            _history.Add([Event(position, "a")], [], isStill: true);
        }

        _history.Draw(_ => true, anew: false);
        _history.Lines.Count.ShouldBe(ProcessHistory.Least + 10);
        _history.HasDropped.ShouldBeFalse();
        _history.Add([Event(1000, "a")], [], isStill: false);
        _history.Draw(_ => true, anew: false);
        _history.Lines.Count.ShouldBe(ProcessHistory.Least);
        _history.Oldest.ShouldBe(12);
        _history.HasDropped.ShouldBeTrue();

        _history.AddOlder([.. Enumerable.Range(1, 11).Reverse().Select(position => Event(position, "a"))]);
        _history.Add([Event(1001, "a")], [], isStill: false);
        _history.Draw(_ => true, anew: false);
        _history.Lines.Count.ShouldBe(ProcessHistory.Least + 11);
        _history.Oldest.ShouldBe(2);
    }

    [Fact]
    public void What_came_after_a_moment_is_told_the_last_first()
    {
        _history.Add([Event(1, "a"), Event(2, "a"), Event(3, "b", set: 2), Event(4, "a")], [], isStill: false);

        _history.After(1).Select(change => change.Position).ShouldBe([4, 3, 2]);
    }

    private static StoredEvent Event(long position, string key, long? set = null, long? cause = null) =>
        new(position, DateTimeOffset.UnixEpoch, 15, key, "1", null, "key:test", "post", cause, set ?? position, Guid.Empty);

    private static StoredRun Run(long id, RunOutcome outcome, long set) =>
        new(id, DateTimeOffset.UnixEpoch, "scripts/heat.py:alert", null, 1, 15, set, Guid.Empty, 0, outcome, null, 0, TimeSpan.Zero, TimeSpan.Zero, null, null, null);
}
