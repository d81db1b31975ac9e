using System.Globalization;
using CsCheck;
using Eddy.Schedules;

namespace Eddy.Tests.Schedules;

public sealed class CadenceTests
{
    private static readonly string[] Zones =
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC", "America/Havana", "Europe/Dublin", "Africa/Cairo", "America/St_Johns", "Pacific/Auckland"];

    [Theory]
    // Berlin, 28 March 2027: 02:00 becomes 03:00. 31 October 2027: 03:00 becomes 02:00.
    [InlineData("30 2 * * *", "Europe/Berlin", "2027-03-27T12:00Z", "2027-03-28T03:00+02:00", "2027-03-29T02:30+02:00")]
    [InlineData("30 2 * * *", "Europe/Berlin", "2027-10-30T12:00Z", "2027-10-31T02:30+02:00", "2027-11-01T02:30+01:00")]
    [InlineData("0,30 2 * * *", "Europe/Berlin", "2027-03-27T12:00Z", "2027-03-28T03:00+02:00", "2027-03-29T02:00+02:00")]
    [InlineData("0 2,3 * * *", "Europe/Berlin", "2027-03-27T12:00Z", "2027-03-28T03:00+02:00", "2027-03-29T02:00+02:00")]
    [InlineData("*/10 2 * * *", "Europe/Berlin", "2027-03-27T12:00Z", "2027-03-28T03:00+02:00", "2027-03-29T02:00+02:00")]
    [InlineData("30 * * * *", "Europe/Berlin", "2027-03-28T00:00Z", "2027-03-28T01:30+01:00", "2027-03-28T03:30+02:00")]
    [InlineData("30 * * * *", "Europe/Berlin", "2027-10-31T00:00Z", "2027-10-31T02:30+02:00", "2027-10-31T02:30+01:00")]
    [InlineData("*/10 * * * *", "Europe/Berlin", "2027-03-28T00:45Z", "2027-03-28T01:50+01:00", "2027-03-28T03:00+02:00")]
    // Lord Howe, 3 October 2027: 02:00 becomes 02:30. 4 April 2027: 02:00 becomes 01:30.
    [InlineData("15 2 * * *", "Australia/Lord_Howe", "2027-10-02T00:00Z", "2027-10-03T02:30+11:00", "2027-10-04T02:15+11:00")]
    [InlineData("15 * * * *", "Australia/Lord_Howe", "2027-10-02T15:00Z", "2027-10-03T02:30+11:00", "2027-10-03T03:15+11:00")]
    [InlineData("45 1 * * *", "Australia/Lord_Howe", "2027-04-03T00:00Z", "2027-04-04T01:45+11:00", "2027-04-05T01:45+10:30")]
    // Havana, 14 March 2027: midnight becomes 01:00.
    [InlineData("0 0 * * *", "America/Havana", "2027-03-13T12:00Z", "2027-03-14T01:00-04:00", "2027-03-15T00:00-04:00")]
    [InlineData("0 0 29 2 *", "UTC", "2026-01-01T00:00Z", "2028-02-29T00:00+00:00", "2032-02-29T00:00+00:00")]
    [InlineData("0 12 13 * FRI", "UTC", "2026-11-24T00:00Z", "2026-11-27T12:00+00:00", "2026-12-04T12:00+00:00")]
    [InlineData("0 12 */2 * FRI", "UTC", "2026-11-24T00:00Z", "2026-11-27T12:00+00:00", "2026-12-11T12:00+00:00")]
    [InlineData("0 0 * * FRI-SUN", "UTC", "2026-11-24T00:00Z", "2026-11-27T00:00+00:00", "2026-11-28T00:00+00:00")]
    [InlineData("59 23 31 dec *", "Asia/Kolkata", "2026-12-31T18:28Z", "2026-12-31T23:59+05:30", "2027-12-31T23:59+05:30")]
    public void It_runs_when_a_person_would_expect(string cron, string zone, string after, string first, string second)
    {
        var cadence = Parse(cron);

        var runs = cadence.Upcoming(Zone(zone), Moment(after)).Take(2).ToList();

        runs.Select(run => run.At.ToString("yyyy-MM-ddTHH:mmzzz", CultureInfo.InvariantCulture)).ShouldBe([first, second]);
        runs.ShouldAllBe(run => run.At.Second == 0 && run.At.Millisecond == 0);
    }

    [Fact]
    public void Every_ten_minutes_is_every_ten_minutes_on_days_when_the_clocks_change()
    {
        foreach (var zone in Zones)
        {
            var at = Moment("2026-12-31T12:00Z");
            foreach (var run in Parse("*/10 * * * *").Upcoming(Zone(zone), at).TakeWhile(run => run.At < Moment("2028-01-01T00:00Z")))
            {
                (run.At - at).ShouldBe(TimeSpan.FromMinutes(10), $"{zone} {run.At}");
                at = run.At;
            }
        }
    }

    [Fact]
    public void It_agrees_with_looking_at_the_clock_each_minute()
    {
        // Half of the looks begin near a change of the clocks.
        Gen.Select(Crons, Gen.Int[0, Zones.Length - 1].Select(i => Zones[i]), Gen.Int[0, (int)TimeSpan.FromDays(366 * 12).TotalMinutes], Gen.Bool, Gen.Int[0, 3000])
            .Sample(
                (cron, zoneName, minute, isNearChange, before) =>
                {
                    var zone = Zone(zoneName);
                    var from = Moment("2025-01-01T00:00Z").AddMinutes(minute);
                    from = isNearChange ? (NextChange(zone, from) ?? from).AddMinutes(-before) : from;
                    var to = from.AddDays(4);

                    var runs = Parse(cron.Text).Upcoming(zone, from).Select(run => run.At.UtcDateTime).TakeWhile(at => at <= to.UtcDateTime).ToList();

                    runs.ShouldBe(ByLooking(cron, zone, from, to), false, $"{cron.Text} in {zoneName} from {from:u}");
                },
                iter: 1500);
    }

    [Fact, Trait("Category", "Long")]
    public void It_agrees_with_looking_at_the_clock_each_minute_of_whole_years()
    {
        foreach (var zoneName in Zones)
        {
            foreach (var cron in (TestCron[])[Fixed(30, 2), Fixed(0, 0), Fixed(59, 1), new("15 * * * *", [15], All(0, 23), false), new("0 */2 * * *", [0], [.. All(0, 23).Where(hour => hour % 2 == 0)], false)])
            {
                var zone = Zone(zoneName);
                var (from, to) = (Moment("2026-06-15T00:00Z"), Moment("2028-06-15T00:00Z"));

                var runs = Parse(cron.Text).Upcoming(zone, from).Select(run => run.At.UtcDateTime).TakeWhile(at => at <= to.UtcDateTime).ToList();

                runs.ShouldBe(ByLooking(cron, zone, from, to), false, $"{cron.Text} in {zoneName}");
            }
        }

        static TestCron Fixed(int minute, int hour) => new($"{minute} {hour} * * *", [minute], [hour], true);
    }

    [Fact]
    public void What_a_change_of_the_clocks_does_is_said()
    {
        var berlin = Zone("Europe/Berlin");

        Parse("30 2 * * *").Upcoming(berlin, Moment("2027-03-27T12:00Z")).Take(2).Select(run => run.Note)
            .ShouldBe(["The clocks go forward, and 02:30 does not come on this day: it runs when they jump, at 03:00.", null]);
        Parse("30 2 * * *").Upcoming(berlin, Moment("2027-10-30T12:00Z")).Take(2).Select(run => run.Note)
            .ShouldBe(["The clocks go back, and 02:30 comes twice on this day: it runs the first time.", null]);
        Parse("30 * * * *").Upcoming(berlin, Moment("2027-10-31T00:00Z")).Take(3).Select(run => run.Note)
            .ShouldBe(["The clocks go back, and 02:30 comes twice on this day: this is the first time.", "The clocks go back, and 02:30 comes twice on this day: this is the second time.", null]);
        Parse("*/10 * * * *").Upcoming(berlin, Moment("2027-03-28T00:45Z")).Take(3).ShouldAllBe(run => run.Note == null);
    }

    [Theory]
    [InlineData("", 1, "five fields")]
    [InlineData("* * * *", 7, "This has 4.")]
    [InlineData("0 30 2 * * *", 12, "no seconds")]
    [InlineData("60 * * * *", 1, "The minute '60' is not one: it takes 0 to 59")]
    [InlineData("0 24 * * *", 3, "The hour '24' is not one: it takes 0 to 23")]
    [InlineData("0 0 0 * *", 5, "The day of month '0' is not one: it takes 1 to 31")]
    [InlineData("0 0 32 * *", 5, "The day of month '32'")]
    [InlineData("0 0 1 13 *", 7, "The month '13' is not one: it takes 1 to 12 or JAN to DEC")]
    [InlineData("0 0 * * 8", 9, "The day of week '8' is not one: it takes 0 to 7 (0 and 7 are Sunday) or SUN to SAT")]
    [InlineData("0 0 * * MONDAY", 9, "'MONDAY'")]
    [InlineData("0 0 * MON *", 7, "The month 'MON'")]
    [InlineData("5,61 * * * *", 3, "'61'")]
    [InlineData("5,,6 * * * *", 3, "comma")]
    [InlineData("-5 * * * *", 1, "The minute '' is not one")]
    [InlineData("+5 * * * *", 1, "'+5'")]
    [InlineData("１ * * * *", 1, "'１'")]
    [InlineData("*/0 * * * *", 1, "a step is 1 to 59")]
    [InlineData("*/60 * * * *", 1, "a step is 1 to 59")]
    [InlineData("*/ * * * *", 1, "the step ''")]
    [InlineData("0 22-2 * * *", 3, "goes backwards: for one that goes past the end write two, 22-23,0-2")]
    [InlineData("0 0 ? * *", 5, "?, L, W and # mean nothing here")]
    [InlineData("0 0 L * *", 5, "?, L, W and # mean nothing here")]
    [InlineData("0 0 15W * *", 5, "?, L, W and # mean nothing here")]
    [InlineData("0 0 L-3 * *", 5, "?, L, W and # mean nothing here")]
    [InlineData("0 0 * * 5L", 9, "?, L, W and # mean nothing here")]
    [InlineData("0 0 * * FRI#2", 9, "?, L, W and # mean nothing here")]
    [InlineData("H * * * *", 1, "The minute 'H'")]
    [InlineData("@daily", 1, "for @daily write 0 0 * * *")]
    [InlineData("@reboot", 1, "no short names")]
    [InlineData("0 0 30 2 *", 5, "never comes")]
    [InlineData("0 0 31 4,6,9,11 *", 5, "never comes")]
    [InlineData("0 0 *\n* *", 9, "This has 4.")]
    public void What_is_no_cron_is_told_where_and_what_is_allowed(string cron, int column, string says)
    {
        Cadence.TryParse(cron, out var none, out var fault).ShouldBeFalse();

        none.ShouldBeNull();
        fault!.Detail.ShouldContain(says);
        fault.Column.ShouldBe(column);
    }

    [Fact]
    public void Whatever_is_written_is_read_or_refused_with_a_sentence()
    {
        Gen.String[Gen.Char["0123456789*/-,? LWJANMONhH#@\t\n"], 0, 30].Sample(
            text =>
            {
                if (Cadence.TryParse(text, out var cadence, out var fault))
                {
                    cadence.NextAfter(TimeZoneInfo.Utc, Moment("2026-01-01T00:00Z")).ShouldNotBeNull(text);
                }
                else
                {
                    fault.Detail.ShouldEndWith(".");
                    fault.Column.ShouldBeInRange(1, Math.Max(1, text.Length));
                }
            },
            iter: 20_000);
        Cadence.TryParse(new string('*', 300), out _, out var tooLong).ShouldBeFalse();
        tooLong!.Detail.ShouldContain("200 characters");
    }

    /// <summary>What a person would do who looks at the clock on the wall each minute.</summary>
    private static List<DateTime> ByLooking(TestCron cron, TimeZoneInfo zone, DateTimeOffset from, DateTimeOffset to)
    {
        var runs = new List<DateTime>();
        var minute = new DateTime(from.UtcDateTime.Ticks / TimeSpan.TicksPerMinute * TimeSpan.TicksPerMinute, DateTimeKind.Utc).AddDays(-1);
        var offset = zone.GetUtcOffset(minute);
        var seen = DateTime.MinValue;
        for (; minute <= to.UtcDateTime; minute = minute.AddMinutes(1))
        {
            var before = offset;
            offset = zone.GetUtcOffset(minute);
            var shown = minute + offset;
            var gap = (int)(offset - before).TotalMinutes;
            var isAgain = cron.IsFixed && shown <= seen;
            var isLeftOut = gap > 0 && (cron.Hours.Count < 24 || gap % 60 != 0) && Enumerable.Range(1, gap).Any(back => cron.Matches(shown.AddMinutes(-back)));
            if (minute > from.UtcDateTime && ((cron.Matches(shown) && !isAgain) || isLeftOut))
            {
                runs.Add(minute);
            }

            seen = shown > seen ? shown : seen;
        }

        return runs;
    }

    private static DateTimeOffset? NextChange(TimeZoneInfo zone, DateTimeOffset from)
    {
        for (var at = from; at < from.AddDays(400); at = at.AddHours(6))
        {
            if (zone.GetUtcOffset(at) != zone.GetUtcOffset(at.AddHours(6)))
            {
                return at;
            }
        }

        return null;
    }

    private static readonly Gen<TestCron> Crons = Gen.Select(Field(0, 59), Field(0, 23), Field(1, 28), Field(1, 12), Field(0, 6), Gen.Int[0, 3])
        .Select((minute, hour, day, month, weekday, days) =>
        {
            // Most of them any day, else hardly one of four days would come.
            var (dayText, weekdayText) = (days is 1 or 3 ? day.Text : "*", days is 2 or 3 ? weekday.Text : "*");
            return new TestCron($"{minute.Text} {hour.Text} {dayText} * {weekdayText}", minute.Values, hour.Values, !(minute.Text + hour.Text).AsSpan().ContainsAny("*-/"))
            {
                Days = dayText == "*" ? All(1, 31) : day.Text[0] == '*' ? Stepped(day.Text, 31) : day.Values,
                Weekdays = weekdayText == "*" ? All(0, 6) : weekday.Values,
                IsEither = dayText[0] != '*' && weekdayText[0] != '*',
            };
        });

    /// <summary>A field as it is written, and its values.</summary>
    private static Gen<(string Text, HashSet<int> Values)> Field(int first, int last) =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[first, last], Gen.Int[first, last], Gen.Int[1, Math.Max(2, last / 2)]).Select((kind, a, b, step) =>
        {
            var (low, high) = (Math.Min(a, b), Math.Max(a, b));
            return kind switch
            {
                0 => ("*", All(first, last)),
                1 => ($"*/{step}", [.. All(first, last).Where(value => (value - first) % step == 0)]),
                2 => ($"{a}", [a]),
                3 => ($"{a},{b}", [a, b]),
                4 => ($"{low}-{high}", All(low, high)),
                _ => ($"{low}-{high}/{step}", (HashSet<int>)[.. All(low, high).Where(value => (value - low) % step == 0)]),
            };
        });

    private static HashSet<int> Stepped(string text, int last) => text == "*" ? All(1, last) : [.. All(1, last).Where(day => (day - 1) % int.Parse(text[2..], CultureInfo.InvariantCulture) == 0)];

    private static HashSet<int> All(int first, int last) => [.. Enumerable.Range(first, last - first + 1)];

    private static Cadence Parse(string cron)
    {
        Cadence.TryParse(cron, out var cadence, out var fault).ShouldBeTrue(fault?.Detail);
        return cadence!;
    }

    private static TimeZoneInfo Zone(string name) => TimeZoneInfo.FindSystemTimeZoneById(name);

    private static DateTimeOffset Moment(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    private sealed record TestCron(string Text, HashSet<int> Minutes, HashSet<int> Hours, bool IsFixed)
    {
        public HashSet<int> Days { get; init; } = All(1, 31);

        public HashSet<int> Weekdays { get; init; } = All(0, 6);

        public bool IsEither { get; init; }

        public bool Matches(DateTime shown)
        {
            var (day, weekday) = (Days.Contains(shown.Day), Weekdays.Contains((int)shown.DayOfWeek));
            return Minutes.Contains(shown.Minute) && Hours.Contains(shown.Hour) && (IsEither ? day || weekday : day && weekday);
        }
    }
}
