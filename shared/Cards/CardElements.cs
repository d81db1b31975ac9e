using System.Collections.Frozen;

namespace Eddy.Cards;

/// <summary>
/// The elements of cards. Ours begin with <c>eddy-</c>; <c>nebri-</c> and <c>nebrios-</c> stand for the same, and know the names besides that cards of that platform have
/// (<c>docs/cards.md</c> has the table).
/// </summary>
public static class CardElements
{
    /// <summary>A button that sends the card.</summary>
    internal const string Submit = "submit";

    /// <summary>Around the fields, where the card is sent somewhere else.</summary>
    internal const string Form = "form";

    private static readonly string[] Prefixes = ["eddy-", "nebri-", "nebrios-"];

    /// <summary>Fields by what stands behind <c>eddy-</c>.</summary>
    private static readonly FrozenDictionary<string, CardFieldKind> Kinds = new Dictionary<string, CardFieldKind>(StringComparer.Ordinal)
    {
        ["text"] = CardFieldKind.Text,
        ["textarea"] = CardFieldKind.Textarea,
        ["number"] = CardFieldKind.Number,
        ["yes-no"] = CardFieldKind.YesNo,
        ["choice"] = CardFieldKind.Choice,
        ["checklist"] = CardFieldKind.Checklist,
        ["date"] = CardFieldKind.Date,
        ["time"] = CardFieldKind.Time,
        ["date-time"] = CardFieldKind.DateTime,
        ["email"] = CardFieldKind.Email,
        ["phone"] = CardFieldKind.Phone,
        ["list"] = CardFieldKind.List,
        ["dictionary"] = CardFieldKind.Dictionary,
        ["file"] = CardFieldKind.File,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What may stand behind <c>nebri-</c> and <c>nebrios-</c> besides, and what it is here.</summary>
    private static readonly FrozenDictionary<string, string> Aliases = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["input"] = "text",
        ["string"] = "text",
        ["text-input"] = "text",
        ["text-area"] = "textarea",
        ["integer"] = "number",
        ["float"] = "number",
        ["decimal"] = "number",
        ["checkbox"] = "yes-no",
        ["boolean"] = "yes-no",
        ["toggle"] = "yes-no",
        ["select"] = "choice",
        ["dropdown"] = "choice",
        ["radio"] = "choice",
        ["radio-group"] = "choice",
        ["checkboxes"] = "checklist",
        ["checkbox-group"] = "checklist",
        ["datetime"] = "date-time",
        ["mail"] = "email",
        ["tel"] = "phone",
        ["dict"] = "dictionary",
        ["upload"] = "file",
        ["file-upload"] = "file",
        ["button"] = Submit,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Every name that is read, with the name of ours that it stands for.</summary>
    public static IEnumerable<(string Name, string Ours)> All =>
        from prefix in Prefixes
        from name in Kinds.Keys.Append(Submit).Append(Form).Concat(prefix == Prefixes[0] ? [] : Aliases.Keys)
        select (prefix + name, "eddy-" + Aliases.GetValueOrDefault(name, name));

    /// <summary>What stands behind <c>eddy-</c>; null where it is no element of a card.</summary>
    /// <param name="element">A name in small letters.</param>
    internal static string? Read(string element)
    {
        if (Array.Find(Prefixes, prefix => element.StartsWith(prefix, StringComparison.Ordinal)) is not { } begin)
        {
            return null;
        }

        var name = element[begin.Length..];
        var ours = begin == Prefixes[0] ? name : Aliases.GetValueOrDefault(name, name);
        return ours is Submit or Form || Kinds.ContainsKey(ours) ? ours : null;
    }

    internal static CardFieldKind? Kind(string ours) => Kinds.TryGetValue(ours, out var kind) ? kind : null;

    /// <summary>It looks like one of a card, and so is meant to be one.</summary>
    internal static bool IsMeant(string element) => Array.Exists(Prefixes, prefix => element.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Radio buttons, as these two have always been.</summary>
    internal static bool IsRadio(string element) => element.EndsWith("-radio", StringComparison.Ordinal) || element.EndsWith("-radio-group", StringComparison.Ordinal);

    /// <summary>The name of ours that is nearest to one that is none; null where none is near.</summary>
    internal static string? Nearest(string element)
    {
        var name = element[(element.IndexOf('-', StringComparison.Ordinal) + 1)..];
        if (Aliases.TryGetValue(name, out var ours))
        {
            return "eddy-" + ours;
        }

        var (best, nearest) = (3, (string?)null);
        foreach (var known in Kinds.Keys.Append(Submit).Append(Form).Order(StringComparer.Ordinal))
        {
            if (Distance(name, known) is var far && far < best)
            {
                (best, nearest) = (far, "eddy-" + known);
            }
        }

        return nearest;
    }

    // How many letters have to change.
    private static int Distance(string a, string b)
    {
        if (Math.Abs(a.Length - b.Length) > 2)
        {
            return int.MaxValue;
        }

        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var before = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                (before, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, before + (a[i - 1] == b[j - 1] ? 0 : 1)));
            }
        }

        return row[^1];
    }
}
