using Eddy.Sandbox;

namespace Eddy.Runs;

/// <summary>
/// A run as it is recorded; or, with <see cref="RunOutcome.No"/>, one record of all the rules that one change set woke in one process and whose checks said no.
/// </summary>
/// <param name="Id">Its number, unique in the tenant and rising.</param>
/// <param name="Rule">The rule's id, as in <c>scripts/heat.py:high_temperature</c>; null where <paramref name="SaidNo"/> is not.</param>
/// <param name="SaidNo">The rules whose checks said no; null for a run.</param>
/// <param name="TreeVersion">The version of the tenant's files under which it ran.</param>
/// <param name="SetPosition">The first position of the change set that woke it.</param>
/// <param name="Root">The arrival whose cascade it belongs to.</param>
/// <param name="Generation">How many runs led here, this one included.</param>
/// <param name="FirstPosition">The position of the first of its changes, which follow one another; null where there is none.</param>
/// <param name="Log">What it printed; null where that is nothing or was not asked for.</param>
/// <param name="Error">JSON, as <see cref="RunError"/>; null where nothing went wrong.</param>
/// <param name="Trace">The W3C traceparent of what caused it, or null.</param>
public sealed record StoredRun(
    long Id, DateTimeOffset At, string? Rule, IReadOnlyList<string>? SaidNo, long TreeVersion, long Pid, long SetPosition, Guid Root, int Generation,
    RunOutcome Outcome, long? FirstPosition, int Changes, TimeSpan Elapsed, TimeSpan Cpu, string? Log, string? Error, string? Trace)
{
    /// <summary>Its outgoing calls, as a JSON array of <see cref="Egress.CallRecord"/>; null where it made none or they were not asked for.</summary>
    public string? Calls { get; init; }
}

/// <summary>Which runs to list, newest first. What is null does not matter.</summary>
/// <param name="Event">Only those that this event's change set woke.</param>
/// <param name="Rule">Only those of this rule: its id, or the name of its class.</param>
/// <param name="Beyond">The number that the page before ended with.</param>
/// <param name="Limit">How many records a page has at most.</param>
public sealed record RunQuery(long? Event, long? Pid, string? Rule, RunOutcome? Outcome, long? Beyond, int Limit)
{
    /// <summary>Only those whose turn began then or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Only those whose turn began earlier.</summary>
    public DateTimeOffset? Before { get; init; }
}
