namespace Eddy.Sandbox;

/// <summary>A change set that was, and where a rule is tried on it.</summary>
/// <param name="Position">Of its first change.</param>
/// <param name="Pids">In these processes; none where it only becomes part of the state.</param>
public sealed record TrialSet(long Position, DateTimeOffset At, string Source, string Actor, IReadOnlyList<PidChange> Changes, IReadOnlyList<long> Pids);
