using Eddy.Kvps;

namespace Eddy.Ingest;

/// <summary>The KVPs of one process while a body is read: knows which keys there are.</summary>
internal sealed class KvpList
{
    private const int Few = 12;

    private readonly List<Change> _changes = new(4);
    private HashSet<string>? _keys;

    public int Count => _changes.Count;

    public IReadOnlyList<Change> Changes => _changes;

    /// <summary>Whether there was no KVP of this key yet.</summary>
    public bool TryAdd(string key, string? value)
    {
        if (Has(key))
        {
            return false;
        }

        _changes.Add(new Change(key, value));
        _keys?.Add(key);
        return true;
    }

    private bool Has(string key)
    {
        if (_changes.Count == Few)
        {
            _keys ??= new HashSet<string>(_changes.Select(change => change.Key), StringComparer.Ordinal);
        }

        if (_keys is not null)
        {
            return _keys.Contains(key);
        }

        foreach (var change in _changes)
        {
            if (change.Key == key)
            {
                return true;
            }
        }

        return false;
    }
}
