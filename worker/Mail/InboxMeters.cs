using System.Diagnostics.Metrics;

namespace Eddy.Mail;

/// <summary>What the readers of mail count.</summary>
public sealed class InboxMeters
{
    private readonly Counter<long> _taken;

    public InboxMeters(IMeterFactory meters) =>
        _taken = meters.Create("Eddy.Inbox").CreateCounter<long>("eddy_mails_taken", description: "Messages that were taken out of mailboxes, by what became of them: accepted, refused, nobodys.");

    public void Taken(string outcome) => _taken.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
}
