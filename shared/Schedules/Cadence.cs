using System.Diagnostics.CodeAnalysis;
using Cronos;

namespace Eddy.Schedules;

/// <summary>What is wrong with a cron text, in a sentence for the one who wrote it.</summary>
/// <param name="Column">Where, counted from 1.</param>
public sealed record CadenceFault(int Column, string Detail);

/// <summary>
/// When something recurs, as five fields of cron say it (minute, hour, day of month, month, day of week), in a time zone (<c>docs/schedules.md</c>). Where the clocks change:
/// 1. Times that the clocks leave out come once, when they jump; but not of a cadence of every hour where an hour is left out, for the next one follows at once.
/// 2. Of fixed times (no <c>*</c>, range or step in minute and hour) one that comes twice counts the first time.
/// 3. Any other cadence is a row of times: what comes twice runs twice. So <c>*/10 * * * *</c> is each ten minutes, always.
/// Where both days are restricted, either will do; one that begins with <c>*</c> restricts the other.
/// </summary>
public sealed class Cadence
{
    public const int MostCharacters = 200;

    private readonly CronExpression _first;
    private readonly CronExpression? _second;
    private readonly bool _isRow;
    private readonly bool _isHourly;

    private Cadence(string text, CronExpression first, CronExpression? second, bool isRow, bool isHourly)
    {
        Text = text;
        _first = first;
        _second = second;
        _isRow = isRow;
        _isHourly = isHourly;
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    public static bool TryParse(string text, [NotNullWhen(true)] out Cadence? cadence, [NotNullWhen(false)] out CadenceFault? fault)
    {
        cadence = null;
        if (!CadenceText.TryRead(text, out var fields, out fault))
        {
            return false;
        }

        var (minute, hour, day, month, weekday) = (fields[0], fields[1], fields[2], fields[3], fields[4]);
        var isEither = !day.IsStarred && !weekday.IsStarred;
        if (weekday.IsStarred && DaysThatNeverCome(day, month))
        {
            fault = new CadenceFault(day.Column, $"The day of month {day.Written} never comes in the month {month.Written}, so this would never run.");
            return false;
        }

        // The library wants both days to hold; cron has always meant either.
        var time = $"{minute.Text} {hour.Text}";
        cadence = new Cadence(
            text,
            Expression($"{time} {day.Text} {month.Text} {(isEither ? "*" : weekday.Text)}"),
            isEither ? Expression($"{time} * {month.Text} {weekday.Text}") : null,
            isRow: minute.IsRow || hour.IsRow,
            isHourly: hour.Values.Count == 24);
        return true;
    }

    /// <summary>The first moment after this instant, in the zone's own offset; null where there is none in this century.</summary>
    public DateTimeOffset? NextAfter(TimeZoneInfo zone, DateTimeOffset instant)
    {
        var first = NextAfter(_first, zone, instant);
        var second = _second is null ? null : NextAfter(_second, zone, instant);
        return first is null || second < first ? second ?? first : first;
    }

    /// <summary>The next moments after this instant, with what a change of the clocks does to them.</summary>
    public IEnumerable<UpcomingRun> Upcoming(TimeZoneInfo zone, DateTimeOffset instant)
    {
        while (NextAfter(zone, instant) is { } next)
        {
            yield return RunAt(zone, next);
            instant = next;
        }
    }

    /// <summary>One of its moments, with what a change of the clocks does to it.</summary>
    public UpcomingRun RunAt(TimeZoneInfo zone, DateTimeOffset moment)
    {
        var at = TimeZoneInfo.ConvertTime(moment, zone);
        return new UpcomingRun(at, NoteOf(zone, at));
    }

    private DateTimeOffset? NextAfter(CronExpression expression, TimeZoneInfo zone, DateTimeOffset instant)
    {
        var next = expression.GetNextOccurrence(instant, zone);
        return next is { } at && _isHourly && GapBefore(zone, at) is { Ticks: > 0 } gap && gap.Ticks % TimeSpan.TicksPerHour == 0 && !IsShown(expression, at)
            ? expression.GetNextOccurrence(at, zone)
            : next;
    }

    /// <summary>Whether it is one of its times that the clocks show then, and not one that they have left out.</summary>
    private static bool IsShown(CronExpression expression, DateTimeOffset at)
    {
        var wall = new DateTimeOffset(at.DateTime, TimeSpan.Zero);
        return expression.GetNextOccurrence(wall.AddTicks(-1), TimeZoneInfo.Utc) == wall;
    }

    private static TimeSpan GapBefore(TimeZoneInfo zone, DateTimeOffset at) => at.Offset - zone.GetUtcOffset(at.AddTicks(-1));

    private string? NoteOf(TimeZoneInfo zone, DateTimeOffset at)
    {
        var shown = at.DateTime;
        if (zone.IsAmbiguousTime(shown))
        {
            var isFirst = zone.GetAmbiguousTimeOffsets(shown).Max() == at.Offset;
            return $"The clocks go back, and {shown:HH:mm} comes twice on this day: " + (!_isRow ? "it runs the first time." : isFirst ? "this is the first time." : "this is the second time.");
        }

        return Jumped(zone, at) is { } missing ? $"The clocks go forward, and {missing:HH:mm} does not come on this day: it runs when they jump, at {shown:HH:mm}." : null;
    }

    /// <summary>The time of this cadence that the clocks leave out where they jump to this moment; null where there is none.</summary>
    private DateTime? Jumped(TimeZoneInfo zone, DateTimeOffset at)
    {
        var gap = GapBefore(zone, at);
        var wall = new DateTimeOffset(at.DateTime, TimeSpan.Zero);
        return gap > TimeSpan.Zero && !IsOfTheRow(wall) && NextAfter(TimeZoneInfo.Utc, wall - gap - TimeSpan.FromTicks(1)) is { } missing && missing < wall ? missing.DateTime : null;

        // A row of which this moment is one itself has lost nothing that anybody would look for.
        bool IsOfTheRow(DateTimeOffset shown) => _isRow && NextAfter(TimeZoneInfo.Utc, shown.AddTicks(-1)) == shown;
    }

    private static bool DaysThatNeverCome(CadenceField day, CadenceField month) =>
        !month.Values.Any(m => day.Values.Any(d => d <= DateTime.DaysInMonth(2024, m)));

    private static CronExpression Expression(string text) => CronExpression.Parse(text, CronFormat.Standard);
}

/// <summary>A moment at which something will run.</summary>
/// <param name="At">In the zone's own offset.</param>
/// <param name="Note">What a change of the clocks does to it, in a sentence; null where there is none.</param>
public sealed record UpcomingRun(DateTimeOffset At, string? Note);
