using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Eddy.Kvps;

/// <summary>A KVP's value as one would write it in Python. What is written so gives the same value again.</summary>
public static class PythonText
{
    private static readonly HashSet<string> Keywords = new(
        "False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield match case self".Split(' '),
        StringComparer.Ordinal);

    /// <summary>Whether the key can be an attribute, or the name of an argument.</summary>
    public static bool IsName(string key) =>
        key.Length > 0 && !char.IsAsciiDigit(key[0]) && key.All(character => char.IsAsciiLetterOrDigit(character) || character == '_') && !Keywords.Contains(key) && !key.StartsWith("__", StringComparison.Ordinal);

    public static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var character in text)
        {
            quoted.Append(character switch
            {
                '"' => "\\\"",
                '\\' => @"\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                < ' ' or (>= '\x7f' and < '\xa0') or '\u2028' or '\u2029' => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
                _ => character.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }

    /// <param name="canonical">Canonical JSON.</param>
    /// <param name="process">What a process is called; null for one that has no name here.</param>
    /// <returns>Null where a process without a name is in it.</returns>
    public static string? Of(string canonical, Func<long, string?> process)
    {
        using var json = JsonDocument.Parse(canonical, new JsonDocumentOptions { MaxDepth = 256 });
        var text = new StringBuilder();
        return Write(json.RootElement, text, process) ? text.ToString() : null;
    }

    private static bool Write(JsonElement value, StringBuilder text, Func<long, string?> process)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                text.Append("None");
                return true;
            case JsonValueKind.True or JsonValueKind.False:
                text.Append(value.ValueKind == JsonValueKind.True ? "True" : "False");
                return true;
            case JsonValueKind.Number:
                text.Append(value.GetRawText());
                return true;
            case JsonValueKind.String:
                text.Append(Quoted(value.GetString()!));
                return true;
            case JsonValueKind.Array:
                return WriteAll(text, '[', value.EnumerateArray(), item => Write(item, text, process), ']');
            default:
                if (value.EnumerateObject().ToList() is [{ Name: ['$', ..] } tag])
                {
                    return WriteTagged(tag, text, process);
                }

                return WriteAll(text, '{', value.EnumerateObject(), pair =>
                {
                    text.Append(Quoted(pair.Name)).Append(": ");
                    return Write(pair.Value, text, process);
                }, '}');
        }
    }

    private static bool WriteAll<T>(StringBuilder text, char begin, IEnumerable<T> items, Func<T, bool> write, char end)
    {
        text.Append(begin);
        var isFirst = true;
        foreach (var item in items)
        {
            text.Append(isFirst ? "" : ", ");
            isFirst = false;
            if (!write(item))
            {
                return false;
            }
        }

        text.Append(end);
        return true;
    }

    private static bool WriteTagged(JsonProperty tag, StringBuilder text, Func<long, string?> process)
    {
        switch (tag.Name)
        {
            case "$process" when tag.Value.ValueKind == JsonValueKind.Number && process(tag.Value.GetInt64()) is { } name:
                text.Append(name);
                return true;
            case var _ when tag.Value.ValueKind != JsonValueKind.String:
                return false;
            case "$date" or "$time":
                text.Append(tag.Name.AsSpan(1)).Append(".fromisoformat(").Append(Quoted(tag.Value.GetString()!)).Append(')');
                return true;
            case "$datetime":
                // The name of a zone is no part of what Python reads.
                text.Append("datetime.fromisoformat(").Append(Quoted(tag.Value.GetString()!.Split('[')[0])).Append(')');
                return true;
            case "$decimal":
                text.Append("Decimal(").Append(Quoted(tag.Value.GetString()!)).Append(')');
                return true;
            default:
                return false;
        }
    }
}
