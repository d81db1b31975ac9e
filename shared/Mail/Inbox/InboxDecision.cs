using Eddy.Kvps;

namespace Eddy.Mail.Inbox;

/// <summary>What becomes of a message, and why.</summary>
/// <param name="Why">What led to it, one sentence each, in order.</param>
/// <param name="AnswerTo">Where an answer may go; null where none may.</param>
/// <param name="AnswerWhy">Why none may, or why one may, in a sentence.</param>
public abstract record InboxDecision(IReadOnlyList<string> Why, string? AnswerTo, string AnswerWhy)
{
    /// <summary>It sets KVPs.</summary>
    /// <param name="Pid">Of this process; null for a new one.</param>
    /// <param name="Changes">One change set, without a key twice.</param>
    /// <param name="Actor">Who causes it: the sender's address, or <c>unproven:</c> and the address that it claims.</param>
    /// <param name="Kind">Anything but <see cref="MailKind.Ordinary"/> sets keys of its own, so that no rule takes it for a letter.</param>
    public sealed record Accepted(
        long? Pid, IReadOnlyList<Change> Changes, string Actor, MailKind Kind, IReadOnlyList<string> Why, string? AnswerTo, string AnswerWhy) : InboxDecision(Why, AnswerTo, AnswerWhy);

    /// <summary>It is kept and shown, and sets nothing.</summary>
    /// <param name="Reason">In a sentence, for the tenant; and for the sender, where they may be answered.</param>
    /// <param name="Code">The same in a word: <c>not_allowed</c>, <c>no_sender</c>, <c>key_not_allowed</c>, <c>line</c>, <c>too_many</c>, <c>loop</c>, <c>storm</c>, <c>bounce</c>, <c>auto_reply</c>.</param>
    public sealed record Refused(string Reason, string Code, IReadOnlyList<string> Why, string? AnswerTo, string AnswerWhy) : InboxDecision(Why, AnswerTo, AnswerWhy);
}
