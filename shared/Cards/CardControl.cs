using Eddy.Kvps;

namespace Eddy.Cards;

/// <summary>Writes one field: its label, its control, its help and what is wrong with what was typed.</summary>
internal sealed class CardControl(CardField field, CardFile card, CardState state, CardAsk ask)
{
    private readonly bool _maySet = !field.IsReadOnly && state.MaySet(field.Key);
    private readonly string? _value = state.Value(field.Key);
    private readonly string? _error = ask.Errors.GetValueOrDefault(field.Name);

    private string? Help() => field.Help is { } help ? state.Fill(help) : field.Kind switch
    {
        CardFieldKind.List => "One entry a line.",
        CardFieldKind.Dictionary => "One entry a line, as in name: value.",
        _ => null,
    };

    private string? Described() => string.Join(' ', new[] { Help() is null && _maySet ? null : $"{Id(field)}-help", _error is null ? null : $"{Id(field)}-error" }.OfType<string>()) is { Length: > 0 } ids ? ids : null;

    // A box that has to be ticked can be said so in HTML; that one of several has to be can not.
    private bool IsRequired() => field.IsRequired && _maySet;

    public static string Id(CardField field) => $"eddy-{field.Number}";

    public void Write(Markup html)
    {
        if (!_maySet && !state.MayRead(field.Key))
        {
            return;
        }

        var isGroup = field.Kind == CardFieldKind.Checklist || (field.IsRadio && field.Kind is CardFieldKind.Choice or CardFieldKind.YesNo);
        if (isGroup)
        {
            WriteGroup(html);
        }
        else
        {
            html.Raw("<div class=\"eddy-field\">\n");
            if (field.Kind == CardFieldKind.YesNo)
            {
                WriteBox(html);
            }
            else
            {
                html.Raw("<label").With("for", Id(field)).Raw(">");
                WriteLabel(html);
                html.Raw("</label>\n");
                WriteControl(html);
            }

            WriteBelow(html);
            WriteWas(html);
            html.Raw("</div>");
        }
    }

    private void WriteLabel(Markup html)
    {
        html.Text(state.Fill(field.Label));
        if (field.IsRequired && _maySet)
        {
            html.Raw(" <span class=\"eddy-required\">(required)</span>");
        }
    }

    private void WriteBelow(Markup html)
    {
        if (Help() is not null || !_maySet)
        {
            html.Raw("<p class=\"eddy-help\"").With("id", $"{Id(field)}-help").Raw(">").Text(string.Join(' ', new[] { Help(), _maySet ? null : field.IsReadOnly ? "This is only shown." : "You may read this, and not change it." }.OfType<string>())).Raw("</p>\n");
        }

        if (_error is not null)
        {
            html.Raw("<p class=\"eddy-error\"").With("id", $"{Id(field)}-error").Raw(">").Text(_error).Raw("</p>\n");
        }
    }

    // Of what it shows; where it shows nothing of a KVP, of none.
    private void WriteWas(Markup html)
    {
        if (_maySet && card.Target is null)
        {
            var was = ask.Typed?.GetValueOrDefault(CardForm.Was + field.Name) is [var before, ..] ? before : CardForm.Digest(_value);
            html.Raw("<input type=\"hidden\"").With("name", CardForm.Was + field.Name).With("value", was).Raw(">\n");
        }
    }

    private void Common(Markup html, string? control)
    {
        html.With("id", control ?? Id(field)).With("name", field.Name).Flag("disabled", !_maySet || ask.IsPreview && field.Kind == CardFieldKind.File)
            .With("aria-describedby", Described()).With("aria-invalid", _error is null ? null : "true");
    }

    private string Shown() =>
        ask.Typed is { } typed && _maySet ? typed.GetValueOrDefault(field.Name) is [var text, ..] ? text : ""
        : _value is not null ? CardInput.Show(field.Kind, _value, state.Zone)
        : field.Default is { } preset ? state.Fill(preset) : "";

    private void WriteControl(Markup html)
    {
        switch (field.Kind)
        {
            case CardFieldKind.Textarea or CardFieldKind.List or CardFieldKind.Dictionary:
                html.Raw("<textarea").With("rows", field.Rows ?? (field.Kind == CardFieldKind.Textarea ? 5 : 4));
                Common(html, null);
                html.Flag("required", IsRequired()).With("minlength", field.MinLength).With("maxlength", field.MaxLength).With("placeholder", Placeholder()).With("autocomplete", field.Autocomplete)
                    // The first line's end is no part of it.
                    .Raw(">\n").Text(Shown()).Raw("</textarea>\n");
                break;
            case CardFieldKind.Choice:
                WriteSelect(html);
                break;
            case CardFieldKind.File:
                WriteFile(html);
                break;
            default:
                WriteInput(html);
                break;
        }
    }

    private string? Placeholder() => field.Placeholder is { } placeholder ? state.Fill(placeholder) : null;

    private void WriteInput(Markup html)
    {
        var shown = Shown();
        var (type, mode, autocomplete) = field.Kind switch
        {
            CardFieldKind.Number => ("number", field.Step is { } step && !step.Contains('.') ? "numeric" : "decimal", null),
            CardFieldKind.Date => ("date", null, null),
            CardFieldKind.Time => ("time", null, null),
            CardFieldKind.DateTime => ("datetime-local", null, null),
            CardFieldKind.Email => ("email", "email", "email"),
            CardFieldKind.Phone => ("tel", "tel", "tel"),
            _ => ("text", (string?)null, (string?)null),
        };
        html.Raw("<input").With("type", type);
        Common(html, null);
        html.With("value", shown).With("inputmode", mode).With("autocomplete", field.Autocomplete ?? autocomplete).Flag("required", IsRequired()).With("placeholder", Placeholder())
            .With("minlength", field.MinLength).With("maxlength", field.MaxLength);
        if (field.Kind is CardFieldKind.Number or CardFieldKind.Date or CardFieldKind.Time or CardFieldKind.DateTime)
        {
            // Browsers take a value with seconds only where the steps are that fine.
            html.With("min", CardInput.Limit(field.Kind, field.Min, state.Zone, state.Now)).With("max", CardInput.Limit(field.Kind, field.Max, state.Zone, state.Now))
                .With("step", field.Kind == CardFieldKind.Number ? field.Step ?? "any" : shown.Length > (field.Kind == CardFieldKind.Time ? 5 : 16) && field.Kind != CardFieldKind.Date ? "1" : null);
        }

        if (field.Pattern is not null || field.Kind == CardFieldKind.Phone)
        {
            html.With("pattern", field.Pattern?.Text ?? @"[0-9+ \(\).\/\-]{3,40}").With("title", field.Message ?? (field.Kind == CardFieldKind.Phone ? "A telephone number, as +49 30 1234567 is one." : null));
        }

        html.Raw(">\n");
    }

    private void WriteSelect(Markup html)
    {
        var chosen = ChosenOne();
        html.Raw("<select");
        Common(html, null);
        html.With("autocomplete", field.Autocomplete).Flag("required", IsRequired()).Raw(">\n<option value=\"\"").Flag("selected", chosen.Length == 0).Raw(">").Text(Placeholder() ?? "Choose…").Raw("</option>\n");
        foreach (var option in OptionsWith(chosen.Length == 0 ? [] : [chosen]))
        {
            html.Raw("<option").With("value", option.Posted).Flag("selected", option.Posted == chosen).Raw(">").Text(state.Fill(option.Label)).Raw("</option>\n");
        }

        html.Raw("</select>\n");
    }

    private string ChosenOne() =>
        ask.Typed is { } typed && _maySet ? typed.GetValueOrDefault(field.Name) is [var text, ..] ? text : ""
        : _value is not null and not KvpValue.Null ? CardForm.Posted(_value, state)
        : _value is null && field.Default is { } preset ? state.Fill(preset) : "";

    // What is there already stays to be chosen, though it is no choice any more.
    private IReadOnlyList<CardOption> OptionsWith(IReadOnlyList<string> chosen)
    {
        var options = CardForm.Options(field, state);
        return [.. options, .. chosen.Where(one => one.Length > 0 && options.All(option => option.Posted != one)).Select(one => new CardOption("", one, one))];
    }

    private void WriteFile(Markup html)
    {
        html.Raw("<input type=\"file\"");
        Common(html, null);
        html.With("accept", field.Accept).Flag("multiple", field.IsMultiple).Flag("required", IsRequired() && _value is null or KvpValue.Null).Raw(">\n");
        foreach (var (fileName, link) in CardFiles.Of(_value))
        {
            html.Raw("<p class=\"eddy-help\">There now: <a").With("href", link).Raw(">").Text(fileName).Raw("</a></p>\n");
        }
    }

    private void WriteBox(Markup html)
    {
        html.Raw("<div class=\"eddy-box\"><input type=\"checkbox\"");
        Common(html, null);
        html.With("value", "true").Flag("checked", IsTicked()).Flag("required", IsRequired()).Raw("><label").With("for", Id(field)).Raw(">");
        WriteLabel(html);
        html.Raw("</label></div>\n");
    }

    private bool IsTicked() =>
        ask.Typed is { } typed && _maySet ? typed.GetValueOrDefault(field.Name) is ["true" or "on" or "yes" or "1", ..]
        : _value is not null ? CardInput.Show(CardFieldKind.YesNo, _value, state.Zone) == "true"
        : field.Default is { } preset && preset.ToUpperInvariant() is "TRUE" or "YES" or "ON" or "1";

    private void WriteGroup(Markup html)
    {
        html.Raw("<fieldset class=\"eddy-field\"").With("id", Id(field)).Flag("disabled", !_maySet).With("aria-describedby", Described()).Raw(">\n<legend>");
        WriteLabel(html);
        html.Raw("</legend>\n");
        var (type, chosen) = field.Kind == CardFieldKind.Checklist ? ("checkbox", ChosenOfMany()) : ("radio", field.Kind == CardFieldKind.YesNo ? ChosenYesNo() : [ChosenOne()]);
        var options = field.Kind == CardFieldKind.YesNo ? [new CardOption(KvpValue.True, "true", "Yes"), new CardOption(KvpValue.False, "false", "No")] : OptionsWith(chosen);
        for (var i = 0; i < options.Count; i++)
        {
            html.Raw("<div class=\"eddy-box\"><input").With("type", type).With("id", $"{Id(field)}-{i}").With("name", field.Name).With("value", options[i].Posted)
                .Flag("checked", chosen.Contains(options[i].Posted)).Flag("required", IsRequired() && type == "radio").With("aria-invalid", _error is null ? null : "true")
                .Raw("><label").With("for", $"{Id(field)}-{i}").Raw(">").Text(state.Fill(options[i].Label)).Raw("</label></div>\n");
        }

        if (options.Count == 0)
        {
            html.Raw("<p class=\"eddy-help\">There is nothing to choose from.</p>\n");
        }

        WriteBelow(html);
        WriteWas(html);
        html.Raw("</fieldset>");
    }

    private IReadOnlyList<string> ChosenYesNo() =>
        ask.Typed is { } typed && _maySet ? typed.GetValueOrDefault(field.Name) ?? []
        : _value is not null and not KvpValue.Null ? [CardInput.Show(CardFieldKind.YesNo, _value, state.Zone)]
        : field.Default is { } preset ? [preset.ToUpperInvariant() is "TRUE" or "YES" or "ON" or "1" ? "true" : "false"] : [];

    private IReadOnlyList<string> ChosenOfMany() =>
        ask.Typed is { } typed && _maySet ? typed.GetValueOrDefault(field.Name) ?? []
        : _value is not null ? CardForm.Chosen(_value, state)
        : field.Default is { } preset ? state.Fill(preset).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : [];
}
