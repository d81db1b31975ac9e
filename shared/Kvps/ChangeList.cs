using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Eddy.Kvps;

/// <summary>
/// A change set as text, as arrivals carry it: <c>[["temperature",95],["room"]]</c>, in order; a pair without a value removes. The values are canonical
/// already and are copied, not read.
/// </summary>
public static class ChangeList
{
    public static string Write(IReadOnlyList<Change> changes)
    {
        var text = new StringBuilder(64).Append('[');
        foreach (var change in changes)
        {
            text.Append(text.Length > 1 ? ",[\"" : "[\"").Append(JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(change.Key)).Append('"');
            if (change.Value is { } value)
            {
                text.Append(',').Append(value);
            }

            text.Append(']');
        }

        return text.Append(']').ToString();
    }

    public static IReadOnlyList<Change> Read(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = 128 });
        var changes = new List<Change>();
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.StartArray)
        {
            reader.Read();
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType == JsonTokenType.EndArray)
            {
                changes.Add(new Change(key, null));
                continue;
            }

            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            changes.Add(new Change(key, Encoding.UTF8.GetString(bytes.AsSpan(start, (int)reader.BytesConsumed - start))));
            reader.Read();
        }

        return changes;
    }
}
