namespace Eddy.Mail.Delivery;

/// <summary>
/// One message of a mail. Receivers who belong to the tenant share one; everybody else has one of their own, which names nobody else and says how to have no more of them. All are the same mail, under one
/// Message-ID.
/// </summary>
/// <param name="To">Whom it names.</param>
/// <param name="Receivers">Who gets it.</param>
/// <param name="Unsubscribe">How to have no more; null where it does not say.</param>
public sealed record Parcel(IReadOnlyList<string> To, IReadOnlyList<string> Receivers, ListUnsubscribe? Unsubscribe)
{
    /// <summary>Who does not belong to the tenant, and has this for himself; null where it is for those who do.</summary>
    public string? Stranger { get; init; }

    /// <param name="receivers">Who of the mail's gets it now.</param>
    /// <param name="members">Those of the mail's receivers who belong to the tenant.</param>
    /// <param name="unsubscribe">How one has no more.</param>
    public static IReadOnlyList<Parcel> Of(DueMail mail, IReadOnlyList<string> receivers, IReadOnlySet<string> members, Func<string, ListUnsubscribe?> unsubscribe)
    {
        List<string> known = [.. receivers.Where(members.Contains)];
        var own = receivers.Where(one => !members.Contains(one)).Select(one => new Parcel([one], [one], unsubscribe(one)) { Stranger = one });
        return known.Count > 0 ? [new Parcel(mail.Receivers, known, null), .. own] : [.. own];
    }
}
