using Eddy.Schedules;
using Eddy.Tenants;

namespace Eddy.Tests.Schedules;

/// <summary>What becomes of a rule's schedule, decided without any database.</summary>
public sealed class DueTickTests
{
    private static readonly DueTick Daily = new(TenantId.New(), "scripts/a.py:daily", "30 2 * * *", "Europe/Berlin", null, At("2026-11-24T01:30:00Z"), null, 0, false, false, 500);

    [Fact]
    public void One_that_is_due_begins_with_the_processes_that_there_are()
    {
        var turn = Daily.Decide(At("2026-11-24T01:30:00.1Z"));

        turn.ShouldBe(new TickTurn(At("2026-11-25T01:30:00Z"), new Tick(At("2026-11-24T01:30:00Z"), 0, 500, 0), 0, null));
    }

    [Fact]
    public void One_that_was_missed_runs_once_and_says_so_at_its_end()
    {
        var turn = Daily.Decide(At("2026-11-27T12:00:00Z"));

        turn.Next.ShouldBe(At("2026-11-28T01:30:00Z"));
        turn.Tick!.Due.ShouldBe(At("2026-11-24T01:30:00Z"));
        turn.End(7).Ended.ShouldBe(new EndedTick(At("2026-11-24T01:30:00Z"), EndedTick.Ran, "It was due 3 more times meanwhile, of which nothing came: the one before was under way, or no worker was there.", 7));
    }

    [Fact]
    public void One_that_is_due_while_the_one_before_is_under_way_is_skipped_and_told_of()
    {
        var running = Daily with { Tick = new Tick(At("2026-11-23T01:30:00Z"), 300, 500, 200) };

        var turn = running.Decide(At("2026-11-24T01:31:00Z"));

        turn.ShouldBe(new TickTurn(At("2026-11-25T01:30:00Z"), running.Tick, 1, null));
        turn.End(0).Ended!.Reason!.ShouldStartWith("It was due 1 more times");
    }

    [Theory]
    // The clocks go forward at 02:00: 02:30 does not come, and it runs when they jump.
    [InlineData("2027-03-27T01:30:00Z", "2027-03-28T01:00:00Z")]
    // They go back at 03:00: 02:30 comes twice, and counts the first time.
    [InlineData("2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z")]
    [InlineData("2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z")]
    public void At_half_past_two_it_neither_vanishes_nor_doubles_when_the_clocks_change(string due, string next) =>
        (Daily with { Next = At(due) }).Decide(At(due)).Next.ShouldBe(At(next));

    [Fact]
    public void Of_a_rule_that_is_switched_off_it_is_skipped_and_one_that_is_under_way_is_stopped()
    {
        (Daily with { IsOff = true }).Decide(At("2026-11-24T01:30:00Z")).ShouldBe(
            new TickTurn(At("2026-11-25T01:30:00Z"), null, 0, new EndedTick(At("2026-11-24T01:30:00Z"), EndedTick.Skipped, "The rule was switched off.", 0)));

        var running = Daily with { IsOff = true, Next = At("2026-11-25T01:30:00Z"), Tick = new Tick(At("2026-11-24T01:30:00Z"), 300, 500, 200) };
        running.Decide(At("2026-11-24T01:31:00Z")).Ended.ShouldBe(new EndedTick(At("2026-11-24T01:30:00Z"), EndedTick.Stopped, "The rule was switched off while it was under way.", 200));
    }

    [Fact]
    public void In_a_zone_that_is_not_there_any_more_it_fails_and_is_due_no_more()
    {
        var turn = (Daily with { Zone = "Europe/Atlantis" }).Decide(At("2026-11-24T01:30:00Z"));

        turn.Next.ShouldBeNull();
        (turn.Ended!.Outcome, turn.Ended.Reason).ShouldBe((EndedTick.Failed, "'Europe/Atlantis' is not a time zone here any more."));
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
