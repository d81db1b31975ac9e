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

    /// <summary>No clocks are put forward or back by more.</summary>
    private static readonly TimeSpan LongestChange = TimeSpan.FromDays(1);

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
        var at = instant.UtcDateTime;
        var offset = zone.GetUtcOffset(at);
        // From what the clocks show, not included; what they have shown before the last change counts as shown.
        var shown = Shown(at, offset);
        if (!_isRow && ClockChange.First(zone, at - LongestChange, at) is { IsForward: false } last && last.ShownTo > shown)
        {
            shown = last.ShownTo.AddTicks(-1);
        }

        while (NextShown(shown) is { } next)
        {
            if (ClockChange.First(zone, at, DateTime.SpecifyKind(next - offset, DateTimeKind.Utc)) is not { } change)
            {
                return new DateTimeOffset(next, offset);
            }

            if (change.IsForward && next < change.ShownTo && !(_isHourly && (change.After - change.Before).Ticks % TimeSpan.TicksPerHour == 0))
            {
                return new DateTimeOffset(change.ShownTo, change.After);
            }

            // Each change is later than the one before, so this ends.
            shown = (change.IsForward || !_isRow ? change.ShownTo : change.ShownFrom).AddTicks(-1);
            (at, offset) = (change.At, change.After);
        }

        return null;
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
        var offset = zone.GetUtcOffset(moment.UtcDateTime);
        return new UpcomingRun(moment.ToOffset(offset), NoteOf(zone, moment.UtcDateTime, Shown(moment.UtcDateTime, offset)));
    }

    private string? NoteOf(TimeZoneInfo zone, DateTime at, DateTime shown)
    {
        if (ClockChange.First(zone, at, at + LongestChange) is { IsForward: false } next && shown >= next.ShownFrom)
        {
            return $"The clocks go back, and {shown:HH:mm} comes twice on this day: {(_isRow ? "this is the first time" : "it runs the first time")}.";
        }

        return ClockChange.First(zone, at - LongestChange, at) switch
        {
            { IsForward: false } last when shown < last.ShownTo => $"The clocks go back, and {shown:HH:mm} comes twice on this day: this is the second time.",
            // Where a row goes on at that very moment, nobody would miss what was left out.
            { IsForward: true } last when last.At == at && NextShown(last.ShownFrom.AddTicks(-1)) is { } missing && missing < last.ShownTo && !(_isRow && NextShown(shown.AddTicks(-1)) == shown) =>
                $"The clocks go forward, and {missing:HH:mm} does not come on this day: it runs when they jump, at {shown:HH:mm}.",
            _ => null,
        };
    }

    /// <summary>The next of its times after this one, as if no clocks were ever changed. The library is asked for no more: of zones it trusts what the framework says of local times.</summary>
    private DateTime? NextShown(DateTime shown)
    {
        shown = DateTime.SpecifyKind(shown, DateTimeKind.Utc);
        var first = _first.GetNextOccurrence(shown);
        var second = _second?.GetNextOccurrence(shown);
        var next = first is null || second < first ? second ?? first : first;
        return next is { } time ? DateTime.SpecifyKind(time, DateTimeKind.Unspecified) : null;
    }

    private static DateTime Shown(DateTime at, TimeSpan offset) => DateTime.SpecifyKind(at + offset, DateTimeKind.Unspecified);

    private static bool DaysThatNeverCome(CadenceField day, CadenceField month) =>
        !month.Values.Any(m => day.Values.Any(d => d <= DateTime.DaysInMonth(2024, m)));

    private static CronExpression Expression(string text) => CronExpression.Parse(text, CronFormat.Standard);
}

/// <summary>A moment at which something will run.</summary>
/// <param name="At">In the zone's own offset.</param>
/// <param name="Note">What a change of the clocks does to it, in a sentence; null where there is none.</param>
public sealed record UpcomingRun(DateTimeOffset At, string? Note);
