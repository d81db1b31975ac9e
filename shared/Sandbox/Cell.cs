namespace Eddy.Sandbox;

/// <summary>A tenant's cell with its files loaded, and the processes whose KVPs it has.</summary>
internal sealed class Cell(CellChannel channel, CellTree tree, LoadedTree loaded, WakeTable table)
{
    private const int MostProcesses = 2000;
    private long _number;
    private int _retired;

    public CellChannel Channel => channel;

    public CellTree Tree => tree;

    public LoadedTree Loaded => loaded;

    public WakeTable Table => table;

    public HashSet<long> Known { get; } = [];

    /// <summary>How many characters of KVPs the cell was given, about.</summary>
    public long KnownLength { get; set; }

    public long NextNumber() => ++_number;

    /// <summary>True if the cell has so much that it had better forget it all before it gets more.</summary>
    public bool IsFull(long mostLength) => Known.Count > MostProcesses || KnownLength > mostLength;

    /// <summary>Ends the cell; true for the first who does.</summary>
    public bool Retire()
    {
        if (Interlocked.Exchange(ref _retired, 1) != 0)
        {
            return false;
        }

        channel.Dispose();
        return true;
    }
}
