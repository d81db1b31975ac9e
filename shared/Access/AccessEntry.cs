namespace Eddy.Access;

/// <summary>
/// Lets a group read or set some keys: in processes of some kinds, or in the shared bag. There are no entries that forbid: what no entry lets somebody do, they may not.
/// </summary>
/// <param name="Id">Its number in the tenant, which never comes twice.</param>
/// <param name="Keys">At least one.</param>
/// <param name="Kind">The kinds of processes; null for all processes, those without a kind too. Null where <paramref name="IsShared"/>.</param>
/// <param name="IsShared">It is about the shared KVPs, and about no process.</param>
public sealed record AccessEntry(long Id, string Group, bool MayRead, bool MaySet, IReadOnlyList<NamePattern> Keys, NamePattern? Kind, bool IsShared)
{
    public const int MostKeys = 100;

    /// <summary>The tenant's <see cref="AccessRules.Version"/> that its last change made; its ETag.</summary>
    public long Version { get; init; }

    public DateTimeOffset ChangedAt { get; init; }

    public string ChangedBy { get; init; } = "";

    /// <summary>What it lets its group do, in words.</summary>
    public IReadOnlyList<string> Acts => (MayRead, MaySet) switch
    {
        (true, true) => ["read", "set"],
        (true, false) => ["read"],
        _ => ["set"],
    };

    /// <summary>Whether it lets its group do this there, with its keys.</summary>
    public bool Covers(KeyAct act, KvpPlace place) => Lets(act) && IsAbout(place);

    /// <summary>Whether it lets its group do this in every process, whatever its kind, with its keys.</summary>
    public bool CoversEveryKind(KeyAct act) => Lets(act) && !IsShared && Kind is null;

    /// <summary>The first of its patterns that the key matches; null where none does.</summary>
    public NamePattern? PatternFor(string key)
    {
        foreach (var pattern in Keys)
        {
            if (pattern.Matches(key))
            {
                return pattern;
            }
        }

        return null;
    }

    private bool Lets(KeyAct act) => act == KeyAct.Read ? MayRead : MaySet;

    private bool IsAbout(KvpPlace place) => IsShared == place.IsShared && (Kind is null || (place.Kind is { } kind && Kind.Matches(kind)));
}
