using System.Text;
using AngleSharp.Dom;
using Eddy.Mail;

namespace Eddy.Cards;

/// <summary>
/// Prints KVPs into a card's own HTML, where <c>{{key}}</c> stands. They are text wherever they go: where a browser would take text for a command (scripts, styles, handlers of events, addresses that
/// are scripts), none is printed.
/// </summary>
internal static class CardPrinter
{
    private static readonly HashSet<string> Silent = new(StringComparer.Ordinal)
    {
        "script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext", "object", "embed", "applet", "param", "meta", "base", "link", "animate", "set", "animatetransform", "animatemotion", "use", "foreignobject",
    };

    /// <summary>Attributes that are text to a browser.</summary>
    private static readonly HashSet<string> Texts = new(StringComparer.Ordinal)
    {
        "title", "alt", "class", "lang", "dir", "datetime", "colspan", "rowspan", "width", "height", "value", "min", "max", "low", "high", "optimum", "label", "placeholder", "cite", "role", "start",
    };

    /// <summary>Whether placeholders in the text of this element are printed.</summary>
    public static bool Prints(IElement element) => !Silent.Contains(element.LocalName.ToLowerInvariant());

    public static bool Prints(IElement element, string attribute) =>
        Prints(element) && (Texts.Contains(attribute) || IsAddress(element, attribute) || attribute.StartsWith("data-", StringComparison.Ordinal) || attribute.StartsWith("aria-", StringComparison.Ordinal));

    /// <summary>The attribute with its placeholders printed; null where it is left out.</summary>
    public static string? Attribute(IElement element, IAttr attribute, CardState state)
    {
        var template = MailTemplate.Parse(attribute.Value);
        return template.Names.Count == 0 ? attribute.Value
            : !Prints(element, attribute.Name) ? null
            : IsAddress(element, attribute.Name) ? Address(template, state)
            : template.Print((_, name) => state.Print(name), CardPage.MostCharacters, out _);
    }

    private static bool IsAddress(IElement element, string attribute) => (attribute == "href" && element.LocalName is "a" or "area") || (attribute == "src" && element.LocalName == "img");

    /// <summary>An address goes where the card says: a value is all of it or its beginning, or a part of it that can not change what stands before.</summary>
    private static string? Address(MailTemplate template, CardState state)
    {
        var made = new StringBuilder();
        var isLeft = false;
        var whole = template.Print(
            (place, name) =>
            {
                var before = Before(template, made, place);
                var value = before.Length == 0 ? state.Print(name).Trim() : Uri.EscapeDataString(state.Print(name));
                isLeft |= before.EndsWith("//", StringComparison.Ordinal) || (before.IndexOf("//", StringComparison.Ordinal) is >= 0 and var host && !before.AsSpan(host + 2).ContainsAny("/?#"));
                made.Append(value);
                return value;
            }, CardPage.MostCharacters, out _);
        return !isLeft && IsGood(whole) ? whole : null;
    }

    // What stands before a placeholder, with those before it printed.
    private static string Before(MailTemplate template, StringBuilder made, int place)
    {
        made.Append(template.Before(place));
        return made.ToString();
    }

    private static bool IsGood(string address)
    {
        if (address.Length == 0 || address.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c == '\\'))
        {
            return false;
        }

        return Uri.TryCreate(address, UriKind.Absolute, out var uri) && address.Contains(':') && !address.StartsWith('/') ? uri.Scheme is "http" or "https" or "mailto" or "tel"
            : !address.StartsWith("//", StringComparison.Ordinal) && !Begin(address).Contains(':');

        // A colon before the first slash makes a scheme of what stands before it.
        static string Begin(string address) => address[..(address.AsSpan().IndexOfAny("/?#") is >= 0 and var end ? end : address.Length)];
    }
}
