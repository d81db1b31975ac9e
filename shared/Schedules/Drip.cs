using System.Text.RegularExpressions;
using Eddy.Kvps;

namespace Eddy.Schedules;

/// <summary>
/// A schedule that puts KVPs into a tenant: each time that it is due, they become a new process. Written by the API; moved on by the clock of a worker, in the transaction
/// that makes the arrival, so that each time it is due counts once, whatever dies.
/// <code>
/// on ── due ──► ran       a new process has its KVPs
///          ├──► refused   more of the tenant's events wait than may; told with the next run
///          └──► failed    it can not be run as it is: next is never, until it is saved again
/// off           next is never
/// </code>
/// </summary>
public static partial class Drip
{
    public const int MostDrips = 500;

    /// <summary>The most bytes of a text of KVPs, as UTF-8.</summary>
    public const int MostTextBytes = 32 << 10;

    /// <summary>Set beside a late run's own KVPs: when it was due, and how often it was due and did not run.</summary>
    public const string DueKey = "drip_due", MissedKey = "drip_missed";

    /// <summary>By which door its events come, as rules see it in <c>event.source</c>.</summary>
    public const string Source = "drip";

    /// <summary>Who causes what comes of it when it is due.</summary>
    public static string Actor(string name) => "drip:" + name;

    /// <summary>Why this can not be a drip's name, in a sentence, or null.</summary>
    public static string? NameFault(string name) =>
        NameForm().IsMatch(name) ? null : "A drip's name is 1 to 64 letters, digits, hyphens and underscores of ASCII, a letter or digit first.";

    /// <summary>Why a text of KVPs that can be read is none for a drip, in a sentence, or null.</summary>
    public static string? ChangesFault(IReadOnlyList<Change> changes, int most) =>
        changes.Count == 0 ? "A drip sets at least one KVP: write key := value, one a line."
        : changes.Count > most ? $"One process takes at most {most:N0} KVPs at a time; this text has {changes.Count:N0}."
        : changes.Any(change => change.Key is DueKey or MissedKey) ? $"{DueKey} and {MissedKey} are set by the clock where a run is late; name yours otherwise."
        : null;

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex NameForm();
}

/// <summary>A drip as somebody writes it, already checked.</summary>
/// <param name="TimeZone">An IANA time zone; null for the tenant's, whatever that is then.</param>
/// <param name="Kvps">The text.</param>
/// <param name="Changes">What it comes to.</param>
public sealed record NewDrip(Cadence Cadence, string? TimeZone, string Kvps, IReadOnlyList<Change> Changes, bool IsOn);

/// <summary>A drip as it is stored.</summary>
/// <param name="TimeZone">Its own; null for the tenant's.</param>
/// <param name="ZoneInForce">Its own, or the tenant's.</param>
/// <param name="Changes">What its text comes to, as arrivals carry it (<see cref="ChangeList"/>).</param>
/// <param name="Version">Of what was written; its ETag. It never comes twice.</param>
/// <param name="NextAt">Null while it is off, and where it never runs again as it is.</param>
/// <param name="Last">The last time that it was due; null before the first.</param>
/// <param name="Missed">How often it was due, since it ran last, and nothing came of it.</param>
public sealed record StoredDrip(
    string Name, string Cron, string? TimeZone, string ZoneInForce, string Kvps, string Changes, bool IsOn, long Version,
    DateTimeOffset CreatedAt, string CreatedBy, DateTimeOffset ChangedAt, string ChangedBy, DateTimeOffset? NextAt, LastDue? Last, int Missed);

/// <summary>What became of a drip when it was due.</summary>
/// <param name="Due">When that was.</param>
/// <param name="At">When it was seen to.</param>
/// <param name="Outcome"><c>ran</c>, <c>refused</c> or <c>failed</c>.</param>
/// <param name="Reason">Why it did not run, in a sentence.</param>
/// <param name="Pid">The process that it made.</param>
public sealed record LastDue(DateTimeOffset Due, DateTimeOffset At, string Outcome, string? Reason, long? Pid, Guid? Arrival);

/// <summary>How a saving or a deletion ended.</summary>
public abstract record DripOutcome
{
    private DripOutcome()
    {
    }

    public sealed record Saved(StoredDrip Drip, bool IsNew) : DripOutcome;

    public sealed record Deleted : DripOutcome;

    /// <summary>The drip is not as the caller thought: it has this version, or is not there.</summary>
    public sealed record Changed(long? Version) : DripOutcome;

    /// <summary>The tenant has as many as it may have.</summary>
    public sealed record TooMany : DripOutcome;
}
