using System.Globalization;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using Eddy.Kvps;
using Eddy.Mail;
using Eddy.Rules;

namespace Eddy.Cards;

/// <summary>Reads a card's file: finds its template, its fields and buttons, and what is wrong.</summary>
internal sealed class CardReader(string text)
{
    private const int MostDepth = 200;

    private const int MostFindings = 50;

    private static readonly string[] Wrappers = ["dom-module", "polymer-element"];

    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "name", "label", "required", "readonly", "min", "max", "step", "minlength", "maxlength", "pattern", "placeholder", "help", "message", "options", "default", "as", "rows", "multiple", "accept",
        "autocomplete", "class", "id", "style", "title", "hidden", "lang", "dir",
    };

    private readonly List<Finding> _findings = [];
    private readonly List<CardField> _fields = [];
    private readonly List<CardButton> _buttons = [];
    private readonly Dictionary<IElement, CardField> _fieldOf = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<IElement, CardButton> _buttonOf = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private string? _target;

    public CardFile Read()
    {
        if (text.Length > CardFile.MostCharacters)
        {
            _findings.Add(new Finding(Finding.Error, "card-too-long", 1, 1, 1, 1, $"A card has at most {CardFile.MostCharacters:N0} characters.", null));
            return new CardFile { Findings = _findings };
        }

        var document = new HtmlParser(new HtmlParserOptions { IsKeepingSourceReferences = true, IsScripting = false }).ParseDocument(text);
        var wrapper = document.All.FirstOrDefault(element => Wrappers.Contains(element.LocalName));
        var template = (wrapper ?? (IParentNode)document).QuerySelector("template") as IHtmlTemplateElement;
        var body = (template is not null ? template.Content.ChildNodes : wrapper is not null ? wrapper.ChildNodes : document.Body!.ChildNodes).ToList();
        if (wrapper is not null && template is null)
        {
            // Then its scripts stand among its elements.
            body.RemoveAll(node => node is IHtmlScriptElement);
        }

        var head = document.Head!.ChildNodes.Where(node => node is IHtmlStyleElement or IHtmlLinkElement or IHtmlMetaElement or IHtmlScriptElement && !IsPolymers(node)).ToList();
        var foot = wrapper is null && template is not null ? document.Body!.Children.Where(element => element is IHtmlScriptElement or IHtmlStyleElement && !IsPolymers(element)).ToList<INode>() : [];
        if (wrapper is not null)
        {
            head.RemoveAll(node => node is IHtmlScriptElement);
            head.AddRange(wrapper.Children.Where(element => element is IHtmlStyleElement));
        }

        if (template is not null)
        {
            ReadTarget(template);
            LookOutside(document, wrapper, template);
        }

        foreach (var node in head.Concat(body).Concat(foot))
        {
            Walk(node, 0);
        }

        if (_target is null)
        {
            LookForPlainControls(body);
        }

        _findings.Sort((a, b) => (a.Line, a.Column).CompareTo((b.Line, b.Column)));
        return new CardFile
        {
            Title = document.QuerySelector("head > title")?.TextContent.Trim() is { Length: > 0 } title ? title : null,
            Language = document.DocumentElement.GetAttribute("lang") is { Length: > 0 and < 36 } language ? language : "en",
            Fields = _fields,
            Buttons = _buttons,
            Target = _target,
            Findings = _findings,
            Head = head,
            Body = body,
            Foot = foot,
            FieldOf = _fieldOf,
            ButtonOf = _buttonOf,
        };
    }

    private static bool IsPolymers(INode node) => node switch
    {
        IHtmlLinkElement link => link.GetAttribute("rel")?.Contains("import", StringComparison.OrdinalIgnoreCase) == true,
        IHtmlScriptElement script => script.GetAttribute("src") is { } source && (source.Contains("polymer", StringComparison.OrdinalIgnoreCase) || source.Contains("webcomponents", StringComparison.OrdinalIgnoreCase)),
        _ => false,
    };

    private void LookOutside(IHtmlDocument document, IElement? wrapper, IElement template)
    {
        var around = wrapper ?? template;
        foreach (var node in around.Parent!.ChildNodes.Concat(wrapper?.ChildNodes.AsEnumerable() ?? []).Concat(around.Parent == document.Body ? [] : document.Body!.ChildNodes))
        {
            if (node is IElement element && element != around && element != template && !ReferenceEquals(element, document.Body) && element is not (IHtmlScriptElement or IHtmlStyleElement or IHtmlLinkElement or IHtmlMetaElement or IHtmlTitleElement))
            {
                Find(element, Finding.Warning, "outside-template", $"This stands outside the card's template, and is not shown. Move it into <template>, or take the <template> away: then all of the file is the card.");
                return;
            }
        }
    }

    private void Walk(INode node, int depth)
    {
        if (node is IText words)
        {
            LookForPlaceholders(words);
            return;
        }

        if (node is not IElement element)
        {
            return;
        }

        if (depth > MostDepth)
        {
            Find(element, Finding.Error, "nested-too-deep", $"Elements stand in one another up to {MostDepth} deep.");
            return;
        }

        switch (CardElements.Read(element.LocalName))
        {
            case CardElements.Form:
                ReadTarget(element);
                break;
            case CardElements.Submit:
                ReadButton(element);
                break;
            case { } ours:
                ReadField(element, CardElements.Kind(ours)!.Value);
                break;
            case null when CardElements.IsMeant(element.LocalName):
                var nearest = CardElements.Nearest(element.LocalName);
                Find(element, Finding.Error, "unknown-element", $"There is no <{element.LocalName}>{(nearest is null ? "; docs/cards.md has the elements that there are" : $". Did you mean <{nearest}>")}{(nearest is null ? "." : "?")}");
                break;
            case null when element is IHtmlFormElement:
                Find(element, Finding.Warning, "form-in-card", "A card is a form itself: this one's tags are left out, and what is in it belongs to the card. An API script that takes the card is named by target=\"module.function\".");
                break;
        }

        LookForPlaceholders(element);
        foreach (var child in element.ChildNodes)
        {
            Walk(child, depth + 1);
        }
    }

    private void ReadTarget(IElement element)
    {
        if (element.GetAttribute("target") is not { } target)
        {
            return;
        }

        var parts = target.Trim().Split('.');
        if (parts.Length != 2 || !parts.All(IsName))
        {
            Find(element, Finding.Error, "wrong-target", $"A target is module.function, as in billing.paid for def paid(request) in api/billing.py; this one is \"{Short(target)}\".");
        }
        else if (_target is not null)
        {
            Find(element, Finding.Error, "second-target", $"The card has a target already: {_target}.");
        }
        else
        {
            _target = $"{parts[0]}.{parts[1]}";
        }

        static bool IsName(string part) => part.Length > 0 && !char.IsAsciiDigit(part[0]) && part[0] != '_' && part.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
    }

    private void ReadButton(IElement element)
    {
        var name = element.GetAttribute("name")?.Trim();
        if (name is { Length: > 0 } && CardKey.Fault(name) is { } fault)
        {
            Find(element, Finding.Error, "wrong-name", fault);
            return;
        }

        var posted = element.GetAttribute("value") ?? "";
        var label = element.GetAttribute("label")?.Trim() is { Length: > 0 } words ? words : element.TextContent.Trim() is { Length: > 0 } inside ? inside : name is { Length: > 0 } ? CardFile.Words(CardKey.Of(name).Key) : "Send";
        if (name is { Length: > 0 } && _fields.Any(field => field.Name == name))
        {
            Find(element, Finding.Error, "same-name", $"{name} is a field of the card already.");
        }
        else if (!KvpText.TryValue(posted, out var value, out _) && name is { Length: > 0 })
        {
            Find(element, Finding.Error, "wrong-value", "What the button sets is no value.");
        }
        else
        {
            var button = new CardButton(name is { Length: > 0 } ? name : null, posted, value ?? KvpValue.True, label, IsPrimary: _buttons.Count == 0);
            _buttons.Add(button);
            _buttonOf[element] = button;
        }
    }

    private void ReadField(IElement element, CardFieldKind kind)
    {
        if (element.GetAttribute("name")?.Trim() is not { Length: > 0 } name)
        {
            Find(element, Finding.Error, "field-without-name", $"<{element.LocalName}> has no name: name=\"key\" says which KVP it shows and sets.");
            return;
        }

        if (CardKey.Fault(name) is { } fault)
        {
            Find(element, Finding.Error, "wrong-name", fault);
            return;
        }

        if (!_names.Add(name) || _buttons.Any(button => button.Name == name))
        {
            Find(element, Finding.Error, "same-name", $"The card has a field {name} already: each KVP has one.");
            return;
        }

        if (_fields.Count == CardFile.MostFields)
        {
            Find(element, Finding.Error, "too-many-fields", $"A card has at most {CardFile.MostFields} fields.");
            return;
        }

        foreach (var attribute in element.Attributes.Where(attribute => !Known.Contains(attribute.Name) && !attribute.Name.StartsWith("data-", StringComparison.Ordinal) && !attribute.Name.StartsWith("aria-", StringComparison.Ordinal)))
        {
            Find(element, Finding.Warning, "unknown-attribute", $"<{element.LocalName}> has no attribute {Short(attribute.Name)}, and nothing comes of it.");
        }

        var (options, from) = Options(element, kind);
        var field = new CardField(kind, name, _fields.Count)
        {
            Label = element.GetAttribute("label")?.Trim() is { Length: > 0 } label ? label : CardFile.Words(CardKey.Of(name).Key),
            IsRequired = Is(element, "required"),
            IsReadOnly = Is(element, "readonly"),
            Min = Limit(element, "min", kind),
            Max = Limit(element, "max", kind),
            Step = Step(element, kind),
            MinLength = Length(element, "minlength"),
            MaxLength = Length(element, "maxlength"),
            Pattern = Pattern(element, kind),
            Placeholder = element.GetAttribute("placeholder"),
            Help = element.GetAttribute("help"),
            Message = element.GetAttribute("message"),
            Options = options,
            OptionsFrom = from,
            Default = element.GetAttribute("default"),
            IsRadio = element.GetAttribute("as") == "radio" || CardElements.IsRadio(element.LocalName),
            IsMultiple = Is(element, "multiple"),
            Accept = element.GetAttribute("accept"),
            Autocomplete = element.GetAttribute("autocomplete"),
            Rows = Length(element, "rows"),
        };
        if (CardInput.LimitsFault(field) is { } wrong)
        {
            Find(element, Finding.Error, "wrong-limits", wrong);
        }

        if (kind is CardFieldKind.Choice or CardFieldKind.Checklist && from is null && options.Count == 0)
        {
            Find(element, Finding.Error, "no-options", $"There is nothing to choose from: options=\"small, large\", or options=\"{{{{shared.sizes}}}}\" for a KVP that is a list, or <option> elements say what there is.");
        }

        if (field.Default is not null && kind == CardFieldKind.File)
        {
            Find(element, Finding.Warning, "unknown-attribute", "A file has no default.");
        }

        _fields.Add(field);
        _fieldOf[element] = field;
    }

    private (IReadOnlyList<CardOption> Options, CardKey? From) Options(IElement element, CardFieldKind kind)
    {
        if (kind is not (CardFieldKind.Choice or CardFieldKind.Checklist))
        {
            return ([], null);
        }

        var written = element.GetAttribute("options")?.Trim() ?? "";
        if (MailTemplate.Parse(written) is { Names: [var key] } && written.StartsWith("{{", StringComparison.Ordinal) && written.IndexOf("}}", StringComparison.Ordinal) == written.Length - 2)
        {
            return ([], CardKey.Of(key));
        }

        var separator = written.Contains('\n') ? '\n' : ',';
        var options = written.Split(separator, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(one => (Value: one, Label: one))
            .Concat(element.Children.OfType<IHtmlOptionElement>().Select(option => (Value: option.GetAttribute("value") ?? option.TextContent.Trim(), Label: option.TextContent.Trim())));
        var read = new List<CardOption>();
        foreach (var (value, label) in options)
        {
            if (!KvpValue.TryText(value, out var canonical, out _))
            {
                continue;
            }

            if (read.Any(one => one.Posted == value))
            {
                Find(element, Finding.Warning, "same-option", $"\"{Short(value)}\" can be chosen twice.");
                continue;
            }

            read.Add(new CardOption(canonical, value, label.Length == 0 ? value : label));
        }

        return (read, null);
    }

    private string? Limit(IElement element, string name, CardFieldKind kind)
    {
        if (element.GetAttribute(name)?.Trim() is not { Length: > 0 } limit)
        {
            return null;
        }

        if (CardInput.LimitFault(kind, limit) is { } fault)
        {
            Find(element, Finding.Error, "wrong-limits", $"{name}=\"{Short(limit)}\": {fault}");
            return null;
        }

        return limit;
    }

    private string? Step(IElement element, CardFieldKind kind)
    {
        if (element.GetAttribute("step")?.Trim() is not { Length: > 0 } step || step == "any")
        {
            return null;
        }

        if (kind != CardFieldKind.Number || !decimal.TryParse(step, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number <= 0)
        {
            Find(element, Finding.Error, "wrong-limits", $"step=\"{Short(step)}\": a number has a step, as in 0.01 or 1, or any.");
            return null;
        }

        return step;
    }

    private int? Length(IElement element, string name)
    {
        if (element.GetAttribute(name)?.Trim() is not { Length: > 0 } written)
        {
            return null;
        }

        if (!int.TryParse(written, NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            Find(element, Finding.Error, "wrong-limits", $"{name}=\"{Short(written)}\": it takes a whole number.");
            return null;
        }

        return length;
    }

    private CardPattern? Pattern(IElement element, CardFieldKind kind)
    {
        if (element.GetAttribute("pattern") is not { } written)
        {
            return null;
        }

        if (kind is not (CardFieldKind.Text or CardFieldKind.Textarea or CardFieldKind.Email or CardFieldKind.Phone))
        {
            Find(element, Finding.Warning, "unknown-attribute", $"<{element.LocalName}> has no pattern; text, mail addresses and telephone numbers have.");
            return null;
        }

        var pattern = CardPattern.TryRead(written, out var fault);
        if (pattern is null)
        {
            Find(element, Finding.Error, "wrong-pattern", fault);
        }

        return pattern;
    }

    private void LookForPlaceholders(IText words)
    {
        if (words.Parent is IElement parent && !CardPrinter.Prints(parent) && MailTemplate.Parse(words.Data).Names.Count > 0)
        {
            Find(parent, Finding.Warning, "placeholder-not-printed", $"In <{parent.LocalName}> no placeholder is printed, for a value could become a command there. Print it into an element, as <span id=\"x\">{{{{x}}}}</span>, and read it from there.");
        }
    }

    private void LookForPlaceholders(IElement element)
    {
        foreach (var attribute in element.Attributes)
        {
            if (attribute.Value.Contains("{{", StringComparison.Ordinal) && !CardPrinter.Prints(element, attribute.Name) && MailTemplate.Parse(attribute.Value).Names.Count > 0 && !_fieldOf.ContainsKey(element))
            {
                Find(element, Finding.Warning, "placeholder-not-printed", $"In {Short(attribute.Name)} of <{element.LocalName}> no placeholder is printed, for a value could become a command there.");
            }
        }
    }

    private void LookForPlainControls(IEnumerable<INode> body)
    {
        foreach (var element in body.SelectMany(node => node.DescendantsAndSelf<IElement>()).Where(element => element is IHtmlInputElement or IHtmlSelectElement or IHtmlTextAreaElement && element.HasAttribute("name")).Take(5))
        {
            Find(element, Finding.Warning, "plain-control", $"<{element.LocalName}> is no field of the card: nothing reads what is typed there. <eddy-text name=\"{Short(element.GetAttribute("name")!)}\"> sets the KVP.");
        }
    }

    private static bool Is(IElement element, string name) => element.GetAttribute(name) is { } value && !value.Equals("false", StringComparison.OrdinalIgnoreCase);

    private static string Short(string text) => text.Length > 60 ? text[..59] + "…" : text;

    private void Find(IElement element, string severity, string code, string message)
    {
        if (_findings.Count == MostFindings)
        {
            return;
        }

        var at = element.SourceReference?.Position;
        var (line, column) = (Math.Max(1, at?.Line ?? 1), Math.Max(1, at?.Column ?? 1));
        _findings.Add(new Finding(severity, code, line, column, line, column + element.LocalName.Length + 1, message, null));
    }
}
