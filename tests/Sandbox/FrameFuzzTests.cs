using System.Text;
using System.Text.Json;
using CsCheck;
using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>
/// Transcripts that a cell could send, broken in random places: the host takes them rightly or says that the cell lied, and nothing else ever comes of it.
/// What is right is told by a model of the order that is as simple as can be.
/// </summary>
public sealed class FrameFuzzTests
{
    private const long Number = 7;
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("CI") == "true";
    private static readonly SandboxOptions Limits = CellFixture.Limits();
    private static readonly LoadedRule[] Rules = [new("s/a.py:a", ["a"]), new("s/a.py:b", ["b", "a"]), new("s/a.py:all", ["*"]), new("s/a.py:s", ["shared.s"])];
    private static readonly long[] Known = [1, 2];
    private static readonly string[] Keys = ["a", "b", "c", "s", "é\\\""];
    private static readonly string[] Values = ["1", "null", "\"x\"", "[1,{\"k\":[]}]", "{}", "-0.5", "\"é\\n\"", "true"];

    private static readonly string[] Effects = ["", "", "", "[\"actor\",\"ann\"]", "[\"mail\",1,[\"a@b.example\"],\"m\",0,0]", "[\"actor\",\"ann\"],[\"card\",2,\"c\",0]"];

    private static readonly string[] Tokens =
    [
        "[", "]", "{", "}", ",", ":", "0", "1", "2", "3", "4", "5", "6", "7", "-1", "1e9", "9999999999999", "0.5", "null", "true", "\"a\"", "\"\"", "\"\\u0000\"", "\"\\ud800\"",
        "[2,0,1]", "[3,0,1,1,0,0]", "[6,0,1]", "[7,1,\"a\"]", "[\"a\"]", "//", "\uFEFF", "\"k\",1", "[[[[[[[[", "7", " ", "\0",
    ];

    [Fact]
    public void A_transcript_that_is_true_is_taken_as_it_is() =>
        Gen.Int.Sample(seed => Read(Transcript(new Random(seed))).ShouldBeNull(), iter: IsLong ? 20_000 : 200);

    [Fact]
    public void A_transcript_with_broken_bytes_is_taken_rightly_or_refused() =>
        Gen.Select(Gen.Int, Gen.Int[1, 6]).Sample(
            (seed, breaks) =>
            {
                var random = new Random(seed);
                Read(Transcript(random), frame =>
                {
                    var bytes = frame.ToList();
                    for (var i = 0; i < breaks; i++)
                    {
                        var at = random.Next(bytes.Count + 1);
                        switch (random.Next(4))
                        {
                            case 0 when at < bytes.Count:
                                bytes[at] = (byte)random.Next(256);
                                break;
                            case 1 when at < bytes.Count:
                                bytes.RemoveRange(at, Math.Min(random.Next(1, 9), bytes.Count - at));
                                break;
                            case 2:
                                bytes.InsertRange(at, bytes.Slice(Math.Min(at, bytes.Count / 2), Math.Min(12, bytes.Count - Math.Min(at, bytes.Count / 2))));
                                break;
                            default:
                                bytes.Insert(at, (byte)random.Next(256));
                                break;
                        }
                    }

                    return [.. bytes];
                });
            },
            iter: IsLong ? 40_000 : 300);

    [Fact]
    public void A_transcript_with_other_words_in_it_is_taken_rightly_or_refused() =>
        Gen.Select(Gen.Int, Gen.Int[1, 4], Gen.Int[0, Tokens.Length - 1].Array[4]).Sample(
            (seed, breaks, others) =>
            {
                var random = new Random(seed);
                Read(Transcript(random), frame =>
                {
                    var tokens = Split(Encoding.UTF8.GetString(frame));
                    for (var i = 0; i < breaks; i++)
                    {
                        var at = random.Next(tokens.Count);
                        switch (random.Next(4))
                        {
                            case 0:
                                tokens[at] = Tokens[others[i]];
                                break;
                            case 1:
                                tokens.RemoveAt(at);
                                break;
                            case 2:
                                tokens.Insert(at, tokens[random.Next(tokens.Count)]);
                                break;
                            default:
                                tokens.Insert(at, Tokens[others[i]]);
                                break;
                        }

                        if (tokens.Count == 0)
                        {
                            break;
                        }
                    }

                    return Encoding.UTF8.GetBytes(string.Concat(tokens));
                });
            },
            iter: IsLong ? 40_000 : 300);

    [Fact]
    public void Random_bytes_and_random_words_are_refused_or_read() =>
        Gen.OneOf(Gen.Byte.Array[0, 200], Gen.Int[0, Tokens.Length - 1].Array[0, 30].Select(words => Encoding.UTF8.GetBytes("[7," + string.Join(',', words.Select(word => Tokens[word])) + "]")))
            .Sample(bytes => Read((SliceOf(new Random(1)), [bytes])), iter: IsLong ? 40_000 : 300);

    /// <summary>Reads frames until one is refused; whatever was taken must be what the frames say, in the order of the model. Gives what was refused.</summary>
    private static string? Read((Slice Slice, List<byte[]> Frames) told, Func<byte[], byte[]>? change = null)
    {
        var slice = told.Slice;
        var course = new SliceCourse(new WakeTable(Rules), slice, Limits);
        var reader = new FrameReader(Limits);
        var model = new Model(slice);
        var broken = told.Frames.Count - 1;
        for (var i = 0; i < told.Frames.Count; i++)
        {
            var frame = change is not null && i == broken ? change(told.Frames[i]) : told.Frames[i];
            var before = course.StepCount;
            try
            {
                reader.Read(frame, Number, course);
            }
            catch (CellLied lie)
            {
                // What a frame told before it was refused stands: it too must be right.
                model.Take(course.Steps.Skip(before));
                return lie.Message;
            }

            var taken = course.Steps.Skip(before).ToList();
            model.Take(taken);
            Said(frame).ShouldBe(taken.Select(Text), Encoding.UTF8.GetString(frame));
        }

        course.Position.ShouldBe(model.Position);
        return null;
    }

    /// <summary>The steps of a frame by another reader, in the words of <see cref="Text"/>.</summary>
    private static IEnumerable<string> Said(byte[] frame)
    {
        using var json = JsonDocument.Parse(frame, new JsonDocumentOptions { MaxDepth = 80 });
        json.RootElement[0].GetInt64().ShouldBe(Number);
        return [.. json.RootElement.EnumerateArray().Skip(1).Where(step => step.ValueKind == JsonValueKind.Array ? step[0].GetInt32() is 3 or 6 : step.GetInt32() is 0 or 4).Select(Say)];
    }

    private static string Say(JsonElement step)
    {
        if (step.ValueKind != JsonValueKind.Array)
        {
            return step.GetInt32() == 0 ? "applied" : "stopped";
        }

        var (rule, pid) = (Rules[step[1].GetInt32()].Id, step[2].GetInt64());
        if (step[0].GetInt32() == 6)
        {
            return $"{rule} {pid} left";
        }

        var parts = step.GetArrayLength();
        parts.ShouldBeOneOf(6, 10, 11, 12);
        var text = new StringBuilder($"{rule} {pid} {step[3].GetInt32()}");
        if (parts > 6)
        {
            SayChanges(text, pid, step[6]);
            SayChanges(text, 0, step[7]);
        }

        if (parts > 10)
        {
            var others = step[10].EnumerateArray().ToList();
            for (var i = 0; i < others.Count; i += 2)
            {
                SayChanges(text, others[i].GetInt64(), others[i + 1]);
            }
        }

        if (parts > 11)
        {
            text.AppendJoin("", step[11].EnumerateArray().Select(effect => " " + effect[0].GetString()));
        }

        return text.ToString();
    }

    private static void SayChanges(StringBuilder text, long pid, JsonElement changes)
    {
        if (changes.ValueKind == JsonValueKind.Number)
        {
            changes.GetInt32().ShouldBe(0);
            return;
        }

        var items = changes.EnumerateArray().ToList();
        for (var i = 0; i < items.Count; i++)
        {
            text.Append(items[i].ValueKind == JsonValueKind.Array
                ? $" -{pid}.{items[i].EnumerateArray().ShouldHaveSingleItem().GetString()}"
                : $" {pid}.{items[i].GetString()}={items[++i].GetRawText()}");
        }
    }

    private static string Text(Step step) => step switch
    {
        ArrivalApplied => "applied",
        RunLeft left => $"{left.Run.Rule} {left.Run.Pid} left",
        RunEnded { Error.Kind: "Cascade" } => "stopped",
        RunEnded run => $"{run.Rule} {run.Pid} {(int)run.Outcome}"
            + string.Concat(run.Changes.Select(change => change.Value is null ? $" -{change.Pid}.{change.Key}" : $" {change.Pid}.{change.Key}={change.Value}"))
            + string.Concat(run.Effects.Select(effect => effect switch { ActorChosen => " actor", MailSent => " mail", CardLoaded => " card", _ => throw new NotSupportedException() })),
        _ => step.ToString(),
    };

    private static Slice SliceOf(Random random)
    {
        var arrivals = Enumerable.Range(0, random.Next(1, 6)).Select(_ =>
            TestTenant.Arrival(random.Next(0, 4), [.. Enumerable.Range(0, random.Next(1, 4)).Select(i => (Keys[(i + random.Next(2)) % 4], (string?)Values[random.Next(Values.Length)])).DistinctBy(change => change.Item1)])).ToList();
        return new Slice(100, TestTenant.Now, [], arrivals, Known.ToDictionary(pid => pid, _ => (IReadOnlyDictionary<string, string>)new Dictionary<string, string>()), 1000, TimeSpan.FromMinutes(1));
    }

    /// <summary>What a cell could tell of a slice, in frames.</summary>
    private static (Slice Slice, List<byte[]> Frames) Transcript(Random random)
    {
        var slice = SliceOf(random);
        var course = new SliceCourse(new WakeTable(Rules), slice, Limits);
        var frames = new List<byte[]>();
        var steps = new List<string>();
        while (!course.Exhausted && course.StepCount < 40)
        {
            if (course.Pending.Count == 0)
            {
                steps.Add("0");
                course.Apply();
            }
            else
            {
                var next = course.Pending.First();
                if (random.Next(4) == 0)
                {
                    steps.Add($"[2,{next.Rule},{next.Pid}]");
                    Flush();
                }

                var outcome = (RunOutcome)random.Next(4);
                List<PidChange> changes = [];
                if (outcome == RunOutcome.Ran)
                {
                    // Few, so that cascades come to an end.
                    changes = [.. Enumerable.Range(0, Math.Max(0, random.Next(6) - 3)).Select(_ => new PidChange(
                        random.Next(5) == 0 ? Known[random.Next(Known.Length)] : random.Next(2) * next.Pid, Keys[random.Next(Keys.Length)], random.Next(4) == 0 ? null : Values[random.Next(Values.Length)]))
                        .DistinctBy(change => (change.Pid, change.Key)).OrderBy(change => change.Pid == next.Pid ? -1 : change.Pid)];
                }

                var failed = outcome is RunOutcome.Failed or RunOutcome.Killed;
                if (failed && !next.Set.IsQuiet)
                {
                    changes = [.. new RunError("E", "m", null, 1, null).SaidIn(next.Pid, Rules[next.Rule].Id)];
                }

                if (next.Pid == 0)
                {
                    changes = [];
                }

                var effects = outcome == RunOutcome.Ran ? Effects[random.Next(Effects.Length)] : "";
                var others = string.Join(',', Known.Where(pid => pid != next.Pid && changes.Exists(change => change.Pid == pid)).Select(pid => $"{pid},{Told(changes, pid)}"));
                var tail = effects.Length > 0 ? $",[{others}],[{effects}]" : others.Length > 0 || random.Next(4) == 0 ? $",[{others}]" : "";
                steps.Add(changes.Count == 0 && !failed && tail.Length == 0 && random.Next(2) == 0
                    ? $"[3,{next.Rule},{next.Pid},{(int)outcome},5,4]"
                    : $"[3,{next.Rule},{next.Pid},{(int)outcome},5,4,{Told(changes, next.Pid)},{(next.Pid == 0 ? "0" : Told(changes, 0))},{(random.Next(2) == 0 ? "0" : "\"log\\n\"")},{(failed ? "[\"E\",\"m\",null,1,null]" : "0")}{tail}]");
                course.End(next.Rule, next.Pid, outcome, changes, null, failed ? new RunError("E", "m", null, 1, null) : null, default, default);
            }

            if (random.Next(3) == 0)
            {
                Flush();
            }
        }

        steps.Add("5");
        Flush();
        return (slice, frames);

        void Flush()
        {
            frames.Add(Encoding.UTF8.GetBytes($"[{Number},{string.Join(',', steps)}]"));
            steps.Clear();
        }

        static string Told(List<PidChange> changes, long pid)
        {
            var some = changes.Where(change => change.Pid == pid).ToList();
            return some.Count == 0 ? "0" : "[" + string.Join(',', some.Select(change => change.Value is null ? $"[\"{Escaped(change.Key)}\"]" : $"\"{Escaped(change.Key)}\",{change.Value}")) + "]";
        }

        static string Escaped(string key) => key.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
    }

    /// <summary>The words of JSON text: strings, signs, and what is between them.</summary>
    private static List<string> Split(string text)
    {
        var tokens = new List<string>();
        for (var i = 0; i < text.Length;)
        {
            var start = i++;
            if (text[start] == '"')
            {
                while (i < text.Length && text[i] != '"')
                {
                    i += text[i] == '\\' ? 2 : 1;
                }

                i = Math.Min(i + 1, text.Length);
            }
            else if (!"[]{},:".Contains(text[start]))
            {
                while (i < text.Length && !"[]{},:\"".Contains(text[i]))
                {
                    i++;
                }
            }

            tokens.Add(text[start..i]);
        }

        return tokens;
    }

    /// <summary>The order of runs: a queue, and every rule asked for every change.</summary>
    private sealed class Model(Slice slice)
    {
        private readonly Queue<(string Rule, long Pid)> _queue = new();
        private int _taken;

        public long Position { get; private set; } = slice.Head;

        public void Take(IEnumerable<Step> steps)
        {
            foreach (var step in steps)
            {
                switch (step)
                {
                    case ArrivalApplied applied:
                        _queue.ShouldBeEmpty();
                        applied.Index.ShouldBe(_taken++);
                        var arrival = slice.Arrivals[applied.Index];
                        Change(arrival.WakePid, [.. arrival.Changes.Select(change => (arrival.Pid, change.Key))]);
                        break;
                    case RunLeft left:
                        _queue.Dequeue().ShouldBe((left.Run.Rule, left.Run.Pid));
                        break;
                    case RunEnded { Error.Kind: "Cascade" } stopped:
                        _queue.Dequeue().ShouldBe((stopped.Rule, stopped.Pid));
                        _queue.Clear();
                        Change(stopped.Pid, [.. stopped.Changes.Select(change => (change.Pid, change.Key))]);
                        break;
                    case RunEnded run:
                        _queue.Dequeue().ShouldBe((run.Rule, run.Pid));
                        (run.Outcome == RunOutcome.Ran || run.Changes.Count == 0 || run.Changes.SequenceEqual(run.Error!.SaidIn(run.Pid, run.Rule))).ShouldBeTrue();
                        run.Changes.ShouldAllBe(change => change.Pid == run.Pid || change.Pid == 0 || slice.State.ContainsKey(change.Pid));
                        run.Changes.Select(change => (change.Pid, change.Key)).ShouldBeUnique();
                        Change(run.Pid, [.. run.Changes.Select(change => (change.Pid, change.Key))]);
                        break;
                }
            }
        }

        private void Change(long pid, List<(long Pid, string Key)> changes)
        {
            Position += changes.Count;
            foreach (var rule in Rules)
            {
                // In each process once, and where SHARED changed, in that of the run.
                var heard = changes.Where(change => rule.ListensTo.Any(entry => entry == (change.Pid == 0 ? "shared." : "") + change.Key || entry == "*" && change.Pid != 0));
                foreach (var of in heard.Select(change => change.Pid == 0 ? pid : change.Pid).Distinct())
                {
                    _queue.Enqueue((rule.Id, of));
                }
            }
        }
    }
}
