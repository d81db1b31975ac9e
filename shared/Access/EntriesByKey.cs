namespace Eddy.Access;

/// <summary>Entries, found by a key that they are about: to ask for one takes about as long whether they have ten patterns or ten thousand.</summary>
internal sealed class EntriesByKey
{
    private readonly Dictionary<string, List<AccessEntry>> _named = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<AccessEntry>> _begun = new(StringComparer.Ordinal);
    private readonly int[] _lengths;

    public EntriesByKey(IEnumerable<AccessEntry> entries)
    {
        foreach (var entry in entries)
        {
            foreach (var pattern in entry.Keys)
            {
                var (under, text) = pattern.Beginning is { } beginning ? (_begun, beginning) : (_named, pattern.Text);
                if (under.TryGetValue(text, out var others))
                {
                    others.Add(entry);
                }
                else
                {
                    under[text] = [entry];
                }
            }
        }

        _lengths = [.. _begun.Keys.Select(beginning => beginning.Length).Distinct().Order()];
    }

    public static EntriesByKey None { get; } = new([]);

    /// <summary>Those with a pattern that the key matches; twice where two do.</summary>
    public IEnumerable<AccessEntry> About(string key)
    {
        foreach (var entry in _named.GetValueOrDefault(key) ?? [])
        {
            yield return entry;
        }

        foreach (var length in _lengths)
        {
            if (length > key.Length)
            {
                yield break;
            }

            if (_begun.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key.AsSpan(0, length), out var begun))
            {
                foreach (var entry in begun)
                {
                    yield return entry;
                }
            }
        }
    }
}
