using System.Text.Json;

namespace Eddy.Sandbox;

/// <summary>A run to be looked at in hindsight: done over in a cell of its own, on the state of then. Nothing of it is in force.</summary>
/// <param name="Run">What is done over.</param>
/// <param name="Acts">Whether its action runs, where its check says yes.</param>
public sealed record LookRun(BesideRun Run, bool Acts)
{
    /// <summary>What other processes were then; null for what they are.</summary>
    public PastProcesses? Past { get; init; }
}

/// <summary>What came of a look.</summary>
/// <param name="Ended">As it would have been; null where the rule is not in the files.</param>
/// <param name="Answer">What its check returned; null where it raised, or was not asked.</param>
/// <param name="Seen">What its check read, in the order of the text.</param>
public sealed record Look(RunEnded? Ended, SeenValue? Answer, IReadOnlyList<SeenPlace> Seen);

/// <summary>A value as a check saw it.</summary>
/// <param name="Text">As Python writes it, cut.</param>
/// <param name="Json">As a KVP has it; null where it is none, or long.</param>
public sealed record SeenValue(string Text, string? Json);

/// <summary>An expression of a check, where it stands and what it was. Lines and columns count from 1.</summary>
/// <param name="Value">Null where the check did not come to it.</param>
/// <param name="Pid">The process whose KVP it is, 0 for the shared ones; null where it is not a KVP as it stands.</param>
/// <param name="Times">How often it was read; the value is that of the last time.</param>
public sealed record SeenPlace(string File, int Line, int Column, int EndLine, int EndColumn, SeenValue? Value, long? Pid, string? Key, int Times)
{
    /// <summary>Its value is not for who asks.</summary>
    public bool IsWithheld { get; init; }

    /// <summary>The other stands within it.</summary>
    public bool Contains(SeenPlace other) =>
        File == other.File
        && (Line, Column).CompareTo((other.Line, other.Column)) <= 0 && (EndLine, EndColumn).CompareTo((other.EndLine, other.EndColumn)) >= 0
        && (Line, Column, EndLine, EndColumn) != (other.Line, other.Column, other.EndLine, other.EndColumn);
}

/// <summary>Reads what a cell tells of a look. It is shown and not stored, and believed no further than its lengths.</summary>
internal sealed class LookReader(IReadOnlySet<string> files)
{
    private const int MostPlaces = 400;
    private const int MostText = 1000;
    private const int MostJson = 10_000;

    private static ReadOnlySpan<byte> Begin => "[\"looked\","u8;

    public SeenValue? Answer { get; private set; }

    public IReadOnlyList<SeenPlace> Seen { get; private set; } = [];

    public static bool Knows(ReadOnlySpan<byte> frame) => frame.StartsWith(Begin);

    /// <exception cref="CellLied">It is not what it may be.</exception>
    public void Read(ReadOnlyMemory<byte> frame)
    {
        try
        {
            using var json = JsonDocument.Parse(frame);
            var (answer, places) = (json.RootElement[1], json.RootElement[2]);
            Answer = answer.ValueKind == JsonValueKind.Null ? null : Value(answer[0], answer[1]);
            if (places.GetArrayLength() > MostPlaces)
            {
                throw new CellLied("It has seen more than there may be.");
            }

            Seen = [.. places.EnumerateArray().Select(Place).OrderBy(place => place.File, StringComparer.Ordinal).ThenBy(place => place.Line).ThenBy(place => place.Column).ThenByDescending(place => (place.EndLine, place.EndColumn))];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            throw new CellLied("It told what can not be read: " + e.Message);
        }
    }

    private SeenPlace Place(JsonElement place)
    {
        var file = Text(place[0]);
        if (!files.Contains(file))
        {
            throw new CellLied("It has seen what is in no file.");
        }

        return new SeenPlace(
            file, place[1].GetInt32(), place[2].GetInt32(), place[3].GetInt32(), place[4].GetInt32(), place[5].ValueKind == JsonValueKind.Null ? null : Value(place[5], place[6]),
            place[7].ValueKind == JsonValueKind.Null ? null : place[7].GetInt64(), place[8].ValueKind == JsonValueKind.Null ? null : Text(place[8]), place[9].GetInt32());
    }

    private static SeenValue Value(JsonElement text, JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Null)
        {
            return new SeenValue(Text(text), null);
        }

        var value = json.GetString()!;
        if (value.Length > MostJson)
        {
            throw new CellLied("A value that it has seen is too long.");
        }

        // It is no JSON where this throws.
        JsonDocument.Parse(value).Dispose();
        return new SeenValue(Text(text), value);
    }

    private static string Text(JsonElement text) => text.GetString() is { Length: <= MostText } read ? read : throw new CellLied("Text is missing, or too long.");
}
