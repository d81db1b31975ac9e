using System.Globalization;
using Eddy.Kvps;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Bench.Load;

/// <summary>A tenant of the sandbox's cases: its one rule, and slices of arrivals that each wake it once, one for each of its processes.</summary>
internal sealed class BenchCell
{
    private const string Script = "scripts/bench.py";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly RuleSandbox _sandbox;
    private readonly CellTree _tree;
    private readonly Slice[] _slices;
    private readonly int _width;
    private long _head;
    private int _turn;

    public BenchCell(RuleSandbox sandbox, int width, string rule = BenchRules.Heat)
    {
        (_sandbox, _width) = (sandbox, width);
        _tree = new CellTree(TenantId.New(), 1, "UTC", [new CellFile(Script, rule)]);

        // Two slices in turn, so that the rule's change is one each time.
        _slices = [Of(1000), Of(2000)];
    }

    public TenantId Tenant => _tree.Tenant;

    public Task<LoadedTree> LoadAsync(CancellationToken cancel) => _sandbox.LoadAsync(_tree, new Dictionary<string, string>(), cancel);

    /// <summary>Ends the cell.</summary>
    public void Drop() => _sandbox.Drop(Tenant);

    /// <summary>One slice, there and back; how many of its runs did not come, or not as they should.</summary>
    public async Task<int> RunAsync(CancellationToken cancel)
    {
        var transcript = await _sandbox.RunAsync(_tree, _slices[_turn++ & 1] with { Head = _head }, cancel);
        _head += 2 * _width;
        return _width - transcript.Steps.Count(step => step is RunEnded { Outcome: RunOutcome.Ran, Changes.Count: 1 });
    }

    private Slice Of(int temperature)
    {
        var pids = Enumerable.Range(1, _width).Select(pid => (long)pid).ToList();
        var arrivals = pids.ConvertAll(pid => new ArrivalSet(
            Guid.NewGuid(), pid, pid, "key:bench", "post", [new Change("temperature", (temperature + pid).ToString(CultureInfo.InvariantCulture))]));
        var state = pids.Append(0).ToDictionary(pid => pid, _ => (IReadOnlyDictionary<string, string>)new Dictionary<string, string>());
        return new Slice(0, TimeProvider.System.GetUtcNow(), [], arrivals, state, 10_000, Patience);
    }
}
