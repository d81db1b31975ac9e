using Eddy.Events;
using Eddy.Ide.Kvps;
using Eddy.Ide.Processes;
using Eddy.Processes;
using Eddy.Runs;

namespace Eddy.Tests.Ide;

/// <summary>Rows that change while somebody looks at them.</summary>
public sealed class LiveKvpsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    private readonly LiveKvps _kvps = new();

    [Fact]
    public void A_change_shows_what_was_before_until_it_is_seen()
    {
        _kvps.Load([new KnownKvp("temperature", "72", 1, null)]);

        _kvps.Apply(Set(2, "temperature", "95", "72"), "scripts/a.py:heat", Noon).ShouldBeTrue();

        var row = _kvps.Rows.ShouldHaveSingleItem();
        (row.Value, row.Was, row.RowClass, row.Origin!.Rule).ShouldBe(("95", "72", "now", "scripts/a.py:heat"));
        _kvps.See("temperature");
        _kvps.Find("temperature")!.RowClass.ShouldBeNull();
    }

    [Fact]
    public void What_was_read_already_does_not_change_again()
    {
        _kvps.Load([new KnownKvp("temperature", "95", 2, null)]);

        _kvps.Apply(Set(2, "temperature", "95", "72"), null, Noon).ShouldBeFalse();

        _kvps.Find("temperature")!.IsFresh.ShouldBeFalse();
    }

    [Fact]
    public void A_second_change_flashes_anew()
    {
        _kvps.Apply(Set(1, "n", "1", null), null, Noon);
        _kvps.Apply(Set(2, "n", "2", "1"), null, Noon.AddSeconds(2));

        _kvps.Find("n")!.RowClass.ShouldBe("now again");
    }

    [Fact]
    public void More_than_five_a_second_show_a_rate_and_no_flash()
    {
        for (var i = 1; i <= 6; i++)
        {
            _kvps.Apply(Set(i, "n", $"{i}", null), null, Noon.AddMilliseconds(100 * i));
        }

        var row = _kvps.Find("n")!;
        (row.PerSecond, row.RowClass).ShouldBe((6, "fresh"));
    }

    [Fact]
    public void A_key_that_is_removed_is_gone_and_one_that_is_read_anew_stays_seen()
    {
        _kvps.Load([new KnownKvp("a", "1", 1, null), new KnownKvp("b", "1", 2, null)]);
        _kvps.Apply(Set(3, "a", null, "1"), null, Noon);

        _kvps.Load([new KnownKvp("b", "1", 2, null)]);

        _kvps.Rows.ShouldHaveSingleItem().Key.ShouldBe("b");
    }

    [Fact]
    public void The_past_is_the_present_without_what_came_since()
    {
        _kvps.Load([new KnownKvp("a", "3", 5, null), new KnownKvp("new", "1", 4, null)]);

        var then = LiveKvps.Before(_kvps.Rows, [Set(5, "a", "3", "2"), Set(4, "new", "1", null), Set(3, "gone", null, "7"), Set(2, "a", "2", "1")]);

        then.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key}={pair.Value}").ShouldBe(["a=1", "gone=7"]);
    }

    [Fact]
    public void Columns_are_the_keys_that_most_have_and_stay_while_one_has_them()
    {
        var before = KeyColumns.Choose([], [Process("kind", "room", "x"), Process("room", "y")]);

        before[0].ShouldBe("room");
        KeyColumns.Choose(["y"], [Process("room"), Process("room", "y")]).ShouldBe(["y", "room"]);
        KeyColumns.Choose(["gone"], [Process("room")]).ShouldBe(["room"]);
    }

    private static StoredEvent Set(long position, string key, string? value, string? previous, long? set = null) =>
        new(position, Noon, 15, key, value, previous, "key:test", "post", null, set ?? position, Guid.Empty);

    private static ListedProcess Process(params string[] keys) => new(1, null, Noon, keys.Length, [.. keys.Select(key => new ListedKvp(key, "1"))]);
}
