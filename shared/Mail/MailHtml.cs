using System.Security.Cryptography;
using System.Text;
using AngleSharp.Dom;
using Ganss.Xss;
using Markdig;

namespace Eddy.Mail;

/// <summary>
/// A mail's text as HTML. Its rule's Markdown is made up while marks stand where the values go; what comes of it is reduced to a short list of elements, and only then do the values go in, as
/// text. So no value can become an element, an attribute or a link of its own, whatever it is.
/// </summary>
public static class MailHtml
{
    /// <summary>Of a template. What is longer goes out as text alone, for what Markdown costs grows faster than its length.</summary>
    public const int MostCharacters = 32 << 10;

    /// <summary>With more elements of its own than this, a text's HTML is text: what parses it goes as deep as it is nested.</summary>
    private const int MostTags = 300;

    private static readonly MarkdownPipeline WithHtml = new MarkdownPipelineBuilder().UseSoftlineBreakAsHardlineBreak().Build();
    private static readonly MarkdownPipeline WithoutHtml = new MarkdownPipelineBuilder().UseSoftlineBreakAsHardlineBreak().DisableHtml().Build();

    private static readonly HtmlSanitizer Sanitizer = new(new HtmlSanitizerOptions
    {
        AllowedTags = new HashSet<string>(
            [
                "a", "b", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol", "p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td",
                "th", "thead", "tr", "u", "ul",
            ], StringComparer.OrdinalIgnoreCase),
        AllowedAttributes = new HashSet<string>(["href", "title"], StringComparer.OrdinalIgnoreCase),
        UriAttributes = new HashSet<string>(["href"], StringComparer.OrdinalIgnoreCase),
        AllowedSchemes = new HashSet<string>(["http", "https", "mailto"], StringComparer.OrdinalIgnoreCase),
    });

    /// <summary>The HTML, or null where the text goes out alone: it is too long, or nested too deep.</summary>
    public static string? Of(MailTemplate template, MailValues values)
    {
        // No text has this in it but where it is put.
        // It begins with a digit, so that what stands before it makes no tag of it.
        var mark = $"0{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}x";
        var source = template.Print((i, _) => $"{mark}{i}q", MostCharacters, out var isTooLong);
        if (isTooLong)
        {
            return null;
        }

        string made;
        try
        {
            made = Markdown.ToHtml(source, Tags(source) > MostTags ? WithoutHtml : WithHtml);
        }
        catch (ArgumentException)
        {
            // So Markdig says that something is nested too deep.
            return null;
        }

        using var document = Sanitizer.SanitizeDom(made);
        var marks = new Marks(mark, template.Names, values);
        var body = document.Body!;
        foreach (var node in body.Descendants().ToList())
        {
            if (node is IText text)
            {
                PutInText(document, text, marks);
            }
            else if (node is IElement element)
            {
                PutInAttributes(element, marks);
            }
        }

        return body.InnerHtml.Trim();
    }

    private static void PutInText(IDocument document, IText text, Marks marks)
    {
        var parts = marks.Split(text.Data);
        if (parts is [{ Name: null }])
        {
            return;
        }

        var (isLinked, isCode) = (text.Ancestors<IElement>().Any(element => element.LocalName == "a"), text.Ancestors<IElement>().Any(element => element.LocalName is "pre" or "code"));
        foreach (var (piece, name) in parts)
        {
            if (name is not null && MailValues.IsCard(name) && !isLinked && !isCode)
            {
                var link = document.CreateElement("a");
                link.SetAttribute("href", piece);
                link.TextContent = piece;
                text.Parent!.InsertBefore(link, text);
                continue;
            }

            var lines = name is null || isCode ? [piece] : piece.ReplaceLineEndings("\n").Split('\n');
            for (var i = 0; i < lines.Length; i++)
            {
                if (i > 0)
                {
                    text.Parent!.InsertBefore(document.CreateElement("br"), text);
                }

                text.Parent!.InsertBefore(document.CreateTextNode(lines[i]), text);
            }
        }

        text.Parent!.RemoveChild(text);
    }

    private static void PutInAttributes(IElement element, Marks marks)
    {
        foreach (var attribute in element.Attributes.ToList())
        {
            var parts = marks.Split(attribute.Value);
            if (attribute.LocalName != "href")
            {
                attribute.Value = string.Concat(parts.Select(part => part.Text));
            }
            else if (Link(parts) is { } link)
            {
                attribute.Value = link;
            }
            else
            {
                element.RemoveAttribute("href");
            }
        }
    }

    /// <summary>A link goes where its rule says: a value is the whole address or its beginning, or a part of it that can not change what stands before. Null where it would go elsewhere.</summary>
    private static string? Link(List<(string Text, string? Name)> parts)
    {
        if (parts is [{ Name: { } card, Text: var address }] && MailValues.IsCard(card))
        {
            return address;
        }

        var link = new StringBuilder();
        foreach (var (text, name) in parts)
        {
            var before = link.ToString();
            if (name is null || before.Length == 0)
            {
                link.Append(text.Trim());
            }
            else if (before.EndsWith("mailto:", StringComparison.OrdinalIgnoreCase) && MailAddress.Fault(text) is null)
            {
                link.Append(Uri.EscapeDataString(text).Replace("%40", "@", StringComparison.Ordinal));
            }
            else if (HasHost(before))
            {
                link.Append(Uri.EscapeDataString(text));
            }
            else
            {
                return null;
            }
        }

        var whole = link.ToString();
        return Uri.TryCreate(whole, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "mailto" && !whole.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)) ? whole : null;
    }

    // Up to here it is said where the link goes, or the host comes next and is all that comes.
    private static bool HasHost(string address) =>
        address.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase) ? address.Contains('@')
        : address.IndexOf("//", StringComparison.Ordinal) is >= 0 and var host && (host + 2 == address.Length || address.AsSpan(host + 2).ContainsAny("/?#"));

    private static int Tags(string source)
    {
        var tags = 0;
        for (var at = source.IndexOf('<'); at >= 0 && at + 1 < source.Length; at = source.IndexOf('<', at + 1))
        {
            tags += char.IsAsciiLetter(source[at + 1]) ? 1 : 0;
        }

        return tags;
    }

    /// <summary>Finds marks, and what they stand for.</summary>
    private sealed class Marks(string mark, IReadOnlyList<string> names, MailValues values)
    {
        /// <summary>Text as it stands, without a name, and values with theirs. Never empty.</summary>
        public List<(string Text, string? Name)> Split(string text)
        {
            var parts = new List<(string, string?)>();
            var from = 0;
            for (int at; (at = text.IndexOf(mark, from, StringComparison.Ordinal)) >= 0;)
            {
                if (at > from)
                {
                    parts.Add((text[from..at], null));
                }

                var end = text.IndexOf('q', at + mark.Length);
                var name = names[int.Parse(text.AsSpan(at + mark.Length, end - at - mark.Length), System.Globalization.CultureInfo.InvariantCulture)];
                parts.Add((values.Of(name), name));
                from = end + 1;
            }

            if (from < text.Length || parts.Count == 0)
            {
                parts.Add((text[from..], null));
            }

            return parts;
        }
    }
}
