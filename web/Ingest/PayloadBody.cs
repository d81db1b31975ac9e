using System.Diagnostics.CodeAnalysis;
using Eddy.Kvps;
using Eddy.Problems;

namespace Eddy.Ingest;

/// <summary>
/// A body of any other type, taken as it is: one process with <c>payload</c> and <c>content_type</c>. What is no text of the character set that
/// it names (UTF-8 if none) is in base64, and <c>payload_encoding</c> says so. XML is not parsed.
/// </summary>
internal static class PayloadBody
{
    public static ParsedBody Parse(string? contentType, string? charset, ReadOnlySpan<byte> body, IngestLimits limits)
    {
        var isText = TryText(charset, body, out var text);
        if (!KvpValue.TryText(isText ? text : Convert.ToBase64String(body), out var payload, out var fault, limits.ValueBytes))
        {
            return Refusal.Of(fault, ProblemType.InvalidText, "payload", "");
        }

        var type = KvpValue.Null;
        if (contentType is not null && !KvpValue.TryText(contentType, out type, out var badType, limits.ValueBytes))
        {
            return Refusal.Of(badType, ProblemType.InvalidText, "content_type", null);
        }

        var changes = new List<Change> { new("payload", payload), new("content_type", type) };
        if (!isText)
        {
            changes.Add(new Change("payload_encoding", "\"base64\""));
        }

        return new BodySets([changes], IsList: false);
    }

    private static bool TryText(string? charset, ReadOnlySpan<byte> body, [NotNullWhen(true)] out string? text)
    {
        text = null;
        return Charset.Find(charset) is { } known && known.TryDecode(body, out text) && !text.Contains('\0');
    }
}
