using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Eddy.Kvps;

namespace Eddy.Cards;

/// <summary>
/// Reads what somebody sends with a card, by the same rules that the card's controls have in a browser. Pure: what is there, what was sent, and who may what come in; changes and sentences come out.
/// Fields that the card does not have do not count. A field that was left as it was shown sets nothing, whatever its KVP has become meanwhile.
/// </summary>
public static class CardForm
{
    /// <summary>With this and its name, each field sends a digest of what it showed.</summary>
    public const string Was = "_was.";

    /// <summary>The process, for API scripts.</summary>
    public const string Process = "PROCESS_ID";

    /// <summary>What tells one form from another.</summary>
    public const string Attempt = "_attempt";

    private const int MostSaid = 64;

    private const int MostOptions = 1000;

    /// <param name="sent">The fields of the form, each with all that was sent for it.</param>
    /// <param name="uploads">The files, by field.</param>
    public static CardAnswer Read(CardFile card, CardState state, IReadOnlyDictionary<string, IReadOnlyList<string>> sent, IReadOnlyDictionary<string, IReadOnlyList<CardUpload>> uploads)
    {
        var (changes, shared, errors, taken) = (new List<Change>(), new List<Change>(), new Dictionary<string, string>(StringComparer.Ordinal), new List<CardUpload>());
        foreach (var field in card.Fields)
        {
            var posted = sent.GetValueOrDefault(field.Name) ?? [];
            var files = uploads.GetValueOrDefault(field.Name) ?? [];
            var was = sent.GetValueOrDefault(Was + field.Name) is [var digest, ..] ? digest : null;
            if (field.IsReadOnly || !state.MaySet(field.Key))
            {
                if (!field.IsReadOnly && (posted.Any(one => one.Length > 0) || files.Count > 0))
                {
                    errors[field.Name] = $"You may not set {field.Name}: no entry of the tenant's access lets you. Whoever owns the tenant can add one.";
                }

                continue;
            }

            var (value, fault) = field.Kind == CardFieldKind.File ? Files(field, state, files) : Value(field, state, posted, was);
            if (fault is not null)
            {
                errors[field.Name] = field.Message ?? fault;
            }
            else if (value is not null && !(was is null ? value == state.Value(field.Key) : was == Digest(value)))
            {
                (field.Key.IsShared ? shared : changes).Add(new Change(field.Key.Key, value));
                taken.AddRange(files);
            }
        }

        foreach (var button in card.Buttons.Where(button => button.Name is not null).DistinctBy(button => button.Name))
        {
            if (sent.GetValueOrDefault(button.Name!) is [var pressed, ..] && card.Buttons.FirstOrDefault(one => one.Name == button.Name && one.Posted == pressed) is { } one)
            {
                var key = CardKey.Of(one.Name!);
                if (state.MaySet(key))
                {
                    // A button that is pressed is an event, whatever its KVP was.
                    (key.IsShared ? shared : changes).Add(new Change(key.Key, one.Value));
                }
                else
                {
                    errors[one.Name!] = $"You may not set {one.Name}: no entry of the tenant's access lets you. Whoever owns the tenant can add one.";
                }
            }
        }

        return new CardAnswer(changes, shared, errors, taken);
    }

    /// <summary>What tells whether a field was changed: of a value, or of none.</summary>
    public static string Digest(string? value) => value is null ? "-" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(value)).AsSpan(0, 8));

    /// <summary>What can be chosen in a field now: what the card says, or what the KVP has that it names.</summary>
    internal static IReadOnlyList<CardOption> Options(CardField field, CardState state)
    {
        if (field.OptionsFrom is not { } from)
        {
            return field.Options;
        }

        if (state.Value(from) is not { } value || value[0] is not ('[' or '{'))
        {
            return [];
        }

        var options = new List<CardOption>();
        using var json = JsonDocument.Parse(value);
        if (KvpKind.Of(value) == "dictionary")
        {
            foreach (var entry in json.RootElement.EnumerateObject().Where(entry => options.Count < MostOptions))
            {
                options.Add(new CardOption(KvpValue.FromText(entry.Name), entry.Name, Posted(Canonical(entry.Value), state)));
            }
        }
        else if (value[0] == '[')
        {
            foreach (var entry in json.RootElement.EnumerateArray().Take(MostOptions))
            {
                var (canonical, posted) = (Canonical(entry), Posted(Canonical(entry), state));
                if (options.TrueForAll(option => option.Posted != posted))
                {
                    options.Add(new CardOption(canonical, posted, posted));
                }
            }
        }

        return options;

        static string Canonical(JsonElement entry) => KvpValue.TryCanonical(Encoding.UTF8.GetBytes(entry.GetRawText()), out var canonical, out _) ? canonical : KvpValue.Null;
    }

    /// <summary>How a form sends a value that can be chosen.</summary>
    internal static string Posted(string value, CardState state) => value == KvpValue.Null ? "None" : Mail.PrintedValue.Of(value, state.Zone);

    /// <summary>The chosen of a checklist that are there already.</summary>
    internal static IReadOnlyList<string> Chosen(string? value, CardState state)
    {
        if (value is not ['[', ..])
        {
            return value is null or KvpValue.Null ? [] : [Posted(value, state)];
        }

        using var json = JsonDocument.Parse(value);
        return [.. json.RootElement.EnumerateArray().Select(entry => KvpValue.TryCanonical(Encoding.UTF8.GetBytes(entry.GetRawText()), out var canonical, out _) ? Posted(canonical, state) : "")];
    }

    // A value, or a sentence, or neither where nothing is set.
    private static (string? Value, string? Fault) Value(CardField field, CardState state, IReadOnlyList<string> posted, string? was)
    {
        var now = state.Value(field.Key);
        switch (field.Kind)
        {
            case CardFieldKind.YesNo:
                return YesNo(field, posted, was);
            case CardFieldKind.Checklist:
                return Checklist(field, state, posted, now, was);
        }

        // Blank is blank, but for a text that begins with spaces.
        if (posted is not [var text, ..] || text.Length == 0 || (field.Kind is not (CardFieldKind.Text or CardFieldKind.Textarea) && string.IsNullOrWhiteSpace(text)))
        {
            return field.IsRequired && (posted.Count > 0 || now is null or KvpValue.Null || was is not null) ? (null, Missing(field))
                : posted.Count == 0 || now is null ? default
                : (field.Kind switch
                {
                    CardFieldKind.Text or CardFieldKind.Textarea or CardFieldKind.Email or CardFieldKind.Phone => now == KvpValue.Null ? null : "\"\"",
                    CardFieldKind.List => "[]",
                    CardFieldKind.Dictionary => "{}",
                    _ => KvpValue.Null,
                }, null);
        }

        if (field.Kind == CardFieldKind.Choice)
        {
            return IsShown(field, state, text, was) ? (now, null)
                : Options(field, state).FirstOrDefault(option => option.Posted == text) is { } chosen ? (chosen.Value, null)
                : (null, $"\"{(text.Length > MostSaid ? text[..MostSaid] + "…" : text)}\" is not among what can be chosen.");
        }

        // What a value prints as may say less than it: untouched, it stays.
        return IsShown(field, state, text, was) ? (now, null) : CardInput.Read(field, text, now, state.Zone, state.Now);
    }

    // What was shown comes back as it was: that is nobody's answer.
    private static bool IsShown(CardField field, CardState state, string text, string? was) =>
        was is not null && state.Value(field.Key) is { } now && was == Digest(now) && text.ReplaceLineEndings("\n") == (field.Kind == CardFieldKind.Choice ? Posted(now, state) : CardInput.Show(field.Kind, now, state.Zone)).ReplaceLineEndings("\n");

    private static (string?, string?) YesNo(CardField field, IReadOnlyList<string> posted, string? was)
    {
        if (posted is [])
        {
            // A box that is not ticked sends nothing; its digest says that it was there.
            return field.IsRequired && (was is not null || !field.IsRadio) ? (null, field.IsRadio ? Missing(field) : $"{field.Label}: tick it to go on.") : was is null || field.IsRadio ? default : (KvpValue.False, null);
        }

        return KvpText.TryValue(posted[0], out var value, out _) && value is KvpValue.True or KvpValue.False ? Ticked(field, value)
            : posted[0].ToUpperInvariant() is "ON" or "YES" or "1" ? (KvpValue.True, null)
            : posted[0].ToUpperInvariant() is "OFF" or "NO" or "0" ? Ticked(field, KvpValue.False)
            : (null, "It is neither yes nor no.");

        static (string?, string?) Ticked(CardField field, string value) =>
            field.IsRequired && !field.IsRadio && value == KvpValue.False ? (null, $"{field.Label}: tick it to go on.") : (value, null);
    }

    private static (string?, string?) Checklist(CardField field, CardState state, IReadOnlyList<string> posted, string? now, string? was)
    {
        if (posted.Count == 0)
        {
            return field.IsRequired ? (null, $"{field.Label}: choose at least one.")
                : was is null ? default
                : CardInput.CountFault(field, 0, "choice", "choices") is { } few ? (null, few)
                : now is null ? default : ("[]", null);
        }

        var options = Options(field, state);
        var kept = Chosen(now, state);
        var values = new List<string>();
        foreach (var one in posted.Distinct(StringComparer.Ordinal))
        {
            if (options.FirstOrDefault(option => option.Posted == one) is { } option)
            {
                values.Add(option.Value);
            }
            else if (kept.Contains(one) && KvpValue.TryText(one, out var text, out _))
            {
                values.Add(Stored(now!, one, state) ?? text);
            }
            else
            {
                return (null, $"\"{(one.Length > MostSaid ? one[..MostSaid] + "…" : one)}\" is not among what can be chosen.");
            }
        }

        return CardInput.CountFault(field, values.Count, "choice", "choices") is { } fault ? (null, fault) : ($"[{string.Join(',', values)}]", null);
    }

    private static string? Stored(string list, string posted, CardState state)
    {
        if (list[0] != '[')
        {
            return list;
        }

        using var json = JsonDocument.Parse(list);
        return json.RootElement.EnumerateArray().Select(entry => KvpValue.TryCanonical(Encoding.UTF8.GetBytes(entry.GetRawText()), out var canonical, out _) ? canonical : null)
            .FirstOrDefault(canonical => canonical is not null && Posted(canonical, state) == posted);
    }

    private static (string?, string?) Files(CardField field, CardState state, IReadOnlyList<CardUpload> files)
    {
        if (files.Count == 0)
        {
            return field.IsRequired && state.Value(field.Key) is null or KvpValue.Null ? (null, Missing(field)) : default;
        }

        if (files.Count > 1 && !field.IsMultiple)
        {
            return (null, "It takes one file.");
        }

        foreach (var file in files)
        {
            if (file.Content.Length > CardUpload.MostBytes)
            {
                return (null, $"{file.Name} is larger than {CardUpload.MostBytes >> 20} MiB.");
            }

            if (field.Accept is { Length: > 0 } accept && !file.IsAccepted(accept))
            {
                return (null, $"{file.Name} is none of the files that are taken here: {accept}.");
            }
        }

        var told = files.Select(file => $$"""{"link":{{KvpValue.FromText(file.Link)}},"name":{{KvpValue.FromText(file.Name)}},"size":{{file.Content.Length}},"type":{{KvpValue.FromText(file.Type)}}}""");
        return (field.IsMultiple ? $"[{string.Join(',', told)}]" : told.Single(), null);
    }

    private static string Missing(CardField field) => $"{field.Label} is missing.";
}

/// <summary>What somebody answered.</summary>
/// <param name="Changes">Of the card's process.</param>
/// <param name="Shared">Of the shared bag.</param>
/// <param name="Errors">What is wrong, in a sentence, by the name of the field. With any, nothing is set.</param>
/// <param name="Uploads">The files that the changes name.</param>
public sealed record CardAnswer(IReadOnlyList<Change> Changes, IReadOnlyList<Change> Shared, IReadOnlyDictionary<string, string> Errors, IReadOnlyList<CardUpload> Uploads);
