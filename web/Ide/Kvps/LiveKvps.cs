using Eddy.Events;
using Eddy.Runs;

namespace Eddy.Ide.Kvps;

/// <summary>The KVPs of one process while somebody looks at them: as they were read, and what the feed has told since.</summary>
public sealed class LiveKvps
{
    private readonly SortedDictionary<string, LiveKvp> _rows = new(StringComparer.Ordinal);

    /// <summary>By key.</summary>
    public IReadOnlyCollection<LiveKvp> Rows => _rows.Values;

    public LiveKvp? Find(string key) => _rows.GetValueOrDefault(key);

    /// <summary>Takes what was read; what was seen of the rows that stay is kept.</summary>
    public void Load(IEnumerable<KnownKvp> kvps)
    {
        var read = kvps.ToDictionary(kvp => kvp.Key, StringComparer.Ordinal);
        foreach (var gone in _rows.Keys.Where(key => !read.ContainsKey(key)).ToList())
        {
            _rows.Remove(gone);
        }

        foreach (var kvp in read.Values)
        {
            if (!_rows.TryGetValue(kvp.Key, out var row) || row.Position < kvp.Position)
            {
                _rows[kvp.Key] = row is null ? new LiveKvp(kvp) : row with { Value = kvp.Value, Position = kvp.Position, Origin = kvp.Origin };
            }
        }
    }

    /// <summary>Takes an event; false where it was known already.</summary>
    /// <param name="rule">The rule whose run did it.</param>
    public bool Apply(StoredEvent change, string? rule, DateTimeOffset now)
    {
        _rows.TryGetValue(change.Key, out var row);
        if (row is not null && row.Position >= change.Position)
        {
            return false;
        }

        if (change.Value is null)
        {
            return _rows.Remove(change.Key);
        }

        var rate = row?.Rate ?? new ChangeRate();
        var value = change.Value.Length > ProcessStoryStore.MostCharacters ? null : change.Value;
        _rows[change.Key] = new LiveKvp(new KnownKvp(change.Key, value, change.Position, new KvpOrigin(change.At, change.Actor, change.Source, change.Cause, rule)))
        {
            Was = change.Previous, Flashes = (row?.Flashes ?? 0) + 1, IsFresh = true, PerSecond = rate.Note(now), Rate = rate,
        };
        return true;
    }

    /// <summary>The row has been looked at.</summary>
    public void See(string key)
    {
        if (_rows.TryGetValue(key, out var row) && row.IsFresh)
        {
            _rows[key] = row with { IsFresh = false, Was = null };
        }
    }

    /// <summary>The KVPs as they were before these events, which are all that came since, the last first.</summary>
    public static IReadOnlyDictionary<string, string?> Before(IEnumerable<LiveKvp> now, IEnumerable<StoredEvent> since)
    {
        var then = now.ToDictionary(row => row.Key, row => row.Value, StringComparer.Ordinal);
        foreach (var change in since)
        {
            if (change.Previous is null)
            {
                then.Remove(change.Key);
            }
            else
            {
                then[change.Key] = change.Previous;
            }
        }

        return then;
    }
}

/// <summary>A KVP in a row that is looked at.</summary>
public sealed record LiveKvp(string Key, string? Value, long Position, KvpOrigin? Origin)
{
    internal LiveKvp(KnownKvp kvp)
        : this(kvp.Key, kvp.Value, kvp.Position, kvp.Origin)
    {
    }

    /// <summary>What it was before its last change, as long as that is fresh.</summary>
    public string? Was { get; init; }

    /// <summary>It has changed and nobody has looked at it yet.</summary>
    public bool IsFresh { get; init; }

    /// <summary>How often it has changed since it was read.</summary>
    public int Flashes { get; init; }

    /// <summary>How often it changed in the second before its last change.</summary>
    public int PerSecond { get; init; }

    internal ChangeRate Rate { get; init; } = new();

    /// <summary>The classes of its row: the second is taken every other time, so that it flashes anew.</summary>
    public string? RowClass => !IsFresh ? null : PerSecond > ChangeRate.MostFlashes ? "fresh" : Flashes % 2 == 0 ? "now again" : "now";
}
