using Eddy.Problems;
using Microsoft.Net.Http.Headers;

namespace Eddy.Ingest;

/// <summary>
/// Turns a body into change sets. The content type alone decides how it is read (<c>docs/bodies.md</c>); a body that is not what its type says
/// is refused as a whole.
/// </summary>
public static class IngestBody
{
    private enum Format
    {
        Payload,
        Json,
        JsonLines,
        Text,
        Csv,
        Form,
        Multipart,
    }

    /// <summary>Parses a whole body.</summary>
    /// <param name="contentType">The header as it came, or null.</param>
    /// <param name="asPayload">Whether the sender asked that the body be taken as it is: <c>?as=payload</c>.</param>
    public static ParsedBody Parse(string? contentType, ReadOnlyMemory<byte> body, bool asPayload, IngestLimits? limits = null)
    {
        limits ??= IngestLimits.Default;
        if (body.IsEmpty)
        {
            return Refusal.Empty("The body is empty.");
        }

        // By far the most common, so without a look into the header.
        if (!asPayload && contentType is "application/json")
        {
            return JsonBody.Parse(body.Span, limits);
        }

        if (!MediaTypeHeaderValue.TryParse(contentType, out var type))
        {
            return PayloadBody.Parse(contentType, null, body.Span, limits);
        }

        var charset = type.Charset.HasValue ? HeaderUtilities.RemoveQuotes(type.Charset).Value : null;
        var format = asPayload ? Format.Payload : FormatOf(type.MediaType.Value!);
        return format == Format.Payload
            ? PayloadBody.Parse(contentType, charset, body.Span, limits)
            : Parse(format, type, charset, body, limits);
    }

    private static Format FormatOf(string mediaType) => mediaType.ToLowerInvariant() switch
    {
        "application/json" => Format.Json,
        "application/x-ndjson" or "application/jsonl" => Format.JsonLines,
        "text/plain" or "text/x-kvp" => Format.Text,
        "text/csv" => Format.Csv,
        "application/x-www-form-urlencoded" => Format.Form,
        "multipart/form-data" => Format.Multipart,
        var other => other.EndsWith("+json", StringComparison.Ordinal) ? Format.Json : Format.Payload,
    };

    private static ParsedBody Parse(Format format, MediaTypeHeaderValue type, string? charset, ReadOnlyMemory<byte> body, IngestLimits limits)
    {
        if (Charset.Find(charset) is not { } known)
        {
            return Refusal.Of(ProblemType.UnsupportedCharset, $"The character set “{charset}” is not known here; UTF-8 is.");
        }

        if (format is Format.Json or Format.JsonLines)
        {
            return known.TryUtf8(body.Span, out var utf8)
                ? format == Format.Json ? JsonBody.Parse(utf8, limits) : JsonLinesBody.Parse(utf8, limits)
                : Refusal.Of(ProblemType.InvalidJson, $"The body is not valid {known.Name}.");
        }

        if (format is Format.Form)
        {
            return FormBody.Parse(body.Span, known, limits);
        }

        if (format is Format.Multipart)
        {
            return MultipartBody.Parse(type, body, known, limits);
        }

        var problem = format == Format.Csv ? ProblemType.InvalidCsv : ProblemType.InvalidText;
        if (!known.TryDecode(body.Span, out var text))
        {
            return Refusal.Of(problem, $"The body is not valid {known.Name}.");
        }

        return format == Format.Text ? KvpTextBody.Parse(text, limits)
            : type.Parameters.Any(p => p.Name.Equals("header", StringComparison.OrdinalIgnoreCase) && p.Value.Equals("absent", StringComparison.OrdinalIgnoreCase))
                ? Refusal.Of(problem, "CSV needs a header: its first line names the keys.")
                : CsvBody.Parse(text, limits);
    }
}
