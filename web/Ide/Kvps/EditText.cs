using System.Text.Json;
using Eddy.Kvps;

namespace Eddy.Ide.Kvps;

/// <summary>A value as one writes it in the grammar of <c>key := value</c>: what is read back from it is the value again.</summary>
public static class EditText
{
    public static string Of(string canonical)
    {
        foreach (var written in Ways(canonical))
        {
            if (KvpText.TryRead("k := " + written, out var changes, out _) && changes is [{ Key: "k" } change] && change.Value == canonical)
            {
                return written;
            }
        }

        return canonical;
    }

    private static IEnumerable<string> Ways(string canonical)
    {
        switch (KvpKind.Of(canonical))
        {
            case "text":
                var text = JsonSerializer.Deserialize<string>(canonical)!;
                yield return text;
                yield return $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
                yield return $"\"\"\"{text}\"\"\"";
                yield return $"'''{text}'''";
                break;
            case "date" or "datetime":
                using (var json = JsonDocument.Parse(canonical))
                {
                    yield return json.RootElement.EnumerateObject().First().Value.GetString()!;
                }

                break;
            default:
                break;
        }
    }
}
