using Eddy.Kvps;
using Eddy.Problems;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Eddy.Ingest;

/// <summary>An HTML form's fields in parts: one process. A part is text, or JSON if it says so; files are not taken here.</summary>
internal static class MultipartBody
{
    public static ParsedBody Parse(MediaTypeHeaderValue type, ReadOnlyMemory<byte> body, Charset charset, IngestLimits limits)
    {
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary).Value;
        if (string.IsNullOrEmpty(boundary) || boundary.Length > 70)
        {
            return Refusal.Of(ProblemType.InvalidForm, "The content type names no boundary of 1 to 70 characters.");
        }

        var fields = new FieldList(limits);
        try
        {
            using var stream = new MemoryStream(body.ToArray(), writable: false);
            var reader = new MultipartReader(boundary, stream);

            // All of it is in memory, so nothing waits.
            while (reader.ReadNextSectionAsync().GetAwaiter().GetResult() is { } section)
            {
                if (Add(section, charset, fields, limits) is { } refused)
                {
                    return refused;
                }
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return Refusal.Of(ProblemType.InvalidForm, "The parts can not be read: their boundaries or headers are not as multipart/form-data has them.");
        }

        return fields.ToBody();
    }

    private static BodyRefused? Add(MultipartSection section, Charset charset, FieldList fields, IngestLimits limits)
    {
        if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition) || !disposition.DispositionType.Equals("form-data", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(disposition.Name).Value is not { } key)
        {
            return Refusal.Of(ProblemType.InvalidForm, "Each part has a header Content-Disposition: form-data with a name.");
        }

        using var content = new MemoryStream();
        section.Body.CopyTo(content);
        var bytes = content.GetBuffer().AsSpan(0, (int)content.Length);
        if (disposition.FileName.HasValue || disposition.FileNameStar.HasValue)
        {
            // A browser sends a nameless, empty file for a file field that was left alone.
            return bytes.IsEmpty && HeaderUtilities.RemoveQuotes(disposition.FileName).Length == 0 ? null
                : Refusal.Of(ProblemType.UnsupportedPart, "This part is a file, and this door does not take files yet. Send its text as a field.", Refusal.Segment(key));
        }

        return Field(section.ContentType, key, bytes, charset, fields, limits);
    }

    private static BodyRefused? Field(string? contentType, string key, ReadOnlySpan<byte> bytes, Charset charset, FieldList fields, IngestLimits limits)
    {
        var at = Refusal.Segment(key);
        if (contentType is not null)
        {
            if (!MediaTypeHeaderValue.TryParse(contentType, out var type) || !(type.MediaType.Equals("text/plain", StringComparison.OrdinalIgnoreCase) || IsJson(type)))
            {
                return Refusal.Of(ProblemType.UnsupportedPart, "A part is text/plain or application/json.", at);
            }

            if (type.Charset.HasValue)
            {
                if (Charset.Find(HeaderUtilities.RemoveQuotes(type.Charset).Value) is not { } own)
                {
                    return Refusal.Of(ProblemType.UnsupportedCharset, $"The character set “{type.Charset}” is not known here; UTF-8 is.", at);
                }

                charset = own;
            }

            if (IsJson(type))
            {
                return !charset.TryUtf8(bytes, out var json) ? Refusal.Of(ProblemType.InvalidForm, $"The part is not valid {charset.Name}.", at)
                    : KvpValue.TryCanonical(json, out var value, out var fault, limits.ValueBytes) ? fields.AddCanonical(key, value)
                    : Refusal.Of(fault, ProblemType.InvalidJson, key, at);
            }
        }

        return charset.TryDecode(bytes, out var text) ? fields.Add(key, text) : Refusal.Of(ProblemType.InvalidForm, $"The part is not valid {charset.Name}.", at);
    }

    private static bool IsJson(MediaTypeHeaderValue type) => type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase);
}
