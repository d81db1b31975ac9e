namespace Eddy.Cards;

/// <summary>What a field of a card asks for, and so what its KVP becomes.</summary>
public enum CardFieldKind
{
    Text,
    Textarea,
    Number,
    YesNo,
    Choice,
    Checklist,
    Date,
    Time,
    DateTime,
    Email,
    Phone,
    List,
    Dictionary,
    File,
}
