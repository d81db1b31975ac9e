namespace Eddy.Mail.Inbox;

/// <summary>What came of the bytes of a message.</summary>
public abstract record MessageReading
{
    private MessageReading()
    {
    }

    public sealed record Read(IncomingMail Mail) : MessageReading;

    /// <summary>It is beyond a limit, or no message.</summary>
    /// <param name="Why">In a sentence.</param>
    /// <param name="Head">What its topmost headers say, so far as they could be read.</param>
    public sealed record Refused(string Why, MessageHead Head) : MessageReading;
}

/// <summary>What is known of a message that was not read; each null where it is not known.</summary>
public sealed record MessageHead(string? DeliveredTo, string? From, string? Subject, string? MessageId)
{
    public static MessageHead Unknown { get; } = new(null, null, null, null);
}
