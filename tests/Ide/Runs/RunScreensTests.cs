using Eddy.Controls;
using Eddy.Ide.Runs;

namespace Eddy.Tests.Ide.Runs;

public sealed class RunScreensTests
{
    [Fact]
    public void Places_of_a_traceback_in_the_tenants_files_can_be_gone_to()
    {
        var pieces = Traceback.Of("""
            Traceback (most recent call last):
              File "scripts/heat.py", line 12, in action
                tell(self)
              File "libraries/tell.py", line 3, in tell
              File "/usr/lib/python3/json.py", line 9, in loads
            KeyError: 'phone'
            """).ToList();

        pieces.Where(piece => piece.File is not null).Select(piece => $"{piece.File}:{piece.Line}").ShouldBe(["scripts/heat.py:12", "libraries/tell.py:3"]);
        string.Concat(pieces.Select(piece => piece.Text)).ShouldEndWith("KeyError: 'phone'");
    }

    [Theory]
    [InlineData("Europe/Berlin", "2026-07-01T12:00", "2026-07-01T10:00:00Z")]
    [InlineData("Europe/Berlin", "2026-12-01T12:00", "2026-12-01T11:00:00Z")]
    // The clocks skip from two to three.
    [InlineData("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30:00Z")]
    [InlineData("UTC", "2026-12-01T12:00:30", "2026-12-01T12:00:30Z")]
    public void Moments_of_a_filter_are_those_of_the_tenants_clock(string zone, string local, string utc) =>
        new RunFilter(null, null, null, local, null).Query(TimeZoneInfo.FindSystemTimeZoneById(zone), null, 10).Since.ShouldBe(DateTimeOffset.Parse(utc, System.Globalization.CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("yesterday")]
    [InlineData("2026-13-01T00:00")]
    [InlineData("")]
    public void What_is_no_moment_narrows_nothing(string text) => new RunFilter(null, null, null, text, text).Query(TimeZoneInfo.Utc, null, 10).Since.ShouldBeNull();

    [Theory]
    [InlineData(0, "0 ms")]
    [InlineData(0.01, "< 0.1 ms")]
    [InlineData(2.44, "2.4 ms")]
    [InlineData(412, "412 ms")]
    [InlineData(1_240, "1.2 s")]
    [InlineData(123_000, "2 min 3 s")]
    [InlineData(7_320_000, "2 h 2 min")]
    public void Durations_have_as_many_digits_as_one_reads(double milliseconds, string text) => DurationText.Of(TimeSpan.FromMilliseconds(milliseconds)).ShouldBe(text);
}
