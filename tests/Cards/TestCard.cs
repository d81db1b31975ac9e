using Eddy.Cards;

namespace Eddy.Tests.Cards;

/// <summary>A card and what it is shown of, without a web.</summary>
internal static class TestCard
{
    public static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    public static CardState State(Func<CardKey, bool>? mayRead = null, Func<CardKey, bool>? maySet = null, params (string Key, string Value)[] kvps) => new(
        15,
        kvps.Where(one => !one.Key.StartsWith("shared.", StringComparison.Ordinal)).ToDictionary(one => one.Key, one => one.Value),
        kvps.Where(one => one.Key.StartsWith("shared.", StringComparison.Ordinal)).ToDictionary(one => one.Key["shared.".Length..], one => one.Value),
        mayRead ?? (_ => true), maySet ?? (_ => true), Berlin, new DateTimeOffset(2026, 11, 29, 23, 30, 0, TimeSpan.Zero));

    public static CardState With(params (string Key, string Value)[] kvps) => State(null, null, kvps);

    public static string Show(string card, CardState? state = null, CardAsk? ask = null) => CardPage.Write("heat", CardFile.Parse(card), state ?? With(), ask ?? new CardAsk("/cards/heat?pid=15", null));

    /// <summary>What a form sends becomes; fields as a browser sends them, with the digests of what was shown.</summary>
    public static CardAnswer Answer(string card, CardState state, params (string Name, string Value)[] sent)
    {
        var file = CardFile.Parse(card);
        var digests = file.Fields.Where(field => state.MaySet(field.Key)).Select(field => (CardForm.Was + field.Name, CardForm.Digest(state.Value(field.Key))));
        return Post(file, state, [.. sent, .. digests]);
    }

    /// <summary>The same of a program that knows nothing of digests.</summary>
    public static CardAnswer Post(CardFile file, CardState state, params (string Name, string Value)[] sent) => CardForm.Read(
        file, state, sent.GroupBy(one => one.Name).ToDictionary(group => group.Key, IReadOnlyList<string> (group) => [.. group.Select(one => one.Value)]), new Dictionary<string, IReadOnlyList<CardUpload>>());
}
