using System.Text.Json;

namespace Eddy.Cards;

/// <summary>The files that a KVP names, as a card and as mail set it: a dictionary with <c>name</c> and <c>link</c>, or a list of these.</summary>
internal static class CardFiles
{
    /// <summary>Their names and addresses. What is no address of the web is left out: whoever set the KVP may have written what he likes.</summary>
    public static IReadOnlyList<(string Name, string Link)> Of(string? value)
    {
        if (value is not ['{' or '[', ..])
        {
            return [];
        }

        using var json = JsonDocument.Parse(value);
        var found = new List<(string, string)>();
        foreach (var one in json.RootElement.ValueKind == JsonValueKind.Array ? json.RootElement.EnumerateArray().ToList() : [json.RootElement])
        {
            if (one.ValueKind == JsonValueKind.Object && one.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
                && one.TryGetProperty("link", out var link) && link.ValueKind == JsonValueKind.String
                && (link.GetString()!.StartsWith("/t/", StringComparison.Ordinal) || (Uri.TryCreate(link.GetString(), UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")))
            {
                found.Add((name.GetString()!, link.GetString()!));
            }
        }

        return found;
    }
}
