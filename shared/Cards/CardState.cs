using Eddy.Mail;

namespace Eddy.Cards;

/// <summary>What a card is shown of, and to whom: the KVPs of its process and the shared ones, and which of them may be read and set.</summary>
/// <param name="Pid">Null where answering it makes a process.</param>
/// <param name="Kvps">The process's, as canonical JSON.</param>
/// <param name="Shared">Those of the shared bag that the card names.</param>
public sealed record CardState(
    long? Pid, IReadOnlyDictionary<string, string> Kvps, IReadOnlyDictionary<string, string> Shared, Func<CardKey, bool> MayRead, Func<CardKey, bool> MaySet, TimeZoneInfo Zone, DateTimeOffset Now)
{
    private const string Cards = "cards.";

    /// <summary>The KVP, where it is there and may be read.</summary>
    public string? Value(CardKey key) => MayRead(key) ? (key.IsShared ? Shared : Kvps).GetValueOrDefault(key.Key) : null;

    /// <summary>What a placeholder stands for: text, and nothing where there is nothing to be seen.</summary>
    public string Print(string name) =>
        name is "PROCESS_ID" or "pid" ? Pid?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? ""
        : name.StartsWith(Cards, StringComparison.Ordinal) && CardName.Is(name.AsSpan(Cards.Length)) ? CardAddress.Path(name[Cards.Length..], Pid)
        : Value(CardKey.Of(name)) is { } value ? PrintedValue.Of(value, Zone) : "";

    /// <summary>A text with its placeholders printed.</summary>
    public string Fill(string text) => text.Contains("{{", StringComparison.Ordinal) ? MailTemplate.Parse(text).Print((_, name) => Print(name), CardPage.MostCharacters, out _) : text;
}
