using System.Collections.Concurrent;

namespace Eddy.Sandbox;

/// <summary>What the host keeps of one tenant: its cell, while it has one, and what is known of its files.</summary>
internal sealed class TenantCell
{
    private readonly Stack<Cell> _spare = [];
    private Cell? _cell;
    private LoadedFiles? _loaded;
    private long _cpu;
    private BlamedFiles _blamed = new(-1, "", []);

    /// <summary>Held by whoever works with the tenant's cell.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>When it was last worked with, as a timestamp.</summary>
    public long Used { get; set; }

    public Cell? Cell => Volatile.Read(ref _cell);

    /// <summary>Its cells have used so much CPU time more, by the zygote's word.</summary>
    public void Charge(long nanoseconds) => Interlocked.Add(ref _cpu, nanoseconds);

    /// <summary>What its cells have used since it was last asked for.</summary>
    public TimeSpan TakeCpu() => TimeSpan.FromMicroseconds(Interlocked.Exchange(ref _cpu, 0) / 1000);

    /// <summary>What was found in the files of the last version that was loaded; it outlives the cell.</summary>
    public LoadedFiles? Loaded => Volatile.Read(ref _loaded);

    /// <summary>Files that ended their cell while they loaded, at this version of the tree: they are left out of later cells.</summary>
    public BlamedFiles BlamedOf(CellTree tree)
    {
        lock (_spare)
        {
            return _blamed.Version == tree.Version && _blamed.TimeZone == tree.TimeZone ? _blamed : _blamed = new(tree.Version, tree.TimeZone, []);
        }
    }

    public void Note(LoadedFiles loaded) => Volatile.Write(ref _loaded, loaded);

    public void Keep(Cell cell) => Volatile.Write(ref _cell, cell);

    public Cell? TakeCell() => Interlocked.Exchange(ref _cell, null);

    /// <summary>A cell that did a run beside the line goes to rest, and may do another.</summary>
    public void Rest(Cell cell)
    {
        lock (_spare)
        {
            _spare.Push(cell);
        }
    }

    /// <summary>A cell that rests, or null.</summary>
    public Cell? TakeResting()
    {
        lock (_spare)
        {
            return _spare.TryPop(out var cell) ? cell : null;
        }
    }

    public IReadOnlyList<Cell> TakeAllResting()
    {
        lock (_spare)
        {
            Cell[] all = [.. _spare];
            _spare.Clear();
            return all;
        }
    }

    /// <summary>Files without scripts have no rules: nobody needs a cell to see that.</summary>
    public void NoteIfWithoutScripts(CellTree tree)
    {
        if (Loaded?.IsOf(tree) != true && !tree.Files.Any(file => file.Path.StartsWith("scripts/", StringComparison.Ordinal)))
        {
            Volatile.Write(ref _loaded, new LoadedFiles(tree.Version, tree.TimeZone, new LoadedTree([], []), new WakeTable([])));
        }
    }
}

/// <summary>A version of a tree, and what was found in it.</summary>
internal sealed record LoadedFiles(long Version, string TimeZone, LoadedTree Tree, WakeTable Table)
{
    public bool IsOf(CellTree tree) => Version == tree.Version && TimeZone == tree.TimeZone;
}

/// <summary>The files of one version that ended their cell while they loaded, and why.</summary>
internal sealed record BlamedFiles(long Version, string TimeZone, ConcurrentDictionary<string, LoadError> Errors);
