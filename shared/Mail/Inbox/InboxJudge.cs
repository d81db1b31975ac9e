using System.Globalization;
using System.Text.RegularExpressions;
using Eddy.Access;

namespace Eddy.Mail.Inbox;

/// <summary>
/// Decides what becomes of a message: nothing is read, stored or sent here. <see cref="Asks"/> says what has to be looked up, <see cref="Decide"/> what follows from it.
/// </summary>
public static partial class InboxJudge
{
    /// <summary>KVPs of one message.</summary>
    private const int MostKvps = 1_000;

    private const int MostMessageIds = 50;
    private const int MostLineFaults = 200_000;

    /// <param name="signedPid">As <see cref="InboxFacts.SignedPid"/>.</param>
    public static InboxQuestions Asks(IncomingMail mail, long? signedPid) =>
        new([.. OriginalIds(mail)], [.. new[] { signedPid, SubjectPid(mail.Subject) }.OfType<long>().Distinct()], mail.From);

    /// <param name="links">Where each attachment will be found, in their order.</param>
    public static InboxDecision Decide(IncomingMail mail, InboxPolicy policy, InboxFacts facts, IReadOnlyList<string> links)
    {
        var why = new List<string> { mail.KindReason };
        var vouch = mail.Verdicts.VouchedBy(mail.FromDomain);
        if (mail.Kind is not MailKind.Bounce and not MailKind.Ours)
        {
            why.Add(vouch ?? $"Nobody vouches for its sender: {Unvouched(mail)}");
        }

        var (answerTo, answerWhy) = InboxAnswer.Of(mail, facts, vouch is not null);
        var pid = FindProcess(mail, facts, vouch is not null, why, out var byAddress);
        if (mail.Kind == MailKind.Ours)
        {
            return Refuse("It is a mail that this product has sent; one that comes back to an inbox has gone in a circle.", "loop");
        }

        if (facts.Unsubscribes is { } receiver)
        {
            (answerTo, answerWhy) = (null, "Who asks for no more mail gets none.");
            return Refuse($"{receiver} asks for no more mail, and gets none from now on. Owners and editors can lift that in the outbox.", "unsubscribe");
        }

        var counts = new MailCounts(pid is { } one ? facts.InProcess.GetValueOrDefault(one) : 0, facts.FromSender, facts.InAll);
        if (facts.Limits.Cut(counts, pid, mail.From) is { } storm)
        {
            (answerTo, answerWhy) = (null, "A storm is not answered.");
            return Refuse(storm, "storm");
        }

        if (mail.Kind is MailKind.Bounce or MailKind.AutoReply)
        {
            return Report();
        }

        if (mail.From is null)
        {
            return Refuse(mail.FromFault ?? "It does not say who wrote it.", "no_sender");
        }

        if (LetInBy(mail, policy, facts, vouch is not null, byAddress) is not { } letIn)
        {
            return Refuse(Closed(mail.From, policy, facts, vouch), "not_allowed");
        }

        why.Add(letIn);
        return Take();

        InboxDecision Report()
        {
            if (mail.Kind == MailKind.Bounce && mail.Bounce is { HasFailed: false } told)
            {
                return Refuse($"It reports that a mail is {told.Action}: nothing has failed, so nothing is set.", "bounce");
            }

            if (pid is null)
            {
                return mail.Kind == MailKind.Bounce
                    ? Refuse("It reports the failure of a mail that this tenant has not sent, or of a process that is gone.", "bounce")
                    : Refuse("It is an automatic answer to no mail of this tenant's, or about a process that is gone.", "auto_reply");
            }

            var actor = mail.From is null ? "unproven:" : vouch is null ? $"unproven:{mail.From}" : mail.From;
            return new InboxDecision.Accepted(pid, InboxKvps.Of(mail, facts, links, vouch is not null), actor, mail.Kind, why, null, answerWhy);
        }

        InboxDecision Take()
        {
            var actor = Acting(mail, facts, vouch is not null);
            var changes = InboxKvps.Of(mail, facts, links, vouch is not null);
            if (mail.Kind == MailKind.Ordinary)
            {
                var lines = InboxLines.Of(mail.NewText, MostLineFaults);
                why.AddRange(lines.Notes);
                if (lines.Fault is { } fault)
                {
                    return Refuse(fault, "line");
                }

                var stored = pid is { } number ? KvpPlace.Process(facts.Processes[number]) : (KvpPlace?)null;
                if (facts.Rules.Of(actor).Denied(stored, lines.Changes) is [var denied, ..])
                {
                    return Refuse(denied.RefusalFor(stored), "key_not_allowed");
                }

                changes = [.. changes, .. lines.Changes];
            }
            else
            {
                why.Add("Lines key := value are read of what somebody wrote, not of this; what it sets has names of its own.");
            }

            return changes.Count > MostKvps
                ? Refuse($"A message sets at most {MostKvps:N0} KVPs; this one sets {changes.Count:N0}.", "too_many")
                : new InboxDecision.Accepted(pid, changes, actor is Actor.Anybody ? $"unproven:{mail.From}" : actor.Name, mail.Kind, why, answerTo, answerWhy);
        }

        InboxDecision.Refused Refuse(string reason, string code)
        {
            why.Add(reason);
            return answerTo is not null && !policy.AnswersRefused
                ? new(reason, code, why, null, "The tenant has chosen that who is refused is not answered.")
                : new(reason, code, why, answerTo, answerWhy);
        }
    }

    /// <summary>The number that a subject has as <c>(PID:15)</c>; the last, since that is where we write it.</summary>
    internal static long? SubjectPid(string subject) =>
        PidMark().Matches(subject) is { Count: > 0 } marks && long.TryParse(marks[^1].Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && pid > 0 ? pid : null;

    // The mail that it answers, then those before that one, the nearest first.
    private static IEnumerable<string> OriginalIds(IncomingMail mail) =>
        (mail.Bounce?.OriginalId is { } original ? [original] : Array.Empty<string>()).Concat(mail.InReplyTo).Concat(mail.References.Reverse()).Distinct().Take(MostMessageIds);

    private static long? FindProcess(IncomingMail mail, InboxFacts facts, bool isVouched, List<string> why, out bool byAddress)
    {
        byAddress = false;
        if (facts.SignedPid is { } signed)
        {
            if (facts.Processes.ContainsKey(signed))
            {
                byAddress = true;
                why.Add($"It names process {signed} by the signed reply address.");
                return signed;
            }

            why.Add($"The signed reply address names process {signed}, which is gone.");
        }
        else if (facts.Address is { Pid: { } forged })
        {
            why.Add($"The address names process {forged}, but we have not signed it: it counts for nothing.");
        }

        if (OriginalIds(mail).Where(facts.OwnMails.ContainsKey).Select(id => (long?)facts.OwnMails[id]).FirstOrDefault(pid => facts.Processes.ContainsKey(pid!.Value)) is { } replied)
        {
            why.Add(mail.Kind == MailKind.Bounce ? $"It is about a mail that we sent for process {replied}." : $"It answers a mail that we sent for process {replied}.");
            return replied;
        }

        if (SubjectPid(mail.Subject) is { } subject && mail.Kind is not (MailKind.Bounce or MailKind.AutoReply))
        {
            var fault = !isVouched ? "nobody vouches for its sender" : facts.Member is null ? "its sender does not belong to the tenant" : !facts.Processes.ContainsKey(subject) ? "there is no such process" : null;
            why.Add(fault is null ? $"Its subject says (PID:{subject}), and its sender belongs to the tenant." : $"Its subject says (PID:{subject}), which counts for nothing: {fault}.");
            if (fault is null)
            {
                return subject;
            }
        }

        if (mail.Kind is not (MailKind.Bounce or MailKind.AutoReply or MailKind.Ours))
        {
            why.Add("It names no process, so it would begin one.");
        }

        return null;
    }

    private static string? LetInBy(IncomingMail mail, InboxPolicy policy, InboxFacts facts, bool isVouched, bool byAddress) =>
        isVouched && facts.Member is not null ? $"{mail.From} belongs to the tenant."
        : byAddress && policy.TakesAnswers ? "Whoever has the signed reply address may answer: the tenant wrote first."
        : policy.Opening >= InboxOpening.Listed && isVouched && policy.ListedAs(mail.From!) is { } listed ? $"The tenant has listed {listed}."
        : policy.Opening >= InboxOpening.Secret && policy.HasSecret(facts.Address?.Secret) ? "It came to the secret address."
        : policy.Opening == InboxOpening.Anyone ? "The tenant takes mail of anyone."
        : null;

    private static string Closed(string from, InboxPolicy policy, InboxFacts facts, string? vouch)
    {
        var isKnown = facts.Member is not null || (policy.Opening >= InboxOpening.Listed && policy.ListedAs(from) is not null);
        var whom = policy.Opening switch
        {
            InboxOpening.Members => "those who belong to the tenant",
            InboxOpening.Listed => "those who belong to the tenant, and listed senders",
            _ => "those who belong to the tenant, listed senders, and whoever has its secret address",
        };
        return isKnown && vouch is null
            ? $"{from} may write here, but nobody vouches that the mail is theirs: it needs a DMARC pass, or a DKIM signature or SPF pass of the sender's own domain."
            : $"This inbox takes mail of {whom}; {from} is none of them.";
    }

    private static string Unvouched(IncomingMail mail) =>
        mail.FromDomain is null ? "it does not say who that is."
        : mail.Verdicts.By is null ? $"no server that is trusted says where it comes from, and no signature of {mail.FromDomain} holds."
        : $"for {mail.FromDomain} there is neither a DMARC pass nor a DKIM signature or SPF pass of its own, says {mail.Verdicts.By}.";

    private static Actor Acting(IncomingMail mail, InboxFacts facts, bool isVouched) =>
        !isVouched ? new Actor.Anybody() : facts.Member is { } member ? member : new Actor.OfAddress(mail.From!);

    [GeneratedRegex(@"\(PID:\s?([0-9]{1,19})\)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex PidMark();
}
