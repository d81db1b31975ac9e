using System.Text.Json;
using Eddy.Kvps;
using Eddy.Problems;

namespace Eddy.Ingest;

/// <summary>NDJSON: each line is an object, one process. Blank lines are passed over.</summary>
internal static class JsonLinesBody
{
    public static ParsedBody Parse(ReadOnlySpan<byte> utf8, IngestLimits limits)
    {
        var sets = new List<IReadOnlyList<Change>>();
        utf8 = utf8.StartsWith("\uFEFF"u8) ? utf8[3..] : utf8;
        var number = 0;
        while (!utf8.IsEmpty)
        {
            number++;
            var end = utf8.IndexOf((byte)'\n');
            var line = (end < 0 ? utf8 : utf8[..end]).Trim(" \t\r"u8);
            utf8 = end < 0 ? default : utf8[(end + 1)..];
            if (line.IsEmpty)
            {
                continue;
            }

            if (sets.Count == limits.Elements)
            {
                return Refusal.TooManyElements(limits);
            }

            var kvps = new KvpList();
            if (Line(line, number, limits, kvps) is { } refused)
            {
                return refused;
            }

            sets.Add(kvps.Changes);
        }

        return sets.Count == 0 ? Refusal.Empty("There is no line with an object.") : new BodySets(sets, IsList: true);
    }

    private static BodyRefused? Line(ReadOnlySpan<byte> line, int number, IngestLimits limits, KvpList kvps)
    {
        try
        {
            var reader = new Utf8JsonReader(line, KvpValue.ReaderOptions);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                return Refusal.Of(ProblemType.WrongShape, "Each line is a JSON object: one process.", "", number);
            }

            var refused = JsonBody.Read(ref reader, "", number, limits, kvps);
            if (refused is null)
            {
                reader.Read();
            }

            return refused;
        }
        catch (JsonException e)
        {
            return Refusal.Of(ProblemType.InvalidJson, KvpValue.MalformedJson(e, number), null, number);
        }
    }
}
