using System.Text.Encodings.Web;
using System.Text.Json;
using Eddy.Kvps;

namespace Eddy.Ide.Kvps;

/// <summary>All of a value: a text as it is with its lines, what is inside a tag, lists and dictionaries laid out.</summary>
public static class PeekText
{
    private static readonly JsonSerializerOptions LaidOut = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(string json)
    {
        using var value = JsonDocument.Parse(json);
        return KvpKind.Of(json) switch
        {
            "text" => value.RootElement.GetString()!,
            "list" or "dictionary" => JsonSerializer.Serialize(value.RootElement, LaidOut),
            _ => ShownText.Of(json, int.MaxValue),
        };
    }
}
