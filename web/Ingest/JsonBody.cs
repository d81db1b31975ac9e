using System.Text.Json;
using Eddy.Kvps;
using Eddy.Problems;

namespace Eddy.Ingest;

/// <summary>A JSON object is one process, an array of objects one process for each.</summary>
internal static class JsonBody
{
    private static ReadOnlySpan<byte> Bom => [0xEF, 0xBB, 0xBF];

    public static ParsedBody Parse(ReadOnlySpan<byte> utf8, IngestLimits limits)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8.StartsWith(Bom) ? utf8[3..] : utf8, KvpValue.ReaderOptions);
            reader.Read();
            return reader.TokenType switch
            {
                JsonTokenType.StartObject => One(ref reader, limits),
                JsonTokenType.StartArray => List(ref reader, limits),
                _ => Refusal.Of(ProblemType.WrongShape, "JSON is taken as an object (one process) or an array of objects (one process for each).", ""),
            };
        }
        catch (JsonException e)
        {
            var detail = KvpValue.MalformedJson(e);
            return new BodyRefused(ProblemType.InvalidJson, detail, [new FieldError(detail, Line: (int)(e.LineNumber ?? 0) + 1)]);
        }
    }

    /// <summary>Reads the object at which the reader stands.</summary>
    /// <param name="at">Its JSON Pointer.</param>
    /// <param name="line">Its line, where the format is one of lines.</param>
    public static BodyRefused? Read(ref Utf8JsonReader reader, string at, int? line, IngestLimits limits, KvpList kvps)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!KvpKey.TryRead(ref reader, out var key, out var badKey))
            {
                return Refusal.Of(badKey, ProblemType.InvalidJson, null, at, line);
            }

            if (kvps.Count == limits.KvpsPerProcess)
            {
                return Refusal.TooManyKvps(limits, at, line);
            }

            reader.Read();
            if (!KvpValue.TryRead(ref reader, out var value, out var badValue, limits.ValueBytes))
            {
                return Refusal.Of(badValue, ProblemType.InvalidJson, key, at + Refusal.Segment(key), line);
            }

            if (!kvps.TryAdd(key, value))
            {
                return Refusal.Twice(ProblemType.InvalidJson, key, at + Refusal.Segment(key), line);
            }
        }

        return kvps.Count == 0 ? Refusal.Empty("The object has no KVPs.", at, line) : null;
    }

    private static ParsedBody One(ref Utf8JsonReader reader, IngestLimits limits)
    {
        var kvps = new KvpList();
        if (Read(ref reader, "", null, limits, kvps) is { } refused)
        {
            return refused;
        }

        reader.Read();
        return new BodySets([kvps.Changes], IsList: false);
    }

    private static ParsedBody List(ref Utf8JsonReader reader, IngestLimits limits)
    {
        var sets = new List<IReadOnlyList<Change>>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (sets.Count == limits.Elements)
            {
                return Refusal.TooManyElements(limits);
            }

            var at = $"/{sets.Count}";
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                return Refusal.Of(ProblemType.WrongShape, "Each element of the array is an object: one process.", at);
            }

            var kvps = new KvpList();
            if (Read(ref reader, at, null, limits, kvps) is { } refused)
            {
                return refused;
            }

            sets.Add(kvps.Changes);
        }

        reader.Read();
        return sets.Count == 0 ? Refusal.Empty("The array has no elements.", "") : new BodySets(sets, IsList: true);
    }
}
