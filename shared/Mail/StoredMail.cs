namespace Eddy.Mail;

/// <summary>A mail in the outbox.</summary>
/// <param name="Id">Its number, unique in the tenant and rising: that of its run, and its place in it.</param>
/// <param name="Run">The run that sent it.</param>
/// <param name="Pid">The process that it is about; its subject has the number.</param>
/// <param name="State">As in <see cref="MailState"/>.</param>
public sealed record StoredMail(long Id, long Run, long Pid, DateTimeOffset At, IReadOnlyList<string> To, string Subject, string State)
{
    /// <summary>How often it was tried.</summary>
    public int Tries { get; init; }

    /// <summary>When it is tried again; null where it is due, or will not be.</summary>
    public DateTimeOffset? NextAt { get; init; }

    /// <summary>When it was sent, failed or was cancelled; null while it waits.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>What the last try failed of, in a sentence; null where it did not.</summary>
    public string? Error { get; init; }

    /// <summary>Receivers who are refused for good, and why, in a sentence.</summary>
    public IReadOnlyDictionary<string, string> Refused { get; init; } = new Dictionary<string, string>();

    /// <summary>Without the angle brackets; null before the first try.</summary>
    public string? MessageId { get; init; }

    /// <summary>A worker is delivering it.</summary>
    public bool IsUnderWay { get; init; }

    /// <summary>What it says, as plain text; null where that was not asked for.</summary>
    public string? Text { get; init; }

    /// <summary>The same as HTML; null where it goes out as text alone.</summary>
    public string? Html { get; init; }

    /// <summary>The KVPs that go along, as a JSON object; null where none do.</summary>
    public string? Attached { get; init; }
}

/// <summary>Which mails to list, newest first. What is null does not matter.</summary>
/// <param name="Beyond">The number that the page before ended with.</param>
public sealed record MailQuery(long? Pid, long? Run, long? Beyond, int Limit);
