namespace Eddy.Schedules;

/// <summary>When a rule wakes by the clock, as the files in force say, and how far that has come. Cells and the clock write it; people change the rule's text.</summary>
/// <param name="Asked">Which processes it is for, as a <see cref="Processes.ProcessQuestion"/> in JSON; null for all.</param>
/// <param name="NextAt">When it is due next; null for never.</param>
/// <param name="TickDue">When the tick was due that is under way; null where none is.</param>
/// <param name="TickCount">How many processes that has woken it for.</param>
/// <param name="Last">The last tick that ended or was skipped.</param>
public sealed record RuleSchedule(
    string Rule, string Cron, string TimeZone, string? Asked, DateTimeOffset? NextAt, DateTimeOffset? TickDue, long? TickCount, RuleScheduleLast? Last);

/// <summary>What became of a tick.</summary>
/// <param name="Outcome"><c>ran</c>, <c>skipped</c>, <c>stopped</c> or <c>failed</c>.</param>
/// <param name="Reason">In a sentence, where there is something to say.</param>
/// <param name="Count">How many processes it woke the rule for.</param>
public sealed record RuleScheduleLast(DateTimeOffset Due, DateTimeOffset At, string Outcome, string? Reason, long Count);
