namespace Eddy.Sandbox;

/// <summary>A cell of its own that looks back. It has no way to what is in force: what comes of it is told, and thrown away with it.</summary>
public sealed class LookCell : IDisposable
{
    // So many tests may end their cells before the others are given up; and so long they may take together.
    private const int MostEnds = 5;
    private static readonly TimeSpan MostTime = TimeSpan.FromMinutes(2);

    private readonly Func<Task<Cell>> _load;
    private readonly Action<Cell> _retire;
    private readonly Func<PastProcesses?, BesideRunner> _runner;
    private readonly TrialRunner _trials;
    private readonly TestRunner _tests;
    private readonly Action _leave;
    private Cell? _cell;

    internal LookCell(Cell cell, Func<Task<Cell>> load, Action<Cell> retire, Func<PastProcesses?, BesideRunner> runner, TrialRunner trials, TestRunner tests, Action leave)
    {
        (_cell, _load, _retire, _runner, _trials, _tests, _leave, Loaded) = (cell, load, retire, runner, trials, tests, leave, cell.Loaded);
    }

    /// <summary>What was found in the files.</summary>
    public LoadedTree Loaded { get; }

    /// <summary>Does a run over. One at a time.</summary>
    /// <exception cref="SandboxUnavailable">Nothing was run, or what was run is lost; nobody is to blame.</exception>
    public Task<Look> LookAsync(LookRun run, MakeCall call, CancellationToken ct) => _runner(run.Past).LookAsync(run, call, ObtainAsync, static _ => { }, Retire, ct);

    /// <summary>Tries a rule on change sets that were, in their order; what is called, and what the rule sets, goes nowhere.</summary>
    /// <param name="states">As they were before the first of the sets; as they are after the last when this returns.</param>
    /// <param name="fresh">The processes among them of which this cell has not been told yet.</param>
    /// <param name="tell">Told of each run, in order.</param>
    /// <returns>Why it did not come to its end, in a sentence; null where it did.</returns>
    public async Task<string?> TryAsync(
        string rule, IReadOnlyList<TrialSet> sets, Dictionary<long, IReadOnlyDictionary<string, string>> states, IReadOnlyCollection<long> fresh, PastProcesses past, MakeCall call, Action<TrialSet, long, RunEnded> tell,
        CancellationToken ct)
    {
        if (_cell is not { } cell)
        {
            return "Its cell is gone.";
        }

        if (await _trials.RunAsync(cell, rule, sets, states, fresh, past, call, tell, ct) is not { } ending)
        {
            return null;
        }

        Retire(cell);
        return ending.Message;
    }

    /// <summary>Runs tests, each in a world of its own. One that ends the cell has failed, and the next ones run in another.</summary>
    /// <exception cref="SandboxUnavailable">There is no cell to be had.</exception>
    public async Task<RanTests> TestAsync(IReadOnlyList<CellFile> files, CancellationToken ct)
    {
        var told = new TestReader(files.Select(file => file.Path).ToHashSet(StringComparer.Ordinal));
        var faults = new List<LoadError>(Loaded.Errors);
        using var until = CancellationTokenSource.CreateLinkedTokenSource(ct);
        until.CancelAfter(MostTime);
        for (var ends = 0; ; ends++)
        {
            var cell = await ObtainAsync();
            var message = $"All tests together took more than {MostTime.TotalMinutes} minutes.";
            try
            {
                if (await _tests.RunAsync(cell, files, told, until.Token) is not { } ending)
                {
                    break;
                }

                message = ending.Message;
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                ends = MostEnds;
            }

            var waited = cell.Channel.Waiting ?? TimeSpan.Zero;
            Retire(cell);
            if (!told.Blame(message, waited) || ends >= MostEnds)
            {
                faults.Add(new LoadError(files[0].Path, null, null, $"Not all tests were run. {message}", null));
                break;
            }
        }

        return new RanTests(told.Tests, [.. faults, .. told.Faults]);
    }

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
