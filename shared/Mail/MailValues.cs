using Eddy.Cards;

namespace Eddy.Mail;

/// <summary>What the placeholders of a mail stand for. What is not there is blank.</summary>
/// <param name="kvps">The process's KVPs, as canonical JSON.</param>
/// <param name="shared">Those that all processes share.</param>
/// <param name="card">Makes the address of a card of this process.</param>
public sealed class MailValues(long pid, IReadOnlyDictionary<string, string> kvps, IReadOnlyDictionary<string, string> shared, string lastActor, TimeZoneInfo zone, Func<string, long, string> card)
{
    private const string Shared = "shared.";
    private const string Cards = "cards.";

    /// <param name="name">What stands between the braces.</param>
    public string Of(string name)
    {
        if (name == "last_actor")
        {
            return lastActor;
        }

        if (IsCard(name))
        {
            return card(name[Cards.Length..], pid);
        }

        var value = name.StartsWith(Shared, StringComparison.Ordinal) ? shared.GetValueOrDefault(name[Shared.Length..]) : kvps.GetValueOrDefault(name);
        return value is null ? "" : PrintedValue.Of(value, zone);
    }

    /// <summary>It stands for the address of a card, which is ours and no tenant's text.</summary>
    public static bool IsCard(string name) => name.StartsWith(Cards, StringComparison.Ordinal) && CardName.Is(name.AsSpan(Cards.Length));
}
