using AngleSharp.Dom;
using Eddy.Rules;

namespace Eddy.Cards;

/// <summary>
/// What <c>card_html_files/NAME.html</c> says: HTML with elements for fields. It is read once and shown as often as somebody opens it; nothing of it is computed.
/// </summary>
public sealed class CardFile
{
    public const string Folder = "card_html_files/";

    public const string Ending = ".html";

    /// <summary>Of a file. What is longer is no form for a person.</summary>
    public const int MostCharacters = 256 << 10;

    public const int MostFields = 200;

    internal CardFile()
    {
    }

    /// <summary>Its <c>title</c>, with its placeholders; null where it has none.</summary>
    public string? Title { get; internal init; }

    /// <summary>The language of its text.</summary>
    public string Language { get; internal init; } = "en";

    public IReadOnlyList<CardField> Fields { get; internal init; } = [];

    public IReadOnlyList<CardButton> Buttons { get; internal init; } = [];

    /// <summary>The API script that takes it, as <c>billing.paid</c>; null where it sets KVPs.</summary>
    public string? Target { get; internal init; }

    /// <summary>What is wrong with it, in the order of its lines.</summary>
    public IReadOnlyList<Finding> Findings { get; internal init; } = [];

    /// <summary>Scripts, styles and the like, for the head.</summary>
    internal IReadOnlyList<INode> Head { get; init; } = [];

    internal IReadOnlyList<INode> Body { get; init; } = [];

    /// <summary>Scripts that stand behind the template.</summary>
    internal IReadOnlyList<INode> Foot { get; init; } = [];

    internal IReadOnlyDictionary<IElement, CardField> FieldOf { get; init; } = new Dictionary<IElement, CardField>();

    internal IReadOnlyDictionary<IElement, CardButton> ButtonOf { get; init; } = new Dictionary<IElement, CardButton>();

    public static string PathOf(string name) => Folder + name + Ending;

    /// <summary>The name of the card that this file is; null where it is none.</summary>
    public static string? NameOf(string path) =>
        path.StartsWith(Folder, StringComparison.Ordinal) && path.EndsWith(Ending, StringComparison.Ordinal) && path.Length > Folder.Length + Ending.Length
        && path[Folder.Length..^Ending.Length] is var name && CardName.Is(name) ? name : null;

    public static CardFile Parse(string text) => new CardReader(text).Read();

    /// <summary>A key as people read it: <c>first_name</c> is First name.</summary>
    public static string Words(string name)
    {
        var words = name.Replace('_', ' ').Replace('-', ' ').Trim();
        return words.Length == 0 ? name : char.ToUpperInvariant(words[0]) + words[1..];
    }
}
