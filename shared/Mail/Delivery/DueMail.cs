using Eddy.Tenants;

namespace Eddy.Mail.Delivery;

/// <summary>
/// A mail that a worker has taken out of the outbox to deliver, for as long as its lease holds.
/// <code>
/// waiting ── due ──► taken ── all receivers have it ──► sent
///    ▲                 ├── some have it, others are refused for good ──► partly
///    │                 ├── all are refused for good, or two days are over, or an hour's limit ends a circle ──► failed
///    └── later, or when an hour's limit has room again
/// waiting ── by hand ──► cancelled          partly, failed, cancelled ── by hand ──► waiting
/// </code>
/// </summary>
/// <param name="Lease">By which what became of it is written down; another worker's try has another.</param>
/// <param name="MessageId">The same in all tries, so that a receiver who gets it twice sees it once. Without the angle brackets.</param>
/// <param name="Tries">This one included.</param>
/// <param name="FirstAt">When it was tried first.</param>
public sealed record DueMail(TenantId Tenant, long Id, Guid Lease, long Pid, DateTimeOffset At, string MessageId, int Tries, DateTimeOffset FirstAt)
{
    public required string Slug { get; init; }

    /// <summary>What the tenant calls itself.</summary>
    public required string TenantName { get; init; }

    public required string TimeZone { get; init; }

    /// <summary>In which times are told.</summary>
    public TimeZoneInfo Zone => TimeZoneInfo.TryFindSystemTimeZoneById(TimeZone, out var zone) ? zone : TimeZoneInfo.Utc;

    public required IReadOnlyList<string> Receivers { get; init; }

    public required string Subject { get; init; }

    public required string Text { get; init; }

    public required string? Html { get; init; }

    /// <summary>A JSON object of KVPs, or null.</summary>
    public required string? Attached { get; init; }

    /// <summary>Who has it from an earlier try.</summary>
    public IReadOnlyList<string> Delivered { get; init; } = [];

    /// <summary>Who was refused for good in an earlier try, and why.</summary>
    public IReadOnlyDictionary<string, string> Refused { get; init; } = new Dictionary<string, string>();

    /// <summary>The Message-IDs of earlier mails about the same process, the first first.</summary>
    public IReadOnlyList<string> Thread { get; init; } = [];

    /// <summary>The Message-ID of the mail that the process has had last, as its KVP says; null where none came.</summary>
    public string? Answers { get; init; }

    /// <summary>Who does not have it yet.</summary>
    public IReadOnlyList<string> Left => [.. Receivers.Where(one => !Delivered.Contains(one) && !Refused.ContainsKey(one)).Distinct()];
}
