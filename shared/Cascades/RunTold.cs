using Eddy.Cards;
using Eddy.Egress;
using Eddy.Mail;

namespace Eddy.Cascades;

/// <summary>What a run told beside its changes: what it printed, whom it called, its mails without their texts, and its cards.</summary>
/// <param name="Log">Null where it printed nothing.</param>
public sealed record RunTold(long Run, string? Log, IReadOnlyList<CallRecord> Calls, IReadOnlyList<StoredMail> Mails, IReadOnlyList<StoredCard> Cards);
