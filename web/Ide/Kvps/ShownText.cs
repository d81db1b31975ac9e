using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Eddy.Ide.Kvps;

/// <summary>Canonical values as text for people: a text without its quotes and with ⏎ for its line ends, what is inside a tag, a list's elements, a dictionary's pairs.</summary>
public static class ShownText
{
    /// <param name="most">The most characters; what is cut ends with an ellipsis.</param>
    public static string Of(string canonical, int most)
    {
        using var json = JsonDocument.Parse(canonical);
        var text = new StringBuilder();
        Append(text, json.RootElement, 0, most);
        return text.Length <= most ? text.ToString() : text.ToString(0, most - 1) + "…";
    }

    /// <summary>How many elements a list has, or keys a dictionary.</summary>
    public static int Count(string canonical)
    {
        using var json = JsonDocument.Parse(canonical);
        var root = json.RootElement;
        return root.ValueKind == JsonValueKind.Array ? root.GetArrayLength() : Unwrapped(root).EnumerateObject().Count();
    }

    private static void Append(StringBuilder text, JsonElement value, int depth, int most)
    {
        if (text.Length > most)
        {
            return;
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                var inside = value.GetString()!.ReplaceLineEndings("⏎");
                text.Append(depth > 0 ? $"\"{inside}\"" : inside);
                break;
            case JsonValueKind.Null:
                text.Append("None");
                break;
            case JsonValueKind.True:
                text.Append("True");
                break;
            case JsonValueKind.False:
                text.Append("False");
                break;
            case JsonValueKind.Array:
                text.Append(depth > 0 ? "[" : "");
                AppendAll(text, value.EnumerateArray(), one => Append(text, one, depth + 1, most), most);
                text.Append(depth > 0 ? "]" : "");
                break;
            case JsonValueKind.Object when Tagged(value) is { } tagged:
                text.Append(tagged);
                break;
            case JsonValueKind.Object:
                text.Append(depth > 0 ? "{" : "");
                AppendAll(text, Unwrapped(value).EnumerateObject(), pair =>
                {
                    text.Append(pair.Name).Append(": ");
                    Append(text, pair.Value, depth + 1, most);
                }, most);
                text.Append(depth > 0 ? "}" : "");
                break;
            default:
                text.Append(value.GetRawText());
                break;
        }
    }

    private static void AppendAll<T>(StringBuilder text, IEnumerable<T> all, Action<T> append, int most)
    {
        var isFirst = true;
        foreach (var one in all)
        {
            text.Append(isFirst ? "" : ", ");
            isFirst = false;
            append(one);
            if (text.Length > most)
            {
                return;
            }
        }
    }

    /// <summary>What stands inside a tag, or null where this is a dictionary.</summary>
    private static string? Tagged(JsonElement value)
    {
        using var pairs = value.EnumerateObject();
        if (!pairs.MoveNext() || pairs.Current is not { Name: "$date" or "$time" or "$datetime" or "$decimal" or "$process" } tag || pairs.MoveNext())
        {
            return null;
        }

        return tag.Value.ValueKind == JsonValueKind.String ? tag.Value.GetString()!.Replace('T', ' ') : tag.Value.GetInt64().ToString(CultureInfo.InvariantCulture);
    }

    private static JsonElement Unwrapped(JsonElement value) => value.TryGetProperty("$dict", out var inside) && inside.ValueKind == JsonValueKind.Object ? inside : value;
}
