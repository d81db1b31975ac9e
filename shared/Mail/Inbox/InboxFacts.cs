using Eddy.Access;

namespace Eddy.Mail.Inbox;

/// <summary>What has to be looked up before a message is decided on.</summary>
/// <param name="MessageIds">Mails that may be ours: which process was each about?</param>
/// <param name="Pids">Processes that it names, whether it may or not: are they there, and of what kind? Those of its <see cref="MessageIds"/> too.</param>
/// <param name="Sender">Does it belong to somebody? In the form of <see cref="People.MailAddress"/>; null where there is none.</param>
public sealed record InboxQuestions(IReadOnlyList<string> MessageIds, IReadOnlyList<long> Pids, string? Sender);

/// <summary>What was found of one tenant for one message.</summary>
public sealed record InboxFacts
{
    /// <summary>Where it was delivered; null for a mailbox of the tenant's own, which has no secret and no signature.</summary>
    public required InboxAddress? Address { get; init; }

    /// <summary>The process whose number the address has, signed by us (<see cref="InboxAddresses.SignedPid"/>).</summary>
    public required long? SignedPid { get; init; }

    /// <summary>The receiver who asks for no more mail by it (<see cref="InboxAddresses.Unsubscribing"/>); null where it asks for nothing of that kind.</summary>
    public string? Unsubscribes { get; init; }

    public required AccessRules Rules { get; init; }

    /// <summary>The one who belongs to the tenant and has proven the sender's address to be theirs; null where nobody has.</summary>
    public required Actor.OfMember? Member { get; init; }

    /// <summary>Those of the tenant's own mails that were asked for, by Message-ID, with the processes that they were about.</summary>
    public IReadOnlyDictionary<string, long> OwnMails { get; init; } = new Dictionary<string, long>();

    /// <summary>Those of the processes that are there, with their kinds.</summary>
    public IReadOnlyDictionary<long, string?> Processes { get; init; } = new Dictionary<long, string?>();

    /// <summary>How many mails came into each of the processes within the last hour; none where it is not named.</summary>
    public IReadOnlyDictionary<long, int> InProcess { get; init; } = new Dictionary<long, int>();

    /// <summary>How many came from this sender within the last hour.</summary>
    public int FromSender { get; init; }

    /// <summary>How many came to the tenant within the last hour.</summary>
    public int InAll { get; init; }

    public StormLimits Limits { get; init; } = StormLimits.In;
}
