using System.Text;
using System.Text.Json;

namespace Eddy.Sandbox;

/// <summary>Reads what a cell tells of a slice, and believes nothing of it that can be checked.</summary>
internal sealed class FrameReader(SandboxOptions options)
{
    private const int MostReads = 100_000;

    /// <summary>As an outcome: it failed, and is to be tried again later.</summary>
    private const int Retried = 4;
    private static readonly JsonReaderOptions Json = new() { MaxDepth = 80 };

    /// <summary>Reads one frame into the course; true if the slice is done.</summary>
    /// <exception cref="CellLied">The frame is not what it may be.</exception>
    public bool Read(ReadOnlySpan<byte> frame, long number, SliceCourse course)
    {
        try
        {
            var reader = new Utf8JsonReader(frame, Json);
            Expect(ref reader, JsonTokenType.StartArray);
            Expect(ref reader, JsonTokenType.Number);
            if (reader.GetInt64() != number)
            {
                throw new CellLied("It answered what was not asked.");
            }

            var done = false;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (done || course.Begun && reader.TokenType == JsonTokenType.Number)
                {
                    throw new CellLied("It went on after its end.");
                }

                if (reader.TokenType == JsonTokenType.StartArray)
                {
                    ReadRun(ref reader, frame, course);
                    continue;
                }

                switch (reader.GetInt32())
                {
                    case 0:
                        course.Apply();
                        break;
                    case 4:
                        course.Stop();
                        break;
                    case 5:
                        done = true;
                        break;
                    default:
                        throw new CellLied("It told of a step that there is not.");
                }
            }

            return !reader.Read() ? done : throw new CellLied("It told more than a frame has.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or OverflowException or ArgumentException or IndexOutOfRangeException)
        {
            throw new CellLied("It told what can not be read: " + e.Message);
        }
    }

    /// <summary>What a run has changed when it asks: <c>["find",question,[process,changes,…]]</c>.</summary>
    /// <exception cref="CellLied">It is not what it may be.</exception>
    public IReadOnlyList<PidChange> ReadSoFar(ReadOnlySpan<byte> ask, SliceCourse course)
    {
        try
        {
            var reader = new Utf8JsonReader(ask, Json);
            Expect(ref reader, JsonTokenType.StartArray);
            Expect(ref reader, JsonTokenType.String);
            reader.Read();
            reader.Skip();
            Expect(ref reader, JsonTokenType.StartArray);
            List<PidChange> changes = [];
            ReadOthers(ref reader, ask, course, changes);
            Check(changes);
            return changes;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or OverflowException or ArgumentException)
        {
            throw new CellLied("It asked what can not be read: " + e.Message);
        }
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (!reader.Read() || reader.TokenType != type)
        {
            throw new JsonException($"{type} is missing.");
        }
    }

    private void ReadRun(ref Utf8JsonReader reader, ReadOnlySpan<byte> frame, SliceCourse course)
    {
        var kind = Number(ref reader);
        if (kind == 7)
        {
            ReadReads(ref reader, course);
            return;
        }

        var rule = Index(ref reader);
        var pid = Number(ref reader);
        if (kind is 2 or 6)
        {
            Expect(ref reader, JsonTokenType.EndArray);
            if (kind == 2)
            {
                course.Begin(rule, pid);
            }
            else
            {
                course.Leave(rule, pid);
            }

            return;
        }

        var told = Index(ref reader);
        var isRetried = told == Retried;
        var outcome = isRetried ? RunOutcome.Failed : told is >= 0 and <= (int)RunOutcome.Killed ? (RunOutcome)told : throw new JsonException("There is no such outcome.");
        var elapsed = Micros(ref reader);
        var cpu = Micros(ref reader);
        List<PidChange> changes = [];
        string? log = null;
        RunError? error = null;
        IReadOnlyList<Effect> effects = [];
        reader.Read();
        if (reader.TokenType != JsonTokenType.EndArray)
        {
            ReadChanges(ref reader, frame, pid, changes);
            reader.Read();
            ReadChanges(ref reader, frame, 0, changes);
            reader.Read();
            log = ReadLog(ref reader);
            reader.Read();
            error = ReadError(ref reader);
            reader.Read();
            if (reader.TokenType != JsonTokenType.EndArray)
            {
                List(ref reader);
                ReadOthers(ref reader, frame, course, changes);
                reader.Read();
                if (reader.TokenType != JsonTokenType.EndArray)
                {
                    List(ref reader);
                    effects = EffectReader.Read(ref reader, of => of == pid || of > 0 && course.Knows(of), course.Given);
                    Expect(ref reader, JsonTokenType.EndArray);
                }
            }

            Check(changes);
        }

        var fits = outcome switch
        {
            RunOutcome.No => changes.Count == 0 && error is null,
            RunOutcome.Ran => error is null,
            // What a failed run may change, the course knows.
            RunOutcome.Failed or RunOutcome.Killed => error is not null,
            _ => false,
        };
        if (kind != 3 || !fits || effects.Count > 0 && outcome != RunOutcome.Ran || outcome == RunOutcome.Ran && effects.Count(effect => effect is Answered) != (course.IsRequest ? 1 : 0))
        {
            throw new CellLied("It told of an outcome that there is not.");
        }

        course.End(rule, pid, outcome, changes, log, error, elapsed, cpu, isRetried);
        if (effects.Count > 0)
        {
            course.Tell(effects);
        }
    }

    private static void ReadReads(ref Utf8JsonReader reader, SliceCourse course)
    {
        var reads = new HashSet<(long, string)>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var pid = reader.GetInt64();
            reader.Read();
            if (reads.Count == MostReads || !reads.Add((pid, CellText.ReadString(ref reader))))
            {
                throw new CellLied("It read more than there is, or one KVP twice.");
            }
        }

        course.Read(reads);
    }

    /// <summary>Process, changes, and so on, to the list's end.</summary>
    private void ReadOthers(ref Utf8JsonReader reader, ReadOnlySpan<byte> frame, SliceCourse course, List<PidChange> changes)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var pid = reader.GetInt64();
            if (pid < 1 || !course.Knows(pid))
            {
                throw new CellLied("It changed a process that it does not know.");
            }

            reader.Read();
            ReadChanges(ref reader, frame, pid, changes);
        }
    }

    private void ReadChanges(ref Utf8JsonReader reader, ReadOnlySpan<byte> frame, long pid, List<PidChange> changes)
    {
        if (reader.TokenType == JsonTokenType.Number)
        {
            Nothing(ref reader);
            return;
        }

        List(ref reader);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var removed = reader.TokenType == JsonTokenType.StartArray;
            if (removed)
            {
                reader.Read();
            }

            var key = CellText.ReadString(ref reader);
            string? value = null;
            if (removed)
            {
                Expect(ref reader, JsonTokenType.EndArray);
            }
            else
            {
                reader.Read();
                value = CellText.Read(ref reader, frame);
            }

            if (!CellText.IsKey(key) || value is not null && Bytes(value) > options.ValueBytes || changes.Count == options.Changes)
            {
                throw new CellLied("It changed what no run may change.");
            }

            changes.Add(new PidChange(pid, key, value));
        }
    }

    private void Check(List<PidChange> changes)
    {
        if (changes.Sum(change => change.Value is null ? 0L : Bytes(change.Value)) > options.ProcessBytes
            || changes.Count > 1 && changes.Select(change => (change.Pid, change.Key)).Distinct().Count() != changes.Count)
        {
            throw new CellLied("It changed more than a run may change, or one KVP twice.");
        }
    }

    private string? ReadLog(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Number)
        {
            Nothing(ref reader);
            return null;
        }

        var log = CellText.ReadString(ref reader);
        return log.Length <= options.LogBytes + 100 ? log : throw new CellLied("It printed more than a run may print.");
    }

    private static RunError? ReadError(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Number)
        {
            Nothing(ref reader);
            return null;
        }

        List(ref reader);
        reader.Read();
        var kind = CellText.ReadString(ref reader);
        reader.Read();
        var message = CellText.ReadString(ref reader);
        reader.Read();
        var file = reader.TokenType == JsonTokenType.Null ? null : CellText.ReadString(ref reader);
        reader.Read();
        int? line = reader.TokenType == JsonTokenType.Null ? null : reader.GetInt32();
        reader.Read();
        var traceback = reader.TokenType == JsonTokenType.Null ? null : CellText.ReadString(ref reader);
        Expect(ref reader, JsonTokenType.EndArray);
        return kind.Length <= 200 && message.Length <= 3000 && (file?.Length ?? 0) <= 1000 && (traceback?.Length ?? 0) <= 20_000
            ? new RunError(kind, message, file, line, traceback)
            : throw new CellLied("Its error is too long.");
    }

    private static long Bytes(string text) => Encoding.UTF8.GetByteCount(text);

    // What a run has not is told as 0.
    private static void Nothing(ref Utf8JsonReader reader)
    {
        if (reader.ValueSpan is not [(byte)'0'])
        {
            throw new JsonException("A number is where there must be 0.");
        }
    }

    private static void List(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException("A list is missing.");
        }
    }

    private static int Index(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.Number);
        return reader.GetInt32();
    }

    private static long Number(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.Number);
        return reader.GetInt64();
    }

    private TimeSpan Micros(ref Utf8JsonReader reader) =>
        TimeSpan.FromMicroseconds(Math.Clamp(Number(ref reader), 0, (long)options.WallTime.TotalMicroseconds * 2));
}
