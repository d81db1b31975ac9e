namespace Eddy.Postgres;

/// <summary>What a caller says of a thing before it writes: nothing, that there is none yet, that there is one, or which version it has seen.</summary>
public readonly record struct WriteCondition(bool MustBeNew, bool MustBeThere, IReadOnlyList<long>? Seen)
{
    public static readonly WriteCondition None;

    public bool Holds(long? version) =>
        (!MustBeNew || version is null)
        && (!MustBeThere || version is not null)
        && (Seen is null || (version is { } found && Seen.Contains(found)));
}
