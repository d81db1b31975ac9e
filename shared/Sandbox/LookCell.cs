namespace Eddy.Sandbox;

/// <summary>A cell of its own that looks back. It has no way to what is in force: what comes of it is told, and thrown away with it.</summary>
public sealed class LookCell : IDisposable
{
    private readonly Func<Task<Cell>> _load;
    private readonly Action<Cell> _retire;
    private readonly Func<PastProcesses?, BesideRunner> _runner;
    private readonly Action _leave;
    private Cell? _cell;

    internal LookCell(Cell cell, Func<Task<Cell>> load, Action<Cell> retire, Func<PastProcesses?, BesideRunner> runner, Action leave)
    {
        (_cell, _load, _retire, _runner, _leave, Loaded) = (cell, load, retire, runner, leave, cell.Loaded);
    }

    /// <summary>What was found in the files.</summary>
    public LoadedTree Loaded { get; }

    /// <summary>Does a run over. One at a time.</summary>
    /// <exception cref="SandboxUnavailable">Nothing was run, or what was run is lost; nobody is to blame.</exception>
    public Task<Look> LookAsync(LookRun run, MakeCall call, CancellationToken ct) => _runner(run.Past).LookAsync(run, call, ObtainAsync, static _ => { }, Retire, ct);

    public void Dispose()
    {
        if (_cell is { } cell)
        {
            Retire(cell);
        }

        _leave();
    }

    private async Task<Cell> ObtainAsync() => _cell ??= await _load();

    private void Retire(Cell cell)
    {
        if (_cell == cell)
        {
            _cell = null;
        }

        _retire(cell);
    }
}
