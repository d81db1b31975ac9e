namespace Eddy.Runs;

/// <summary>A run that is put off because its rule says so. The pump puts it off, the clock of a worker puts it into the line when it is due.</summary>
/// <param name="Kind"><c>debounce</c>, <c>throttle</c> or <c>retry</c>.</param>
/// <param name="Stream">What tells the streams of the rule apart: <c>process 15</c>, or the value of the rule's <c>per</c> as canonical JSON.</param>
/// <param name="Wakings">How many it stands for; more than one where it is debounced.</param>
/// <param name="Since">When the first of these came.</param>
/// <param name="Attempt">How often it failed before.</param>
/// <param name="ChangeSet">The first position of the change set that woke it.</param>
/// <param name="Root">The arrival whose cascade it belongs to.</param>
public sealed record DeferredRun(long Id, string Rule, long Pid, string Kind, string Stream, int Wakings, DateTimeOffset Since, DateTimeOffset Due, int Attempt, long ChangeSet, Guid Root);
