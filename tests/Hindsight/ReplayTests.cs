using Eddy.Hindsight;

namespace Eddy.Tests.Hindsight;

/// <summary>What a replay is known by.</summary>
public sealed class ReplayTests
{
    [Fact]
    public void A_source_says_which_event_is_replayed_and_no_other_source_does()
    {
        Replay.PositionOf(Replay.SourceOf(88214)).ShouldBe(88214);
        new[] { "post", "replay", "replay:", "replay:-1", "replay: 1", "replay:1x", "Replay:1" }.ShouldAllBe(source => Replay.PositionOf(source) == null);
    }

    [Fact]
    public void The_number_of_a_quiet_arrival_is_known_from_all_others_and_rises_with_them()
    {
        var (before, quiet) = (Guid.CreateVersion7(), Replay.QuietArrival());

        Replay.IsQuiet(quiet).ShouldBeTrue();
        new[] { before, Guid.NewGuid(), Guid.Empty }.ShouldAllBe(other => !Replay.IsQuiet(other));
        // Its first half is the time.
        string.CompareOrdinal(quiet.ToString()[..13], before.ToString()[..13]).ShouldBeGreaterThanOrEqualTo(0);
        // As PostgreSQL is asked for it.
        quiet.ToString()[14].ShouldBe('8');
    }

    [Fact]
    public void A_log_says_what_was_withheld()
    {
        Replay.Withheld(0, 0).ShouldBeNull();
        Replay.Withheld(1, 0).ShouldBe("Eddy: 1 mail withheld, for this is a replay.");
        Replay.Withheld(2, 1).ShouldBe("Eddy: 2 mails and 1 card withheld, for this is a replay.");
    }
}
