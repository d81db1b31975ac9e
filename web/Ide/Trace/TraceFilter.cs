namespace Eddy.Ide.Trace;

/// <summary>Which arrivals a trace shows: those that have to do with all of these. What is null or empty does not matter.</summary>
/// <param name="Key">A key that was changed.</param>
/// <param name="Actor">A part of who caused it.</param>
/// <param name="Rule">A part of the name of a rule that it woke.</param>
public sealed record TraceFilter(long? Pid, string? Key, string? Actor, string? Rule)
{
    public static TraceFilter None { get; } = new(null, null, null, null);

    public bool Lets(ArrivalTree tree) =>
        (Pid is not { } pid || tree.Changes.Any(one => one.Pid == pid) || tree.Runs.Any(run => run.Pid == pid))
        && (string.IsNullOrEmpty(Key) || tree.Changes.Any(one => one.Key == Key))
        && (string.IsNullOrEmpty(Actor) || tree.Changes.Any(one => one.Actor.Contains(Actor, StringComparison.OrdinalIgnoreCase)))
        && (string.IsNullOrEmpty(Rule) || tree.Runs.Any(run => run.Rule.Contains(Rule, StringComparison.OrdinalIgnoreCase)));
}
