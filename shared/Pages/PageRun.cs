using Eddy.Access;
using Eddy.Kvps;
using Eddy.Processes;
using Eddy.Runs;
using Eddy.Tenants;
using Fluid.Values;

namespace Eddy.Pages;

/// <summary>One rendering: what it reads of the tenant, as its reader, within bounds, and what it has read.</summary>
internal sealed class PageRun(TenantId tenant, PageReader reader, TimeZoneInfo zone, PageSources sources, CancellationToken cancel)
{
    private const int MostQueries = 20;
    private const int MostProcesses = 500;
    private const int MostShared = 200;

    private static readonly Dictionary<long, IReadOnlyDictionary<string, string>> Untouched = [];

    private readonly Dictionary<long, IReadOnlyDictionary<string, string>?> _processes = [];
    private readonly Dictionary<string, string?> _shared = new(StringComparer.Ordinal);
    private int _queries;

    public TimeZoneInfo Zone => zone;

    public PageReads Reads { get; } = new();

    public CancellationToken Cancel => cancel;

    /// <summary>How many parts are within one another here.</summary>
    public int Depth { get; set; }

    /// <summary>A KVP's canonical JSON; null where there is none, or the reader may not read it. PID 0 is the shared bag.</summary>
    public async ValueTask<string?> ReadAsync(long pid, string key)
    {
        if (KvpKey.Fault(key) is not null)
        {
            return null;
        }

        Reads.Note(pid, key);
        if (pid == 0)
        {
            return reader.Rights is { } rights && !rights.May(KeyAct.Read, KvpPlace.Shared, key) ? null : await SharedAsync(key);
        }

        // Whether it may be read goes by the process's kind.
        Reads.Note(pid, KvpPlace.KindKey);
        return await ProcessAsync(pid) is { } kvps && MayRead(kvps, key) ? kvps.GetValueOrDefault(key) : null;
    }

    /// <summary>Whether there is such a process.</summary>
    public async ValueTask<bool> HasAsync(long pid) => await ProcessAsync(pid) is not null;

    /// <summary>The processes of a list; those of which the reader may not read what is asked are left out.</summary>
    public async ValueTask<ArrayValue> FindAsync(IReadOnlyList<(string Name, FluidValue Value)> arguments, int most = PageQuestion.MostLimit)
    {
        if (++_queries > MostQueries)
        {
            throw new PageFault($"A page asks for processes {MostQueries} times at the most. Ask once, before the loop.");
        }

        var question = PageQuestion.Of(arguments, most);
        var keys = question.Where.SelectMany(clause => clause.Conditions).Select(condition => condition.Key).Concat(question.Order.Select(key => key.Key)).Where(key => key != "PROCESS_ID").Distinct().ToList();
        Reads.NoteQuery(PageQuestion.Keys(question));
        IReadOnlyList<(long Pid, IReadOnlyDictionary<string, string>? Kvps)> found;
        try
        {
            found = await sources.Processes.FindAsync(tenant, question, Untouched, cancel);
        }
        catch (FormatException fault)
        {
            throw new PageFault(fault.Message);
        }

        var shown = new List<FluidValue>();
        foreach (var (pid, kvps) in found)
        {
            if (kvps is not null)
            {
                Keep(pid, kvps);
            }

            if (await ProcessAsync(pid) is { } all && keys.TrueForAll(key => MayRead(all, key)))
            {
                shown.Add(new ProcessValue(this, pid));
            }
        }

        return new ArrayValue(shown);
    }

    /// <summary>The last values of a key of one process, the oldest first.</summary>
    public async ValueTask<IReadOnlyList<(DateTimeOffset At, string Value)>> HistoryAsync(long pid, string key, int last)
    {
        if (await ReadAsync(pid, key) is null && (pid == 0 || await ProcessAsync(pid) is not { } kvps || !MayRead(kvps, key)))
        {
            return [];
        }

        if (++_queries > MostQueries)
        {
            throw new PageFault($"A page asks for processes {MostQueries} times at the most.");
        }

        var (events, _) = await sources.Stories.HistoryAsync(tenant, pid, long.MaxValue, last * 5, cancel);
        return [.. events.Where(one => one.Key == key && one.Value is not null).Take(last).Reverse().Select(one => (one.At, one.Value!))];
    }

    private bool MayRead(IReadOnlyDictionary<string, string> kvps, string key) =>
        reader.Rights is not { } rights || rights.May(KeyAct.Read, KvpPlace.Process(kvps.TryGetValue(KvpPlace.KindKey, out var kind) ? KvpLookup.Of(kind).Txt : null), key);

    private async ValueTask<IReadOnlyDictionary<string, string>?> ProcessAsync(long pid)
    {
        if (!_processes.TryGetValue(pid, out var kvps))
        {
            kvps = pid > 0 ? await sources.Processes.ReadAsync(tenant, pid, cancel) : null;
            Keep(pid, kvps);
        }

        return kvps;
    }

    private void Keep(long pid, IReadOnlyDictionary<string, string>? kvps)
    {
        _processes[pid] = kvps;
        if (_processes.Count > MostProcesses)
        {
            throw new PageFault($"A page reads {MostProcesses} processes at the most.");
        }
    }

    private async ValueTask<string?> SharedAsync(string key)
    {
        if (!_shared.TryGetValue(key, out var value))
        {
            if (_shared.Count >= MostShared)
            {
                throw new PageFault($"A page reads {MostShared} shared KVPs at the most.");
            }

            _shared[key] = value = await sources.Kvps.ReadKvpAsync(tenant, 0, key, cancel) is { } stored ? KvpValue.Stored(stored) : null;
        }

        return value;
    }
}

/// <summary>Where pages read their tenant's state.</summary>
public sealed class PageSources(ProcessFinder processes, ProcessStore kvps, ProcessStoryStore stories)
{
    internal ProcessFinder Processes => processes;

    internal ProcessStore Kvps => kvps;

    internal ProcessStoryStore Stories => stories;
}
