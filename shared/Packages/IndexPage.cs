using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Eddy.Packages;

/// <summary>Reads a project's page: JSON after PEP 691, or HTML after PEP 503. What is no file on it is passed over.</summary>
internal static partial class IndexPage
{
    private const int MostFiles = 50_000;

    /// <exception cref="PackageFault">It can not be read.</exception>
    public static IReadOnlyList<IndexFile> Read(Uri page, string? mediaType, byte[] content)
    {
        try
        {
            return mediaType is not null && mediaType.EndsWith("json", StringComparison.OrdinalIgnoreCase) ? ReadJson(page, content) : ReadHtml(page, Encoding.UTF8.GetString(content));
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or KeyNotFoundException or RegexMatchTimeoutException)
        {
            throw new PackageFault($"The index's page {page} can not be read: {fault.Message}");
        }
    }

    private static List<IndexFile> ReadJson(Uri page, byte[] content)
    {
        using var json = JsonDocument.Parse(content);
        var files = new List<IndexFile>();
        foreach (var file in json.RootElement.GetProperty("files").EnumerateArray().Take(MostFiles))
        {
            var metadata = Has(file, "core-metadata") ?? Has(file, "dist-info-metadata");
            if (Text(file, "filename") is { } name && Text(file, "url") is { } url && Uri.TryCreate(page, url, out var address))
            {
                files.Add(new IndexFile(
                    name, WithoutFragment(address), Sha256(file, "hashes"), Text(file, "requires-python"), Has(file, "yanked") is not null, metadata is not null,
                    metadata is { ValueKind: JsonValueKind.Object } hashes ? Hash(hashes) : null));
            }
        }

        return files;

        static string? Text(JsonElement of, string name) => of.TryGetProperty(name, out var found) && found.ValueKind == JsonValueKind.String ? found.GetString() : null;

        // PEP 691: false, or what it has.
        static JsonElement? Has(JsonElement of, string name) =>
            of.TryGetProperty(name, out var found) && found.ValueKind is not (JsonValueKind.False or JsonValueKind.Null) ? found : null;

        static string? Sha256(JsonElement of, string name) => of.TryGetProperty(name, out var hashes) && hashes.ValueKind == JsonValueKind.Object ? Hash(hashes) : null;

        static string? Hash(JsonElement hashes) => Text(hashes, "sha256")?.ToLowerInvariant();
    }

    private static List<IndexFile> ReadHtml(Uri page, string text)
    {
        var files = new List<IndexFile>();
        foreach (Match anchor in Anchor().Matches(text))
        {
            if (files.Count == MostFiles)
            {
                break;
            }

            var attributes = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (Match attribute in Attribute().Matches(anchor.Groups[1].Value))
            {
                attributes.TryAdd(attribute.Groups[1].Value, WebUtility.HtmlDecode(attribute.Groups[2].Success ? attribute.Groups[2].Value : attribute.Groups[3].Value));
            }

            if (!attributes.TryGetValue("href", out var href) || !Uri.TryCreate(page, href, out var address))
            {
                continue;
            }

            var metadata = attributes.GetValueOrDefault("data-core-metadata") ?? attributes.GetValueOrDefault("data-dist-info-metadata");
            files.Add(new IndexFile(
                Uri.UnescapeDataString(address.Segments[^1]), WithoutFragment(address), Hash(address.Fragment.TrimStart('#')), attributes.GetValueOrDefault("data-requires-python"),
                attributes.ContainsKey("data-yanked"), metadata is not null and not "false", metadata is null ? null : Hash(metadata)));
        }

        return files;

        static string? Hash(string text) => text.StartsWith("sha256=", StringComparison.Ordinal) ? text["sha256=".Length..].ToLowerInvariant() : null;
    }

    private static Uri WithoutFragment(Uri address) => new(address.GetLeftPart(UriPartial.Query));

    [GeneratedRegex("""<a\s((?:[^"'>]|"[^"]*"|'[^']*')*)>""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 2000)]
    private static partial Regex Anchor();

    [GeneratedRegex("""([\w-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'))?""", RegexOptions.None, 1000)]
    private static partial Regex Attribute();
}
