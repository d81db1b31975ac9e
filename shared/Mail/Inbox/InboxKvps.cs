using System.Globalization;
using System.Text;
using Eddy.Kvps;

namespace Eddy.Mail.Inbox;

/// <summary>
/// What every message sets of itself: <c>mail_from</c>, <c>mail_text</c> and so on where somebody wrote it; where nobody did, keys of its kind (<c>mail_bounce_from</c>), so that a rule that answers letters is
/// not woken by what a program sends.
/// </summary>
internal static class InboxKvps
{
    public static IReadOnlyList<Change> Of(IncomingMail mail, InboxFacts facts, IReadOnlyList<string> links, bool isVouched)
    {
        var prefix = Prefix(mail.Kind);
        var kvps = new List<Change>();
        if (mail.Kind != MailKind.Ordinary)
        {
            // What rules listen to.
            Add("", Text(mail.Kind switch { MailKind.Bounce => mail.Bounce?.Receiver, MailKind.List => mail.ListId, _ => null } ?? mail.From ?? "unknown"));
        }

        Add("from", mail.From is null ? KvpValue.Null : Text(mail.From));
        Add("to", To(mail, facts) is { } to ? Text(to) : KvpValue.Null);
        Add("subject", Text(mail.Subject));
        Add("text", Text(mail.IsForward ? mail.Text : mail.NewText));
        Add("message_id", mail.MessageId is null ? KvpValue.Null : Text(mail.MessageId));
        Add("date", mail.Date is { } date ? KvpValue.FromDateTime(date) : KvpValue.Null);
        Add("spf", Text(mail.Verdicts.Spf.Result));
        Add("dkim", Text(mail.Verdicts.DkimResult(mail.FromDomain)));
        Add("dmarc", Text(mail.Verdicts.Dmarc.Result));
        Add("vouched", KvpValue.FromBool(isVouched));
        if (mail.Bounce is { } bounce)
        {
            Add("status", bounce.Status is null ? KvpValue.Null : Text(bounce.Status));
            Add("permanent", KvpValue.FromBool(bounce.IsPermanent));
            Add("detail", Text(bounce.Detail));
            Add("original", bounce.OriginalId is null ? KvpValue.Null : Text(bounce.OriginalId));
        }

        if (mail.Attachments.Count > 0 && links.Count >= mail.Attachments.Count)
        {
            Add("attachments", List(mail.Attachments, links));
            for (var i = 0; i < mail.Attachments.Count; i++)
            {
                Add(string.Create(CultureInfo.InvariantCulture, $"attachment_{i + 1}"), Text(links[i]));
            }
        }

        return kvps;

        void Add(string name, string value) => kvps.Add(new Change(name.Length == 0 ? prefix[..^1] : prefix + name, value));
    }

    private static string Prefix(MailKind kind) => kind switch
    {
        MailKind.AutoReply => "mail_auto_reply_",
        MailKind.Generated => "mail_generated_",
        MailKind.Bounce => "mail_bounce_",
        MailKind.List => "mail_list_",
        _ => "mail_",
    };

    // Without what stands behind the plus: whoever may read the KVP would have the secret, or the signature.
    private static string? To(IncomingMail mail, InboxFacts facts) =>
        mail.DeliveredTo is not { } to || facts.Address is not { } address ? mail.DeliveredTo : address.Slug + to[to.LastIndexOf('@')..].ToLowerInvariant();

    // A list of dictionaries: keys in the order of their bytes, as the canonical form has them.
    private static string List(IReadOnlyList<IncomingAttachment> attachments, IReadOnlyList<string> links)
    {
        var json = new StringBuilder("[");
        for (var i = 0; i < attachments.Count; i++)
        {
            var (name, type, _) = attachments[i];
            json.Append(i > 0 ? "," : "").Append(CultureInfo.InvariantCulture, $$"""{"link":{{Text(links[i])}},"name":{{Text(name)}},"size":{{attachments[i].Size}},"type":{{Text(type)}}}""");
        }

        return json.Append(']').ToString();
    }

    /// <summary>As much of it as a value holds.</summary>
    private static string Text(string text)
    {
        const string Cut = "\n[… cut]";
        string? canonical;
        for (var most = text.Length; !KvpValue.TryText(text, out canonical, out _); text = text[..most] + Cut)
        {
            most = most * 3 / 4;
            most -= most > 0 && char.IsHighSurrogate(text[most - 1]) ? 1 : 0;
        }

        return canonical;
    }
}
