namespace Eddy.Mail;

/// <summary>A mail in the outbox.</summary>
/// <param name="Id">Its number, unique in the tenant and rising: that of its run, and its place in it.</param>
/// <param name="Run">The run that sent it.</param>
/// <param name="Pid">The process that it is about; its subject has the number.</param>
/// <param name="State"><c>waiting</c> until it is delivered.</param>
public sealed record StoredMail(long Id, long Run, long Pid, DateTimeOffset At, IReadOnlyList<string> To, string Subject, string State)
{
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
