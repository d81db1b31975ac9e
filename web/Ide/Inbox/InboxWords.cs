using Eddy.Mail.Inbox;

namespace Eddy.Ide.Inbox;

/// <summary>What people read of an inbox.</summary>
internal static class InboxWords
{
    public static string Whose(InboxPolicy policy) => policy.Opening switch
    {
        InboxOpening.Members => "It takes mail of those who belong to the tenant.",
        InboxOpening.Listed => $"It takes mail of those who belong to the tenant, and of {policy.Listed.Count} listed senders and domains.",
        InboxOpening.Secret => "It takes mail of those who belong to the tenant, listed senders, and whoever has the secret address.",
        _ => "It takes mail of anyone.",
    };

    /// <param name="kind">As it is stored.</param>
    public static string Kind(string kind) => Enum.TryParse<MailKind>(kind, ignoreCase: true, out var known) ? Kind(known) : kind;

    public static string Kind(MailKind kind) => kind switch
    {
        MailKind.AutoReply => "automatic answer",
        MailKind.Generated => "written by a program",
        MailKind.Bounce => "bounce",
        MailKind.List => "list or bulk",
        MailKind.Ours => "our own",
        _ => "letter",
    };
}
