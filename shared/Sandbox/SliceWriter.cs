using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using Eddy.Egress;
using Eddy.Endpoints;

namespace Eddy.Sandbox;

/// <summary>Writes what a cell is told, as frames one after the other. What is long goes in pieces, each well below the limit of a frame.</summary>
internal sealed class SliceWriter : IDisposable
{
    private const int Piece = 1 << 20;
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly ArrayBufferWriter<byte> _frames = new(4096);
    private readonly Utf8JsonWriter _json;
    private int _start;

    public SliceWriter() => _json = new Utf8JsonWriter(_frames, Json);

    public ReadOnlyMemory<byte> Frames => _frames.WrittenMemory;

    public void Dispose() => _json.Dispose();

    public void Clear() => _frames.ResetWrittenCount();

    public void Limits(SandboxOptions options)
    {
        Open("limits");
        _json.WriteStartObject();
        _json.WriteNumber("LOG", options.LogBytes);
        _json.WriteNumber("CHANGES", options.Changes);
        _json.WriteNumber("VALUE", options.ValueBytes);
        _json.WriteNumber("PROCESS_KVPS", options.ProcessKvps);
        _json.WriteNumber("PROCESS", options.ProcessBytes);
        _json.WriteNumber("GENERATIONS", options.CascadeGenerations);
        _json.WriteNumber("RUNS", options.CascadeRuns);
        _json.WriteNumber("MEMORY", options.MemoryMiB);
        _json.WriteNumber("FRAME", options.FrameBytes);
        _json.WriteNumber("TOLD", options.SliceBytes);
        _json.WriteEndObject();
        Close();
    }

    /// <summary>What stands for the tenant's secrets, by name.</summary>
    public void Secrets(IReadOnlyDictionary<string, string> placeholders)
    {
        Open("secrets");
        _json.WriteStartObject();
        foreach (var (name, placeholder) in placeholders)
        {
            _json.WriteString(name, placeholder);
        }

        _json.WriteEndObject();
        Close();
    }

    public void Files(IEnumerable<CellFile> files)
    {
        OpenList("files");
        foreach (var file in files)
        {
            Split("files");
            _json.WriteStringValue(file.Path);
            _json.WriteStringValue(file.Text);
        }

        CloseList();
    }

    public void Data(IEnumerable<CellData> files)
    {
        OpenList("data");
        foreach (var file in files)
        {
            Split("data");
            _json.WriteStringValue(file.Path);
            _json.WriteBase64StringValue(file.Content);
        }

        CloseList();
    }

    public void Load(IEnumerable<string> skip)
    {
        OpenList("load");
        foreach (var path in skip)
        {
            _json.WriteStringValue(path);
        }

        CloseList();
    }

    public void Compile(CellFile file)
    {
        Open("compile");
        _json.WriteStringValue(file.Path);
        _json.WriteStringValue(file.Text);
        _json.WriteBooleanValue(file.IsOld);
        Close();
    }

    /// <summary>The KVPs of processes, in place of what the cell had of them.</summary>
    public void State(bool forget, IEnumerable<(long Pid, IReadOnlyDictionary<string, string>? Kvps)> processes)
    {
        var open = false;
        foreach (var (pid, kvps) in processes)
        {
            if (open && Length > Piece)
            {
                CloseList();
                open = false;
            }

            if (!open)
            {
                OpenState(forget);
                (open, forget) = (true, false);
            }

            _json.WriteNumberValue(pid);
            _json.WriteStartObject();
            foreach (var (key, value) in kvps ?? new Dictionary<string, string>())
            {
                if (Length > Piece)
                {
                    _json.WriteEndObject();
                    if (open)
                    {
                        CloseList();
                    }
                    else
                    {
                        Close();
                    }

                    open = false;
                    Open("more");
                    _json.WriteNumberValue(pid);
                    _json.WriteStartObject();
                }

                _json.WriteString(key, value);
            }

            _json.WriteEndObject();
            if (!open)
            {
                Close();
            }
        }

        if (open)
        {
            CloseList();
        }
        else if (forget)
        {
            OpenState(forget);
            CloseList();
        }
    }

    private void OpenState(bool forget)
    {
        Open("state");
        _json.WriteBooleanValue(forget);
        _json.WriteStartArray();
    }

    /// <summary>A change set that woke runs which the slice owes.</summary>
    /// <param name="isQuiet">It comes of a quarantine.</param>
    /// <param name="again">What the run that it woke has behind it.</param>
    public void Set(long position, DateTimeOffset at, string source, bool isQuiet, Again again, IReadOnlyList<SetEvent> events)
    {
        OpenSet(false);
        foreach (var one in events)
        {
            if (Length > Piece)
            {
                CloseList();
                OpenSet(true);
            }

            _json.WriteNumberValue(one.Pid);
            _json.WriteStringValue(one.Key);
            Value(one.Value);
            Value(one.Previous);
        }

        CloseList();

        void OpenSet(bool isMore)
        {
            Open("set");
            _json.WriteNumberValue(position);
            _json.WriteStringValue(at);
            _json.WriteStringValue(source);
            _json.WriteBooleanValue(isQuiet);
            _json.WriteNumberValue(again.Quarantine is not null ? 2 : again.IsDue ? 1 : 0);
            _json.WriteNumberValue(again.Attempt);
            _json.WriteBooleanValue(isMore);
            _json.WriteStartArray();
        }
    }

    /// <summary>The slice itself, from where its course is; <paramref name="arrivals"/> of those that are left go along.</summary>
    public void Slice(long number, Slice slice, SliceCourse course, TimeSpan time, bool careful, IReadOnlyList<SliceCourse.ChangeSet> sets, int arrivals)
    {
        Open("slice");
        _json.WriteNumberValue(number);
        _json.WriteNumberValue(course.Position);
        _json.WriteStringValue(slice.At);
        _json.WriteNumberValue(slice.Runs - course.Ran);
        _json.WriteNumberValue((long)time.TotalMicroseconds);
        _json.WriteBooleanValue(careful);
        _json.WriteStartArray();
        _json.WriteStringValue(course.Actor);
        _json.WriteNumberValue(course.CascadeRuns);
        _json.WriteStringValue(course.Acting);
        _json.WriteEndArray();
        _json.WriteStartArray();
        var next = sets.Count;
        var index = sets.Count > 1 ? sets.Select((set, i) => (set, i)).ToDictionary() : null;
        foreach (var waking in course.Pending)
        {
            _json.WriteStartArray();
            _json.WriteNumberValue(waking.Rule);
            _json.WriteNumberValue(waking.Pid);
            _json.WriteNumberValue(index?[waking.Set] ?? 0);
            _json.WriteNumberValue(waking.Generation);
            _json.WriteEndArray();
        }

        _json.WriteEndArray();
        _json.WriteStartArray();
        for (var i = course.Taken; i < course.Taken + arrivals; i++)
        {
            var arrival = slice.Arrivals[i];
            _json.WriteStartArray();
            _json.WriteNumberValue(arrival.Pid);
            _json.WriteNumberValue(arrival.WakePid);
            _json.WriteStringValue(arrival.Actor);
            _json.WriteStringValue(arrival.Source);
            _json.WriteStartArray();
            foreach (var change in arrival.Changes)
            {
                _json.WriteStringValue(change.Key);
                Value(change.Value);
            }

            _json.WriteEndArray();
            if (arrival.Waking is { } waking)
            {
                // Its change set came behind those of the runs that are owed.
                _json.WriteNumberValue(course.IndexOf(waking));
                _json.WriteNumberValue(next++);
                _json.WriteNumberValue(waking.Generation);
                _json.WriteStringValue(waking.Cascade.Acting);
            }

            _json.WriteEndArray();
        }

        _json.WriteEndArray();
        Pairs(course.Away);
        Pairs(course.Held);
        Close();
    }

    private void Pairs(IEnumerable<(int Rule, long Pid)> pairs)
    {
        _json.WriteStartArray();
        foreach (var (rule, pid) in pairs)
        {
            _json.WriteNumberValue(rule);
            _json.WriteNumberValue(pid);
        }

        _json.WriteEndArray();
    }

    /// <summary>A run beside the line. What woke it came before in frames of its own.</summary>
    public void Beside(long number, DateTimeOffset at, int rule, long pid, string actor, string? acting)
    {
        Open("beside");
        _json.WriteNumberValue(number);
        _json.WriteStringValue(at);
        _json.WriteNumberValue(rule);
        _json.WriteNumberValue(pid);
        _json.WriteStringValue(actor);
        _json.WriteStringValue(acting);
        Close();
    }

    /// <summary>What comes is hindsight, as of this moment.</summary>
    /// <param name="watches">Whether it is told what checks read.</param>
    public void Witness(DateTimeOffset at, bool watches)
    {
        Open("witness");
        _json.WriteStringValue(at);
        _json.WriteBooleanValue(watches);
        Close();
    }

    /// <summary>Tests to be run, without those that are done.</summary>
    public void Tests(IEnumerable<CellFile> files, IEnumerable<string> done)
    {
        Open("tests");
        _json.WriteStartArray();
        foreach (var file in files)
        {
            _json.WriteStringValue(file.Path);
            _json.WriteStringValue(file.Text);
        }

        _json.WriteEndArray();
        Texts(done);
        Close();
    }

    /// <summary>What a test has asked for, as texts.</summary>
    public void Texts(string what, IEnumerable<string> texts)
    {
        Open(what);
        Texts(texts);
        Close();
    }

    /// <summary>Change sets on which a rule is tried, one after the other.</summary>
    public void Trials(long number, int rule, IReadOnlyList<TrialSet> sets)
    {
        Open("trials");
        _json.WriteNumberValue(number);
        _json.WriteNumberValue(rule);
        _json.WriteStartArray();
        foreach (var set in sets)
        {
            _json.WriteStartArray();
            _json.WriteNumberValue(set.Position);
            _json.WriteStringValue(set.At);
            _json.WriteStringValue(set.Source);
            _json.WriteStringValue(set.Actor);
            _json.WriteStartArray();
            foreach (var (pid, key, value) in set.Changes)
            {
                _json.WriteNumberValue(pid);
                _json.WriteStringValue(key);
                Value(value);
            }

            _json.WriteEndArray();
            _json.WriteStartArray();
            foreach (var pid in set.Pids)
            {
                _json.WriteNumberValue(pid);
            }

            _json.WriteEndArray();
            _json.WriteEndArray();
        }

        _json.WriteEndArray();
        Close();
    }

    /// <summary>As <see cref="Beside"/>, in hindsight.</summary>
    public void Look(long number, DateTimeOffset at, int rule, long pid, string actor, string? acting, bool acts)
    {
        Open("look");
        _json.WriteNumberValue(number);
        _json.WriteStringValue(at);
        _json.WriteNumberValue(rule);
        _json.WriteNumberValue(pid);
        _json.WriteStringValue(actor);
        _json.WriteStringValue(acting);
        _json.WriteBooleanValue(acts);
        Close();
    }

    /// <summary>A request for a function under <c>api/</c>. The shared KVPs came before.</summary>
    public void Serve(long number, EndpointRun run)
    {
        var (request, caller) = (run.Request, run.Request.Caller);
        for (var at = 0; at < request.Body.Length; at += Piece / 2)
        {
            Open("body");
            _json.WriteBase64StringValue(request.Body.Span[at..Math.Min(request.Body.Length, at + (Piece / 2))]);
            Close();
        }

        Open("serve");
        _json.WriteNumberValue(number);
        _json.WriteStringValue(run.Endpoint.Module);
        _json.WriteStringValue(run.Endpoint.Name);
        _json.WriteStringValue(caller.Actor);
        _json.WriteStringValue(request.Method);
        _json.WriteStringValue(request.Origin);
        _json.WriteStringValue(request.Path);
        _json.WriteStringValue(request.Query);
        _json.WriteStringValue(request.Address);
        Texts(request.Headers.SelectMany(header => new[] { header.Key, header.Value }));
        _json.WriteStringValue(caller.User);
        Texts(caller.Groups);
        _json.WriteStringValue(caller.Key);
        Texts(caller.Scopes);
        Close();

        void Texts(IEnumerable<string> texts)
        {
            _json.WriteStartArray();
            foreach (var text in texts)
            {
                _json.WriteStringValue(text);
            }

            _json.WriteEndArray();
        }
    }

    public void Describe()
    {
        Open("describe");
        Close();
    }

    public void Answered(CallAnswer answer)
    {
        Parts(answer.Body.Span);
        Open("answered");
        _json.WriteNumberValue(answer.Status);
        _json.WriteStringValue(answer.Reason);
        _json.WriteStartArray();
        foreach (var (name, value) in answer.Headers)
        {
            _json.WriteStringValue(name);
            _json.WriteStringValue(value);
        }

        _json.WriteEndArray();
        Close();
    }

    /// <summary>A signature, or what is in a file.</summary>
    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        Parts(bytes);
        Open("answered");
        Close();
    }

    /// <summary>The KVPs of a process that a run asked for; null where there is none of that number.</summary>
    public void Process(IReadOnlyDictionary<string, string>? kvps)
    {
        Open("process");
        Kvps(kvps);
        Close();
    }

    public void Found(long count)
    {
        Open("found");
        _json.WriteNumberValue(count);
        Close();
    }

    public void Found(IReadOnlyList<(long Pid, IReadOnlyDictionary<string, string>? Kvps)> processes)
    {
        Open("found");
        _json.WriteStartArray();
        foreach (var (pid, kvps) in processes)
        {
            _json.WriteNumberValue(pid);
            Kvps(kvps);
        }

        _json.WriteEndArray();
        Close();
    }

    public void Found(IReadOnlyList<long> pids)
    {
        Open("found");
        _json.WriteStartArray();
        foreach (var pid in pids)
        {
            _json.WriteNumberValue(pid);
        }

        _json.WriteEndArray();
        Close();
    }

    public void Pids(long first, int count)
    {
        Open("pids");
        _json.WriteNumberValue(first);
        _json.WriteNumberValue(count);
        Close();
    }

    public void Refused(string kind, string message)
    {
        Open("refused");
        _json.WriteStringValue(kind);
        _json.WriteStringValue(message);
        Close();
    }

    private void Parts(ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length > 0; bytes = bytes[Math.Min(bytes.Length, Piece)..])
        {
            Open("part");
            _json.WriteBase64StringValue(bytes[..Math.Min(bytes.Length, Piece)]);
            Close();
        }
    }

    private void Texts(IEnumerable<string> texts)
    {
        _json.WriteStartArray();
        foreach (var text in texts)
        {
            _json.WriteStringValue(text);
        }

        _json.WriteEndArray();
    }

    private void Kvps(IReadOnlyDictionary<string, string>? kvps)
    {
        if (kvps is null)
        {
            _json.WriteNullValue();
            return;
        }

        _json.WriteStartObject();
        foreach (var (key, value) in kvps)
        {
            _json.WriteString(key, value);
        }

        _json.WriteEndObject();
    }

    private long Length => _json.BytesCommitted + _json.BytesPending;

    private void Value(string? value)
    {
        if (value is null)
        {
            _json.WriteNullValue();
        }
        else
        {
            _json.WriteStringValue(value);
        }
    }

    private void Open(string name)
    {
        _start = _frames.WrittenCount;
        _frames.GetSpan(4);
        _frames.Advance(4);
        _json.Reset(_frames);
        _json.WriteStartArray();
        _json.WriteStringValue(name);
    }

    private void Close()
    {
        _json.WriteEndArray();
        _json.Flush();
        var frame = System.Runtime.InteropServices.MemoryMarshal.AsMemory(_frames.WrittenMemory)[_start..].Span;
        BinaryPrimitives.WriteInt32LittleEndian(frame, frame.Length - 4);
    }

    private void OpenList(string name)
    {
        Open(name);
        _json.WriteStartArray();
    }

    private void CloseList()
    {
        _json.WriteEndArray();
        Close();
    }

    private void Split(string name)
    {
        if (Length > Piece)
        {
            CloseList();
            OpenList(name);
        }
    }
}
