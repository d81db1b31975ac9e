namespace Eddy.Mail.Inbox;

/// <summary>Whether a message may be answered by the product: never where that could reach somebody who did not write it, or a program.</summary>
internal static class InboxAnswer
{
    /// <returns>Where an answer may go, or null; and why, in a sentence.</returns>
    public static (string? To, string Why) Of(IncomingMail mail, InboxFacts facts, bool isVouched) => mail switch
    {
        { Kind: not MailKind.Ordinary } => (null, "What no person wrote is not answered."),
        { From: null } => (null, "It does not say whom an answer could go to."),
        { ReturnPath: "" } => (null, "Its envelope says that nothing shall go back."),
        { WantsNoAnswer: true } => (null, "It asks that no program answers."),
        _ when !isVouched => (null, "Its sender may be forged, and an answer would reach somebody who did not write it."),
        _ when facts.Address is { } address && mail.From.StartsWith($"{address.Slug}@", StringComparison.Ordinal) => (null, "It says to come from this inbox itself."),
        _ => (mail.From, $"An answer may go to {mail.From}, who wrote it."),
    };
}
