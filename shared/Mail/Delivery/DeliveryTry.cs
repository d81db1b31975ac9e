namespace Eddy.Mail.Delivery;

/// <summary>What came of one try to deliver a mail.</summary>
/// <param name="Delivered">For whom the server has taken it.</param>
/// <param name="Refused">Whom the server will never take it for, and what it says, in a sentence.</param>
/// <param name="Later">Why there are others who do not have it yet, in a sentence; null where there are none.</param>
public sealed record DeliveryTry(IReadOnlyList<string> Delivered, IReadOnlyDictionary<string, string> Refused, string? Later)
{
    private static readonly Dictionary<string, string> Nobody = [];

    /// <summary>Nothing has come of it yet.</summary>
    public static DeliveryTry Nothing { get; } = new([], Nobody, null);

    /// <summary>Why some have to wait, and until when; null where nobody has.</summary>
    public StormHold? Held { get; init; }

    /// <summary>The server was asked to take it for somebody.</summary>
    public bool IsTried { get; init; } = true;

    /// <summary>The server can not be spoken with for now: who was not asked for yet is not asked for either.</summary>
    public bool IsAway { get; init; }

    /// <summary>Nothing could be handed over to the server; it may be another time.</summary>
    public static DeliveryTry Again(string why) => new([], Nobody, why);

    /// <summary>As before, and the server can not be spoken with.</summary>
    public static DeliveryTry Away(string why) => Again(why) with { IsAway = true };

    /// <summary>It is taken for none of these, ever.</summary>
    public static DeliveryTry Never(IEnumerable<string> receivers, string why) => new([], receivers.Distinct(StringComparer.Ordinal).ToDictionary(one => one, _ => why), null);

    /// <summary>What came of both.</summary>
    public DeliveryTry And(DeliveryTry next) => new([.. Delivered, .. next.Delivered], new Dictionary<string, string>(Refused.Concat(next.Refused)), Later ?? next.Later) { Held = Held ?? next.Held, IsAway = IsAway || next.IsAway };
}
