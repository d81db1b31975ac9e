namespace Eddy.Access;

/// <summary>How a change of groups or entries ended. Anything but <see cref="GroupSet"/>, <see cref="EntrySet"/> and <see cref="Deleted"/> left nothing behind.</summary>
public abstract record AccessOutcome
{
    private AccessOutcome()
    {
    }

    public sealed record GroupSet(AccessGroup Group, bool IsNew) : AccessOutcome;

    public sealed record EntrySet(AccessEntry Entry, bool IsNew) : AccessOutcome;

    public sealed record Deleted : AccessOutcome;

    public sealed record NotThere : AccessOutcome;

    /// <summary>It is not as the caller thought: it has this version, or is not there.</summary>
    public sealed record Changed(long? Version) : AccessOutcome;

    /// <summary>The tenant has as many as it may have.</summary>
    public sealed record TooMany(string Why) : AccessOutcome;

    /// <summary>It names somebody, or a group, that the tenant has not.</summary>
    public sealed record Unknown(string Why) : AccessOutcome;

    /// <summary>The group can not go, because these entries name it.</summary>
    public sealed record InUse(IReadOnlyList<long> Entries) : AccessOutcome;
}

/// <summary>One change of what people may, kept for good.</summary>
/// <param name="Number">Counts the tenant's changes.</param>
/// <param name="Actor">Who made it.</param>
/// <param name="Action">As in <c>set-entry</c>.</param>
/// <param name="Subject">The group's name or the entry's number.</param>
/// <param name="Before">JSON; null where there was nothing.</param>
/// <param name="After">JSON; null where there is nothing any more.</param>
public sealed record AuditLine(long Number, DateTimeOffset At, string Actor, string Action, string Subject, string? Before, string? After);
