namespace Eddy.Sandbox;

/// <summary>What the host keeps of one tenant: its cell, while it has one, and what is known of its files.</summary>
internal sealed class TenantCell
{
    private Cell? _cell;
    private LoadedFiles? _loaded;

    /// <summary>Held by whoever works with the tenant's cell.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>When it was last worked with, as a timestamp.</summary>
    public long Used { get; set; }

    public Cell? Cell => Volatile.Read(ref _cell);

    /// <summary>What was found in the files of the last version that was loaded; it outlives the cell.</summary>
    public LoadedFiles? Loaded => Volatile.Read(ref _loaded);

    /// <summary>Files that ended their cell while they loaded, at one version of the tree: they are left out of later cells.</summary>
    public BlamedFiles Blamed { get; set; } = new(-1, "", []);

    public void Keep(Cell cell, LoadedFiles loaded)
    {
        Volatile.Write(ref _loaded, loaded);
        Volatile.Write(ref _cell, cell);
    }

    public Cell? TakeCell() => Interlocked.Exchange(ref _cell, null);

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
internal sealed record BlamedFiles(long Version, string TimeZone, Dictionary<string, LoadError> Errors);
