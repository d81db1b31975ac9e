using System.Diagnostics.CodeAnalysis;

namespace Eddy.Mail.Inbox;

/// <summary>What sort of message it is. Only an ordinary one sets what its text says, and only to one of these may an answer go.</summary>
public enum MailKind
{
    /// <summary>Somebody wrote it.</summary>
    Ordinary,

    /// <summary>A program answers by itself: out of office, a receipt, a challenge.</summary>
    AutoReply,

    /// <summary>A program wrote it by itself, as an answer to nothing: an alarm, an invoice.</summary>
    Generated,

    /// <summary>A mail server tells that a mail could not be delivered, or what became of it.</summary>
    Bounce,

    /// <summary>It came by a mailing list, or in bulk.</summary>
    List,

    /// <summary>We sent it ourselves: it has gone in a circle.</summary>
    Ours,
}

/// <summary>
/// A message as it was read: what its headers say, its text, what is attached. All texts are of one line where they come from a header, and free of control characters; nothing of it is
/// believed but what <see cref="Verdicts"/> vouch for.
/// </summary>
public sealed record IncomingMail
{
    /// <summary>The address of the one who says to have written it, in the form of <see cref="People.MailAddress"/>; null where there is none, or more than one.</summary>
    public required string? From { get; init; }

    /// <summary>Why there is no <see cref="From"/>, in a sentence, or null.</summary>
    public string? FromFault { get; init; }

    /// <summary>The name beside the address; empty where there is none.</summary>
    public string FromName { get; init; } = "";

    /// <summary>Who sent it for the one in <see cref="From"/>; null where nobody is named.</summary>
    public string? Sender { get; init; }

    /// <summary>Where it was delivered, by the topmost header that the receiving server writes; null where there is none. Never what <c>To:</c> says.</summary>
    public required string? DeliveredTo { get; init; }

    /// <summary>Where the envelope says that failures go; empty for nowhere, null where it is not known.</summary>
    public string? ReturnPath { get; init; }

    public required string Subject { get; init; }

    /// <summary>Without the angle brackets; null where it has none.</summary>
    public required string? MessageId { get; init; }

    public IReadOnlyList<string> InReplyTo { get; init; } = [];

    public IReadOnlyList<string> References { get; init; } = [];

    public required DateTimeOffset? Date { get; init; }

    /// <summary>All of its text, with what it quotes.</summary>
    public required string Text { get; init; }

    /// <summary>What its author has written now: without what is quoted or forwarded, and without the signature.</summary>
    public required string NewText { get; init; }

    /// <summary>What is passed on is what is meant.</summary>
    public bool IsForward { get; init; }

    public IReadOnlyList<IncomingAttachment> Attachments { get; init; } = [];

    public required MailVerdicts Verdicts { get; init; }

    public required MailKind Kind { get; init; }

    /// <summary>By what it is of this kind, in a sentence.</summary>
    public required string KindReason { get; init; }

    /// <summary>What was not delivered; null where it is no bounce.</summary>
    public BounceReport? Bounce { get; init; }

    /// <summary>The list by which it came; null where it did not, or where the list has no name.</summary>
    public string? ListId { get; init; }

    /// <summary>It asks that no program answers.</summary>
    public bool WantsNoAnswer { get; init; }

    /// <summary>What one should know of how it was read: a text that was cut, a charset that was none.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The domain of <see cref="From"/>.</summary>
    public string? FromDomain => From?[(From.LastIndexOf('@') + 1)..];
}

/// <summary>Something attached to a message.</summary>
/// <param name="Name">As a file can be called: no folder, nothing that is not seen.</param>
/// <param name="Type">What its bytes are, whatever the message says.</param>
[SuppressMessage("Performance", "CA1819:Properties should not return arrays", Justification = "It is kept as it is, and may be large.")]
public sealed record IncomingAttachment(string Name, string Type, byte[] Content)
{
    public int Size => Content.Length;
}

/// <summary>What a mail server tells of a mail that we may have sent.</summary>
/// <param name="OriginalId">The mail's Message-ID; null where it does not say.</param>
/// <param name="Receiver">To whom it could not be delivered; null where it does not say.</param>
/// <param name="Status">An enhanced status code (RFC 3463), as in <c>5.1.1</c>; null where it does not say.</param>
/// <param name="Action"><c>failed</c>, <c>delayed</c>, <c>delivered</c>, <c>relayed</c>, <c>expanded</c> (RFC 3464).</param>
/// <param name="Detail">What the other server said; empty where it said nothing.</param>
public sealed record BounceReport(string? OriginalId, string? Receiver, string? Status, string Action, string Detail)
{
    /// <summary>It will not be tried again.</summary>
    public bool HasFailed => Action == "failed";

    /// <summary>The address does not take mail, now or later.</summary>
    public bool IsPermanent => HasFailed && Status?.StartsWith('4') != true;
}
