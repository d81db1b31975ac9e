namespace Eddy.Cards;

/// <summary>
/// Makes the page of a card: the tenant's HTML with real controls of HTML where its fields stand, all in one form, which works without JavaScript. What comes from a KVP is text wherever it goes.
/// </summary>
public static class CardPage
{
    /// <summary>Of what placeholders print into one place.</summary>
    internal const int MostCharacters = 1 << 20;

    /// <summary>Of a whole page.</summary>
    internal const int MostLength = 8 << 20;

    /// <param name="name">The card's name.</param>
    /// <param name="state">What it shows, and to whom.</param>
    /// <param name="ask">Where it goes, and what is said of what was typed before.</param>
    public static string Write(string name, CardFile card, CardState state, CardAsk ask) => new CardWriting(name, card, state, ask).Write();

    /// <summary>A page of ours with a heading and a sentence, in the place of a card.</summary>
    public static string Say(string title, string sentence, string? home)
    {
        var html = Begin(new Markup(), "en", title).Raw("</head>\n<body>\n<main class=\"eddy-card\">\n<h1>").Text(title).Raw("</h1>\n<p>").Text(sentence).Raw("</p>\n");
        if (home is not null)
        {
            html.Raw("<p><a").With("href", home).Raw(">To your cards</a></p>\n");
        }

        return html.Raw("</main>\n</body>\n</html>\n").ToString();
    }

    internal static Markup Begin(Markup html, string language, string title) =>
        html.Raw("<!doctype html>\n<html").With("lang", language).Raw(">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>").Text(title)
            .Raw("</title>\n<link rel=\"stylesheet\" href=\"/_eddy/look/fonts.css\">\n<link rel=\"stylesheet\" href=\"/_eddy/look/tokens.css\">\n<link rel=\"stylesheet\" href=\"/_eddy/cards.css\">\n");
}

/// <summary>How a card is shown this time.</summary>
/// <param name="Action">Where the form goes.</param>
/// <param name="Note">What is said above it; null for nothing.</param>
public sealed record CardAsk(string Action, string? Note)
{
    /// <summary>What was typed, where it comes back with <see cref="Errors"/>; else null.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Typed { get; init; }

    public IReadOnlyDictionary<string, string> Errors { get; init; } = new Dictionary<string, string>();

    /// <summary>It is shown beside an editor, and can not be sent.</summary>
    public bool IsPreview { get; init; }
}
