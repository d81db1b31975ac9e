namespace Eddy.Cards;

/// <summary>A link by which somebody answers a card without an account: once, and until a moment.</summary>
/// <param name="Mail">The number of the mail that carried it.</param>
/// <param name="Address">Whose it is, in the form of <see cref="People.MailAddress"/>: who answers by it is the actor.</param>
public sealed record CardLink(long Mail, string Card, long Pid, string Address, DateTimeOffset Until);
