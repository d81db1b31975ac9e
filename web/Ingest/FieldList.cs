using System.Text;
using Eddy.Kvps;
using Eddy.Problems;

namespace Eddy.Ingest;

/// <summary>The fields of a form, in their order. A field that is there several times is a list.</summary>
internal sealed class FieldList(IngestLimits limits)
{
    private readonly Dictionary<string, List<string>> _values = new(StringComparer.Ordinal);
    private readonly List<string> _keys = [];

    /// <summary>Adds a field as text, to be read by the grammar.</summary>
    public BodyRefused? Add(string key, string text) => KvpText.TryValue(text, out var value, out var fault, limits.ValueBytes)
        ? AddCanonical(key, value)
        : Refusal.Of(fault, ProblemType.InvalidForm, key, Refusal.Segment(key));

    /// <summary>Adds a field's value.</summary>
    public BodyRefused? AddCanonical(string key, string value)
    {
        if (KvpKey.Fault(key) is { } detail)
        {
            return Refusal.Of(ProblemType.InvalidKey, detail, Refusal.Segment(key));
        }

        if (!_values.TryGetValue(key, out var values))
        {
            if (_keys.Count == limits.KvpsPerProcess)
            {
                return Refusal.TooManyKvps(limits);
            }

            _keys.Add(key);
            _values.Add(key, values = []);
        }

        values.Add(value);
        return null;
    }

    public ParsedBody ToBody()
    {
        if (_keys.Count == 0)
        {
            return Refusal.Empty("The form has no fields.");
        }

        var changes = new List<Change>(_keys.Count);
        foreach (var key in _keys)
        {
            var values = _values[key];
            if (values.Count == 1)
            {
                changes.Add(new Change(key, values[0]));
                continue;
            }

            var list = Encoding.UTF8.GetBytes($"[{string.Join(',', values)}]");
            if (!KvpValue.TryCanonical(list, out var value, out var fault, limits.ValueBytes))
            {
                return Refusal.Of(fault, ProblemType.InvalidForm, key, Refusal.Segment(key));
            }

            changes.Add(new Change(key, value));
        }

        return new BodySets([changes], IsList: false);
    }
}
