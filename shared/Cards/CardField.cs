namespace Eddy.Cards;

/// <summary>A field of a card: it shows the KVP of its name, and sets it when the card is answered.</summary>
/// <param name="Name">As the card has it: a key, with <c>shared.</c> before it where it is of the shared bag.</param>
/// <param name="Number">Its place among the card's fields, from 0.</param>
public sealed record CardField(CardFieldKind Kind, string Name, int Number)
{
    public CardKey Key { get; } = CardKey.Of(Name);

    public required string Label { get; init; }

    public bool IsRequired { get; init; }

    /// <summary>It shows, and takes nothing.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>The least number, the first date, the fewest entries: as text, or <c>today</c>.</summary>
    public string? Min { get; init; }

    public string? Max { get; init; }

    /// <summary>Null, or <c>any</c>, where each number is good.</summary>
    public string? Step { get; init; }

    public int? MinLength { get; init; }

    public int? MaxLength { get; init; }

    public CardPattern? Pattern { get; init; }

    public string? Placeholder { get; init; }

    public string? Help { get; init; }

    /// <summary>What is said where it is wrong; null for a sentence of ours.</summary>
    public string? Message { get; init; }

    /// <summary>What can be chosen, where the card says it.</summary>
    public IReadOnlyList<CardOption> Options { get; init; } = [];

    /// <summary>The KVP that has what can be chosen: a list, or a dictionary from values to labels. Null where the card says it.</summary>
    public CardKey? OptionsFrom { get; init; }

    /// <summary>What is shown where there is no KVP yet.</summary>
    public string? Default { get; init; }

    /// <summary>Radio buttons.</summary>
    public bool IsRadio { get; init; }

    /// <summary>Of a file: several may come.</summary>
    public bool IsMultiple { get; init; }

    /// <summary>Of a file: <c>.pdf,image/*</c>.</summary>
    public string? Accept { get; init; }

    public string? Autocomplete { get; init; }

    public int? Rows { get; init; }
}

/// <summary>Something that can be chosen.</summary>
/// <param name="Value">Canonical JSON.</param>
/// <param name="Posted">How a form sends it.</param>
public sealed record CardOption(string Value, string Posted, string Label);

/// <summary>A button that sends the card, and may set a KVP by that.</summary>
/// <param name="Name">The KVP; null where it only sends.</param>
/// <param name="Posted">Its value as the form sends it.</param>
/// <param name="Value">Canonical JSON.</param>
public sealed record CardButton(string? Name, string Posted, string Value, string Label, bool IsPrimary);
