namespace Eddy.Mail.Inbox;

/// <summary>A message that came in, and what became of it.</summary>
/// <param name="At">When it was taken.</param>
/// <param name="Kind">As in <see cref="MailKind"/>, in small letters.</param>
/// <param name="State"><c>accepted</c> or <c>refused</c>.</param>
public sealed record StoredMessage(Guid Id, DateTimeOffset At, string Subject, string Kind, string State)
{
    public required string Mailbox { get; init; }

    public required string? MessageId { get; init; }

    /// <summary>Whom it says to be from; null where it does not say.</summary>
    public required string? Sender { get; init; }

    public required string? DeliveredTo { get; init; }

    /// <summary>When it says to have been sent.</summary>
    public required DateTimeOffset? SentAt { get; init; }

    public required int Bytes { get; init; }

    public required string Spf { get; init; }

    public required string Dkim { get; init; }

    public required string Dmarc { get; init; }

    /// <summary>What led to it, one sentence each.</summary>
    public required IReadOnlyList<string> Why { get; init; }

    /// <summary>Why it was refused, in a word; null where it was not.</summary>
    public required string? Code { get; init; }

    /// <summary>The same in a sentence.</summary>
    public required string? Reason { get; init; }

    /// <summary>The process that it is about; null where it was refused.</summary>
    public required long? Pid { get; init; }

    /// <summary>The event that it became; null where it was refused.</summary>
    public required Guid? Arrival { get; init; }

    public required string? Actor { get; init; }

    /// <summary>Whom it was answered to that it is refused; null where nobody was.</summary>
    public required string? Answered { get; init; }

    /// <summary>What it says; null where that was not asked for.</summary>
    public string? Text { get; init; }

    /// <summary>Empty where they were not asked for.</summary>
    public IReadOnlyList<StoredAttachment> Attachments { get; init; } = [];
}

/// <summary>What was attached to a message.</summary>
/// <param name="Type">What its bytes are, whatever the message said.</param>
public sealed record StoredAttachment(Guid Id, string Name, string Type, int Bytes);
