using AngleSharp.Dom;
using AngleSharp.Html.Dom;

namespace Eddy.Cards;

/// <summary>Writes one page.</summary>
internal sealed class CardWriting(string name, CardFile card, CardState state, CardAsk ask)
{
    private static readonly HashSet<string> Void = new(StringComparer.Ordinal)
    {
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    };

    private static readonly HashSet<string> RawTexts = new(StringComparer.Ordinal) { "script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext" };

    private readonly Markup _html = new();

    public string Write()
    {
        var heading = card.Body.SelectMany(node => node.DescendantsAndSelf<IElement>()).FirstOrDefault(element => element.LocalName == "h1");
        var title = state.Fill(card.Title ?? heading?.TextContent.Trim() ?? CardFile.Words(name));
        CardPage.Begin(_html, card.Language, title);
        foreach (var node in card.Head)
        {
            Write(node);
        }

        _html.Raw("</head>\n<body>\n<main class=\"eddy-card\">\n");
        if (ask.Note is not null)
        {
            _html.Raw("<p class=\"eddy-note\" role=\"status\">").Text(ask.Note).Raw("</p>\n");
        }

        WriteErrors();
        var hasFiles = card.Fields.Any(field => field.Kind == CardFieldKind.File);
        _html.Raw("<form method=\"post\"").With("action", ask.Action).With("enctype", hasFiles ? "multipart/form-data" : null).Raw(">\n");
        if (state.Pid is { } pid)
        {
            _html.Raw("<input type=\"hidden\"").With("name", CardForm.Process).With("value", pid.ToString(System.Globalization.CultureInfo.InvariantCulture)).Raw(">\n");
        }

        if (card.Target is null)
        {
            // However often this form is sent, it is one answer.
            _html.Raw("<input type=\"hidden\"").With("name", CardForm.Attempt).With("value", Guid.NewGuid().ToString("N")).Raw(">\n");
        }

        if (heading is null)
        {
            _html.Raw("<h1>").Text(title).Raw("</h1>\n");
        }

        foreach (var node in card.Body)
        {
            Write(node);
        }

        if (card.Buttons.Count == 0 && card.Fields.Count > 0)
        {
            _html.Raw("\n<p class=\"eddy-buttons\"><button type=\"submit\" class=\"eddy-primary\"").Flag("disabled", ask.IsPreview || !card.Fields.Any(MaySet)).Raw(">Send</button></p>");
        }

        _html.Raw("\n</form>\n</main>\n");
        foreach (var node in card.Foot)
        {
            Write(node);
        }

        return _html.Raw("</body>\n</html>\n").ToString();
    }

    private bool MaySet(CardField field) => !field.IsReadOnly && state.MaySet(field.Key);

    private void WriteErrors()
    {
        if (ask.Errors.Count == 0)
        {
            return;
        }

        _html.Raw("<div class=\"eddy-errors\" role=\"alert\">\n<p>").Text(ask.Errors.Count == 1 ? "One answer has to change. Nothing was sent." : $"{ask.Errors.Count} answers have to change. Nothing was sent.").Raw("</p>\n<ul>\n");
        foreach (var (field, error) in ask.Errors)
        {
            var there = card.Fields.FirstOrDefault(one => one.Name == field);
            _html.Raw("<li>");
            if (there is not null)
            {
                _html.Raw("<a").With("href", "#" + CardControl.Id(there)).Raw(">").Text(state.Fill(there.Label)).Raw("</a>: ");
            }

            _html.Text(error).Raw("</li>\n");
        }

        _html.Raw("</ul>\n</div>\n");
    }

    private void Write(INode node)
    {
        if (_html.Length > CardPage.MostLength)
        {
            return;
        }

        switch (node)
        {
            case IText text:
                WriteText(text);
                break;
            case IElement element:
                Write(element);
                break;
        }
    }

    private void WriteText(IText text)
    {
        if (text.Parent is IElement parent && RawTexts.Contains(parent.LocalName) && parent.NamespaceUri is null or "http://www.w3.org/1999/xhtml")
        {
            _html.Raw(text.Data);
        }
        else
        {
            _html.Text(text.Parent is IElement within && !CardPrinter.Prints(within) ? text.Data : state.Fill(text.Data));
        }
    }

    private void Write(IElement element)
    {
        if (card.FieldOf.TryGetValue(element, out var field))
        {
            new CardControl(field, card, state, ask).Write(_html);
            // A field that is closed by a slash, as HTML has it not, has what follows it for its content.
            WriteInside(element, child => child is not IHtmlOptionElement);
            return;
        }

        if (card.ButtonOf.TryGetValue(element, out var button))
        {
            WriteButton(button);
            if (element.HasAttribute("label"))
            {
                WriteInside(element, _ => true);
            }

            return;
        }

        if (element is IHtmlFormElement || CardElements.IsMeant(element.LocalName) || element.LocalName is "template" or "dom-module" or "polymer-element")
        {
            WriteInside(element, _ => true);
            return;
        }

        // Neither may have in it what a field is made of.
        var isAround = element.LocalName is "p" or "label" && element.Descendants<IElement>().Any(card.FieldOf.ContainsKey);
        var tag = isAround ? "div" : element.LocalName;
        _html.Raw("<").Raw(tag);
        foreach (var attribute in element.Attributes)
        {
            if (IsName(attribute.Name) && CardPrinter.Attribute(element, attribute, state) is { } value && !(isAround && attribute.Name == "for"))
            {
                _html.With(attribute.Name, value);
            }
        }

        _html.Raw(">");
        if (Void.Contains(element.LocalName))
        {
            return;
        }

        if (element.LocalName is "pre" or "textarea" && element.TextContent.StartsWith('\n'))
        {
            _html.Raw("\n");
        }

        WriteInside(element, _ => true);
        _html.Raw("</").Raw(tag).Raw(">");
    }

    private void WriteInside(IElement element, Func<INode, bool> isShown)
    {
        foreach (var child in element.ChildNodes.Where(isShown))
        {
            Write(child);
        }
    }

    private void WriteButton(CardButton button)
    {
        var isDenied = button.Name is not null && !state.MaySet(CardKey.Of(button.Name));
        _html.Raw("<button type=\"submit\"").With("class", button.IsPrimary ? "eddy-primary" : "eddy-button").With("name", button.Name).With("value", button.Name is null ? null : button.Posted)
            .Flag("disabled", isDenied || ask.IsPreview).Raw(">").Text(state.Fill(button.Label)).Raw("</button>");
    }

    // What HTML's parser takes for a name of an attribute can have quotes in it.
    private static bool IsName(string name) => name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or ':' or '.' or '@' or '$');
}
