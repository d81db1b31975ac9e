using Eddy.Kvps;

namespace Eddy.Cards;

/// <summary>Which KVP a field shows and edits: <c>name</c> of the card's process, or <c>shared.name</c> of all.</summary>
public readonly record struct CardKey(bool IsShared, string Key)
{
    private const string Shared = "shared.";

    public static CardKey Of(string name) => name.StartsWith(Shared, StringComparison.Ordinal) ? new CardKey(true, name[Shared.Length..]) : new CardKey(false, name);

    /// <summary>Why this can name none, in a sentence, or null.</summary>
    public static string? Fault(string name) =>
        KvpKey.Fault(Of(name).Key) ?? (name.StartsWith(CardForm.Was, StringComparison.Ordinal) || name is CardForm.Process or CardForm.Attempt ? $"{name} is a name that the card's form has already." : null);
}
