namespace Eddy.Quarantine;

/// <summary>
/// A run in quarantine.
/// <code>
/// failed ── tried again ──► ends well: gone; fails again: stays, with the new error
/// off, held, stopped       put aside before it began; goes on when its rule is switched on, the run before it has ended well, or somebody says so
/// </code>
/// </summary>
/// <param name="Kind"><c>failed</c>; <c>off</c>: its rule is switched off; <c>held</c>: it waits for one before it; <c>stopped</c>: its cascade was stopped before its turn.</param>
/// <param name="ChangeSet">The first position of the change set that woke it; 0 where none did.</param>
/// <param name="Root">The arrival whose cascade it belongs to.</param>
/// <param name="Tries">How often it failed.</param>
/// <param name="Run">The number of its last run.</param>
/// <param name="Error">The last error, as JSON.</param>
/// <param name="IsRetrying">It is in the line, to be tried again.</param>
public sealed record QuarantinedRun(
    long Id, string Rule, long Pid, string Kind, long ChangeSet, Guid Root, string Actor, int Tries, DateTimeOffset FirstAt, DateTimeOffset At, long? Run, string? Error, bool IsRetrying);

/// <summary>Runs in quarantine of one rule and with one error: of one kind, raised at one line.</summary>
/// <param name="Error">That of the last of them, as JSON; null where they were put aside.</param>
/// <param name="Last">The number in quarantine of the last of them.</param>
public sealed record QuarantineGroup(string Rule, string Kind, long Count, long Tries, DateTimeOffset FirstAt, DateTimeOffset At, long Last, string? Error);

/// <summary>What tells a group from others.</summary>
/// <param name="ErrorKind">As in <c>ZeroDivisionError</c>; null, as file and line, where the runs were put aside.</param>
public sealed record QuarantineGroupKey(string Rule, string Kind, string? ErrorKind, string? File, string? Line);

/// <summary>A rule that is switched off.</summary>
/// <param name="By">Who did it: an actor, or <c>eddy</c>.</param>
public sealed record RuleSwitch(string Rule, DateTimeOffset At, string By, string Reason);
