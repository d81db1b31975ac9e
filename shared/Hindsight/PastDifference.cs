namespace Eddy.Hindsight;

/// <summary>What is different in a process between two moments.</summary>
/// <param name="Keys">By key, in the order of the keys' bytes.</param>
/// <param name="Unknown">Keys of which one of the two is not known.</param>
/// <param name="IsCut">There may be others.</param>
public sealed record PastDifference(IReadOnlyList<DifferentKey> Keys, IReadOnlyList<string> Unknown, bool IsCut)
{
    public static PastDifference Between(PastState before, PastState after)
    {
        var unknown = before.Unknown.Union(after.Unknown, StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var (then, now) = (before.Kvps.ToDictionary(kvp => kvp.Key, StringComparer.Ordinal), after.Kvps.ToDictionary(kvp => kvp.Key, StringComparer.Ordinal));
        return new PastDifference(
            [
                .. then.Keys.Union(now.Keys, StringComparer.Ordinal).Except(unknown, StringComparer.Ordinal).Order(StringComparer.Ordinal)
                    .Select(key => new DifferentKey(key, then.GetValueOrDefault(key), now.GetValueOrDefault(key))).Where(key => key.Before?.Value != key.After?.Value),
            ],
            unknown, before.IsCut || after.IsCut);
    }
}

/// <summary>A key that has another value, or is on one side alone.</summary>
public sealed record DifferentKey(string Key, PastKvp? Before, PastKvp? After);
