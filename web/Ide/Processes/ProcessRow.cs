using Eddy.Access;
using Eddy.Ide.Kvps;
using Eddy.Processes;

namespace Eddy.Ide.Processes;

/// <summary>A process in a list that is looked at: of it what its reader may see.</summary>
public sealed class ProcessRow
{
    private readonly ChangeRate _rate = new();
    private int _changes;
    private bool _isFresh;
    private KvpPlace _place;

    public ProcessRow(ListedProcess process, ActorAccess access)
    {
        Listed = process;
        Take(process, access);
    }

    /// <summary>Without what its reader may not see.</summary>
    public ListedProcess Listed { get; private set; }

    public long Pid => Listed.Pid;

    public string? Kind => Listed.Kind;

    public DateTimeOffset MadeAt => Listed.CreatedAt;

    public IReadOnlyList<ListedKvp> Kvps => Listed.Kvps;

    public int KeyCount => Listed.KeyCount;

    /// <summary>How many of its keys are not shown, because they may not be read.</summary>
    public int Hidden { get; private set; }

    public int PerSecond { get; private set; }

    public string? Class => !_isFresh ? null : PerSecond > ChangeRate.MostFlashes ? "fresh" : _changes % 2 == 0 ? "now again" : "now";

    public ListedKvp? Of(string key) => Kvps.Cast<ListedKvp?>().FirstOrDefault(kvp => kvp!.Value.Key == key);

    /// <summary>Takes it as it is now.</summary>
    public void Take(ListedProcess process, ActorAccess access)
    {
        _place = KvpPlace.Process(process.Kind);
        var kvps = process.Kvps.Where(kvp => access.May(KeyAct.Read, _place, kvp.Key)).ToList();
        Hidden = process.Kvps.Count - kvps.Count;
        Listed = process with { Kind = access.May(KeyAct.Read, _place, KvpPlace.KindKey) ? process.Kind : null, Kvps = kvps };
    }

    public bool MayRead(string key, ActorAccess access) => access.May(KeyAct.Read, _place, key);

    /// <summary>One of its KVPs has changed.</summary>
    public void Note(DateTimeOffset now)
    {
        (_isFresh, _changes) = (true, _changes + 1);
        PerSecond = _rate.Note(now);
    }

    /// <summary>Somebody has looked at it.</summary>
    public void See() => (_isFresh, PerSecond) = (false, 0);
}
