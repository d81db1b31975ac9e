namespace Eddy.Mail.Delivery;

/// <summary>What becomes of a mail after a try.</summary>
/// <param name="State">As in <see cref="MailState"/>.</param>
/// <param name="NextAt">When it is tried again; null where it is not.</param>
/// <param name="Error">What the last try failed of, in a sentence; null where nobody is left without it.</param>
/// <param name="IsTried">It counts as a try.</param>
public sealed record DeliveryTurn(string State, DateTimeOffset? NextAt, IReadOnlyList<string> Delivered, IReadOnlyDictionary<string, string> Refused, string? Error, bool IsTried)
{
    /// <summary>For how long after its first try a mail is tried again, and for how long one waits that an hour's limit keeps back.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromDays(2);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(4);

    public static DeliveryTurn Of(DueMail mail, DeliveryTry tried, DateTimeOffset now)
    {
        List<string> delivered = [.. mail.Delivered.Union(tried.Delivered)];
        var refused = new Dictionary<string, string>(mail.Refused);
        foreach (var (receiver, why) in tried.Refused)
        {
            refused[receiver] = why;
        }

        var left = mail.Receivers.Where(one => !delivered.Contains(one) && !refused.ContainsKey(one)).ToList();
        if (left.Count > 0)
        {
            // While the server is away that is what keeps it back.
            var held = tried.Later is null ? tried.Held : null;
            var why = held?.ToString() ?? tried.Later ?? "The mail server has not said what it did with it.";
            if (now - (held is null ? mail.FirstAt : mail.At) < Patience)
            {
                return new DeliveryTurn(MailState.Waiting, held?.Until ?? now + PauseAfter(mail.Tries), delivered, refused, why, tried.IsTried);
            }

            left.ForEach(one => refused[one] = held is null ? $"It was tried for two days, {mail.Tries} times. The last time: {why}" : $"It has waited for two days. {held.Why}");
        }

        var state = refused.Count == 0 ? MailState.Sent : delivered.Count == 0 ? MailState.Failed : MailState.Partly;
        return new DeliveryTurn(state, null, delivered, refused, refused.Count == 0 ? null : refused.Values.First(), tried.IsTried);
    }

    /// <summary>One minute, and twice as long each time, up to four hours.</summary>
    public static TimeSpan PauseAfter(int tries) => tries > 8 ? LongestPause : TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, FirstPause.Ticks << Math.Max(0, tries - 1)));
}
