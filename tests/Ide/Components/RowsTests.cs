using Bunit;
using Eddy.Controls;
using Eddy.Events;
using Eddy.Ide.Runs;

namespace Eddy.Tests.Ide.Components;

/// <summary>Rows of the pages of runs and arrivals.</summary>
public sealed class RowsTests
{
    [Fact]
    public void A_change_has_its_key_both_values_and_its_process()
    {
        using var screens = new TestScreens();

        var row = screens.Draw<ChangeTable>(all => all.Add(one => one.Changes, [Change("temperature", "95", "90", 15)])).Find("tbody tr");

        row.Children.Select(cell => cell.TextContent.Trim()).ShouldBe(["temperature", "95", "90", "15"]);
    }

    [Fact]
    public void A_shared_one_is_named_so_and_a_removed_one_has_no_value()
    {
        using var screens = new TestScreens();

        var row = screens.Draw<ChangeTable>(all => all.Add(one => one.Changes, [Change("limit", null, "90", 0)])).Find("tbody tr");

        row.Children.Select(cell => cell.TextContent.Trim()).ShouldBe(["shared.limit", "removed", "90", ""]);
    }

    [Fact]
    public void What_may_not_be_read_is_a_sentence_and_nothing_else()
    {
        using var screens = new TestScreens();

        var row = screens.Draw<ChangeTable>(all => all.Add(one => one.Changes, [Change("", "\"secret\"", "\"before\"", 15)])).Find("tbody tr");

        row.TextContent.ShouldContain("A change that you may not read.");
        row.TextContent.ShouldNotContain("secret");
        row.TextContent.ShouldNotContain("before");
    }

    [Fact]
    public void A_moment_is_told_in_words_with_the_exact_one_beside_it()
    {
        using var screens = new TestScreens();

        var time = screens.Draw<Moment>(all => all.Add(one => one.At, TestScreens.Now.AddSeconds(-6))).Find("time");

        time.TextContent.ShouldBe("6 s ago");
        time.GetAttribute("title").ShouldBe("Mon 23 Nov 2026, 14:03:15.000 +01:00");
    }

    private static StoredEvent Change(string key, string? value, string? before, long pid) =>
        new(7, TestScreens.Now, pid, key, value, before, "anna@acme.test", "post", null, 7, Guid.NewGuid());
}
