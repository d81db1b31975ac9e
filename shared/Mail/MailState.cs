namespace Eddy.Mail;

/// <summary>What a mail of the outbox can be. <see cref="Delivery.DueMail"/> has how one leads to another.</summary>
public static class MailState
{
    public const string Waiting = "waiting", Sent = "sent", Partly = "partly", Failed = "failed", Cancelled = "cancelled";
}
