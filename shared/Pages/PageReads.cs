using Eddy.Access;

namespace Eddy.Pages;

/// <summary>What a rendering has read, so that it is known which changes concern it.</summary>
public sealed class PageReads
{
    private readonly HashSet<(long Pid, string Key)> _kvps = [];
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);
    private bool _asksAll;

    /// <summary>A KVP; that of a key that is not there too. PID 0 is the shared bag.</summary>
    internal void Note(long pid, string key) => _kvps.Add((pid, key));

    /// <summary>A list of processes, which changes where one of these keys does, whosever it is. Without keys any change may bring a process in.</summary>
    internal void NoteQuery(IEnumerable<string> keys)
    {
        var isAny = true;
        foreach (var key in keys)
        {
            isAny = false;
            _asked.Add(key);
        }

        _asksAll |= isAny;
    }

    public IReadOnlySet<(long Pid, string Key)> Kvps => _kvps;

    /// <summary>Whether a rendering after this change may be another. True too often, never false where it is.</summary>
    public bool Concern(long pid, string key) => _kvps.Contains((pid, key)) || (pid != 0 && (_asksAll || _asked.Contains(key)));
}

/// <summary>As whom a page is rendered: what is shown, and to how many the same.</summary>
/// <param name="Rights">Null where the page publishes what it shows.</param>
/// <param name="Address">The visitor's; null for nobody, and where the page does not ask for it.</param>
public sealed record PageReader(ActorAccess? Rights, string? Address)
{
    /// <summary>Nobody in particular reads a public page.</summary>
    public static readonly PageReader Anybody = new(null, null);

    /// <summary>The same for all who see the same. Changes of the tenant's entries change it.</summary>
    /// <param name="rules">As <see cref="AccessRules.Version"/>.</param>
    public string Class(long rules) =>
        Rights is null ? $"public {Address}" : Rights.MayAll ? $"all {Address}" : FormattableString.Invariant($"{rules} {string.Join(' ', Rights.Groups)} {Address}");
}
