using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Eddy.Kvps;
using Eddy.Mail;

namespace Eddy.Cards;

/// <summary>Between a KVP and what stands in its field: each kind of field writes a value as a browser's control has it, and reads what a form sends.</summary>
internal static class CardInput
{
    private const string Today = "today";

    /// <summary>What a control shows of a value; blank for one that it can not show.</summary>
    /// <param name="value">Canonical JSON.</param>
    public static string Show(CardFieldKind kind, string value, TimeZoneInfo zone) => kind switch
    {
        _ when value == KvpValue.Null => "",
        CardFieldKind.Number => KvpKind.Of(value) is "integer" or "float" or "decimal" ? PrintedValue.Of(value, zone) : "",
        CardFieldKind.YesNo => IsTrue(value) ? "true" : "false",
        CardFieldKind.Date => KvpKind.Of(value) is "date" or "datetime" ? PrintedValue.Of(value, zone)[..10] : "",
        CardFieldKind.Time => KvpKind.Of(value) == "time" ? PrintedValue.Of(value, zone) : "",
        CardFieldKind.DateTime => KvpKind.Of(value) switch { "datetime" => PrintedValue.Of(value, zone).Replace(' ', 'T'), "date" => PrintedValue.Of(value, zone) + "T00:00", _ => "" },
        CardFieldKind.List => KvpKind.Of(value) == "list" ? Lines(value, zone) : PrintedValue.Of(value, zone),
        CardFieldKind.Dictionary => KvpKind.Of(value) == "dictionary" ? Lines(value, zone) : PrintedValue.Of(value, zone),
        _ => PrintedValue.Of(value, zone),
    };

    /// <summary>Reads what a form sends for a field, which is not blank.</summary>
    /// <param name="was">The KVP as it is; null where there is none.</param>
    /// <returns>Canonical JSON, or a sentence that says what is wrong.</returns>
    public static (string? Value, string? Fault) Read(CardField field, string posted, string? was, TimeZoneInfo zone, DateTimeOffset now) => field.Kind switch
    {
        CardFieldKind.Number => Number(field, posted.Trim(), was),
        CardFieldKind.Date => DateOnly.TryParseExact(posted.Trim(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? Within(field, KvpValue.FromDate(date), posted.Trim(), zone, now) : (null, "It is no date, as 2026-11-29 is one."),
        CardFieldKind.Time => TimeOnly.TryParseExact(posted.Trim(), ["HH:mm", "HH:mm:ss", "HH:mm:ss.FFFFFF"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? Within(field, KvpValue.FromTime(time), time.ToString("HH:mm:ss", CultureInfo.InvariantCulture), zone, now) : (null, "It is no time, as 14:30 is one."),
        CardFieldKind.DateTime => DateTime.TryParseExact(posted.Trim(), ["yyyy-MM-ddTHH:mm", "yyyy-MM-ddTHH:mm:ss", "yyyy-MM-ddTHH:mm:ss.FFFFFF", "yyyy-MM-dd HH:mm"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var moment)
            ? Within(field, Moment(moment, was, zone), moment.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture), zone, now) : (null, "It is no date with a time, as 2026-11-29T14:30 is one."),
        CardFieldKind.Email => MailAddress.Fault(posted.Trim()) is { } fault ? (null, fault) : Text(field, posted.Trim()),
        CardFieldKind.Phone => IsPhone(posted.Trim()) ? Text(field, posted.Trim()) : (null, "It is no telephone number, as +49 30 1234567 is one."),
        CardFieldKind.List => Listed(field, posted),
        CardFieldKind.Dictionary => Named(field, posted),
        CardFieldKind.Textarea => Text(field, posted.ReplaceLineEndings("\n")),
        _ => Text(field, posted.ReplaceLineEndings(" ")),
    };

    /// <summary>Why this is no limit of such a field, in a sentence, or null.</summary>
    public static string? LimitFault(CardFieldKind kind, string limit) => kind switch
    {
        CardFieldKind.Number => decimal.TryParse(limit, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _) ? null : "it takes a number, as in 0 or 0.5.",
        CardFieldKind.Date => limit == Today || DateOnly.TryParseExact(limit, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? null : "it takes a date, as in 2026-11-29, or today.",
        CardFieldKind.Time => TimeOnly.TryParseExact(limit, ["HH:mm", "HH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? null : "it takes a time, as in 08:00.",
        CardFieldKind.DateTime => limit == Today || DateTime.TryParseExact(limit, ["yyyy-MM-ddTHH:mm", "yyyy-MM-ddTHH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? null : "it takes a date with a time, as in 2026-11-29T08:00, or today.",
        CardFieldKind.List or CardFieldKind.Dictionary or CardFieldKind.Checklist => int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? null : "it takes how many entries there are at least or at most.",
        _ => "such a field has none; a text has minlength and maxlength.",
    };

    /// <summary>Why nothing could be right, in a sentence, or null.</summary>
    public static string? LimitsFault(CardField field) =>
        field.MinLength > field.MaxLength ? $"minlength is {field.MinLength} and maxlength {field.MaxLength}: no text is both."
        : field.Min is null || field.Max is null || field.Min == Today || field.Max == Today ? null
        : Compare(field.Kind, field.Min, field.Max) > 0 ? $"min is {field.Min} and max {field.Max}: nothing is both."
        : null;

    /// <summary>A limit of a date as a browser's control has it.</summary>
    public static string? Limit(CardFieldKind kind, string? limit, TimeZoneInfo zone, DateTimeOffset now) =>
        limit != Today ? limit : TimeZoneInfo.ConvertTime(now, zone).ToString(kind == CardFieldKind.Date ? "yyyy-MM-dd" : "yyyy-MM-ddT00:00", CultureInfo.InvariantCulture);

    /// <summary>How many entries there may be, where that is wrong.</summary>
    public static string? CountFault(CardField field, int count, string one, string many) =>
        field.Min is { } least && count < int.Parse(least, CultureInfo.InvariantCulture) ? $"At least {least} {(least == "1" ? one : many)} are needed; there {(count == 1 ? "is" : "are")} {count}."
        : field.Max is { } most && count > int.Parse(most, CultureInfo.InvariantCulture) ? $"At most {most} {(most == "1" ? one : many)} may be there; there are {count}."
        : null;

    private static bool IsTrue(string value) => value is not (KvpValue.False or KvpValue.Null or "0" or "0.0" or "\"\"" or "[]" or "{}");

    private static (string?, string?) Text(CardField field, string text)
    {
        var length = text.Length;
        return length < field.MinLength ? (null, $"It needs at least {field.MinLength} characters, and has {length}.")
            : length > field.MaxLength ? (null, $"It may have at most {field.MaxLength} characters, and has {length}.")
            : field.Pattern is { } pattern && !pattern.Matches(text) ? (null, "It is not written as it has to be.")
            : KvpValue.TryText(text, out var value, out var fault) ? (value, null)
            : (null, fault.Detail);
    }

    private static (string?, string?) Number(CardField field, string posted, string? was)
    {
        const string none = "It is no number, as 12.5 is one.";
        var isWhole = posted.AsSpan().TrimStart('-').IndexOfAnyExceptInRange('0', '9') < 0 && posted.Length is > 0 and <= 400;
        if (!double.TryParse(posted, NumberStyles.Float & ~NumberStyles.AllowTrailingWhite & ~NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
        {
            return (null, none);
        }

        var exact = decimal.TryParse(posted, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var parsed) ? parsed : (decimal?)null;
        var (least, most) = (Bound(field.Min), Bound(field.Max));
        if (least is not null && (exact is { } low ? low < least : number < (double)least))
        {
            return (null, $"It has to be at least {field.Min}.");
        }

        if (most is not null && (exact is { } high ? high > most : number > (double)most))
        {
            return (null, $"It may be at most {field.Max}.");
        }

        if (Bound(field.Step) is { } step && (exact is null || (exact.Value - (least ?? 0)) % step != 0))
        {
            return (null, step == 1 && least is null ? "It has to be a whole number." : $"It goes in steps of {field.Step}{(least is null ? "" : $" from {field.Min}")}.");
        }

        return (was is not null && KvpKind.Of(was) == "decimal" && exact is { } money ? KvpValue.FromDecimal(money)
            : isWhole ? KvpValue.FromInteger(BigInteger.Parse(posted, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture))
            : KvpValue.FromFloat(number), null);
    }

    private static decimal? Bound(string? limit) => limit is null ? null : decimal.Parse(limit, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);

    // A KVP that has a zone keeps having one.
    private static string Moment(DateTime local, string? was, TimeZoneInfo zone) =>
        was is not null && KvpKind.Of(was) == "datetime" && KvpLookup.Of(was).Txt is { Length: > 19 } text && text.AsSpan(19).ContainsAny('+', '-')
            ? KvpValue.FromDateTime(new DateTimeOffset(local, zone.GetUtcOffset(local)))
            : KvpValue.FromDateTime(local);

    private static (string?, string?) Within(CardField field, string value, string written, TimeZoneInfo zone, DateTimeOffset now)
    {
        var (least, most) = (Limit(field.Kind, field.Min, zone, now), Limit(field.Kind, field.Max, zone, now));
        return least is not null && Compare(field.Kind, written, least) < 0 ? (null, $"It has to be {least.Replace('T', ' ')} or later.")
            : most is not null && Compare(field.Kind, written, most) > 0 ? (null, $"It has to be {most.Replace('T', ' ')} or earlier.")
            : (value, null);
    }

    private static int Compare(CardFieldKind kind, string a, string b) => kind switch
    {
        CardFieldKind.Number or CardFieldKind.List or CardFieldKind.Dictionary or CardFieldKind.Checklist => Bound(a)!.Value.CompareTo(Bound(b)!.Value),
        // Written from the year down, with or without seconds.
        _ => string.CompareOrdinal(Seconds(kind, a), Seconds(kind, b)),
    };

    private static string Seconds(CardFieldKind kind, string text) => text.Length == (kind == CardFieldKind.Time ? 5 : 16) ? text + ":00" : text;

    private static bool IsPhone(string text) => text.Length is >= 3 and <= 40 && text.Any(char.IsAsciiDigit) && text.All(c => char.IsAsciiDigit(c) || " +()./-".Contains(c));

    private static (string?, string?) Listed(CardField field, string posted)
    {
        if (AsLiteral(posted, '[', ']') is { } literal)
        {
            return CountFault(field, Count(literal), "entry", "entries") is { } few ? (null, few) : (literal, null);
        }

        var entries = new List<string>();
        foreach (var line in Split(posted))
        {
            if (!KvpText.TryValue(line, out var entry, out var fault))
            {
                return (null, $"Entry {entries.Count + 1}: {fault.Detail}");
            }

            entries.Add(entry);
        }

        return CountFault(field, entries.Count, "entry", "entries") is { } wrong ? (null, wrong) : Canonical($"[{string.Join(',', entries)}]");
    }

    private static (string?, string?) Named(CardField field, string posted)
    {
        if (AsLiteral(posted, '{', '}') is { } literal)
        {
            return CountFault(field, Count(literal), "entry", "entries") is { } few ? (null, few) : (literal, null);
        }

        var entries = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in Split(posted))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
            {
                return (null, $"Line {entries.Count + 1} has no name and a colon before its value, as in colour: blue.");
            }

            var name = line[..colon].Trim();
            if (!KvpText.TryValue(line[(colon + 1)..].TrimStart('=').Trim(), out var entry, out var fault))
            {
                return (null, $"{name}: {fault.Detail}");
            }

            if (name.StartsWith('$') || !entries.TryAdd(name, entry))
            {
                return (null, name.StartsWith('$') ? $"{name}: a name does not begin with $." : $"{name} is there twice.");
            }
        }

        var json = new StringBuilder("{");
        foreach (var (name, entry) in entries)
        {
            json.Append(json.Length > 1 ? "," : "").Append(JsonSerializer.Serialize(name)).Append(':').Append(entry);
        }

        return CountFault(field, entries.Count, "entry", "entries") is { } wrong ? (null, wrong) : Canonical(json.Append('}').ToString());
    }

    private static IEnumerable<string> Split(string text) => text.ReplaceLineEndings("\n").Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0);

    private static (string?, string?) Canonical(string json) => KvpValue.TryCanonical(Encoding.UTF8.GetBytes(json), out var value, out var fault) ? (value, null) : (null, fault.Detail);

    // All of it in brackets: as a rule would write it.
    private static string? AsLiteral(string posted, char open, char close)
    {
        var text = posted.Trim();
        return text.Length > 1 && text[0] == open && text[^1] == close && KvpText.TryValue(text, out var value, out _) && value[0] == open && KvpKind.Of(value) is "list" or "dictionary" ? value : null;
    }

    private static int Count(string literal)
    {
        using var json = JsonDocument.Parse(literal);
        return json.RootElement.ValueKind == JsonValueKind.Array ? json.RootElement.GetArrayLength() : json.RootElement.EnumerateObject().Count();
    }

    // One entry a line where all of them can be read back so; else the whole as it is stored.
    private static string Lines(string value, TimeZoneInfo zone)
    {
        using var json = JsonDocument.Parse(value);
        var lines = new List<string>();
        var entries = json.RootElement.ValueKind == JsonValueKind.Array
            ? json.RootElement.EnumerateArray().Select(entry => ((string?)null, Entry: entry))
            : json.RootElement.EnumerateObject().Select(entry => ((string?)entry.Name, Entry: entry.Value));
        foreach (var (name, entry) in entries)
        {
            var canonical = KvpValue.TryCanonical(Encoding.UTF8.GetBytes(entry.GetRawText()), out var one, out _) ? one : entry.GetRawText();
            var text = new[] { PrintedValue.Of(canonical, zone), canonical }.FirstOrDefault(written => Split(written).FirstOrDefault() == written && KvpText.TryValue(written, out var back, out _) && back == canonical);
            if (text is null || (name is not null && (name.Trim() != name || name.Length == 0 || name.AsSpan().ContainsAny(":\r\n"))))
            {
                return value;
            }

            lines.Add(name is null ? text : $"{name}: {text}");
        }

        return lines.Count > 0 && lines[0] is ['[' or '{', ..] ? value : string.Join('\n', lines);
    }
}
