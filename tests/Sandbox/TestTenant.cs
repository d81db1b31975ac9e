using Eddy.Kvps;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Tests.Sandbox;

/// <summary>A tenant whose log and KVPs are kept in memory: it does with transcripts what the pump does.</summary>
internal sealed class TestTenant(RuleSandbox sandbox, params (string Path, string Text)[] files)
{
    private readonly Dictionary<long, Dictionary<string, string>> _kvps = new() { [0] = [] };
    private IReadOnlyList<OwedRun> _owed = [];
    private readonly Dictionary<long, SetEvent> _events = [];

    public static readonly DateTimeOffset Now = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    public RuleSandbox Sandbox => sandbox;

    public CellTree Tree { get; set; } = new(TenantId.New(), 1, "Europe/Berlin", [.. files.Select(file => new CellFile(file.Path, file.Text))]);

    public long Head { get; private set; }

    public IReadOnlyList<OwedRun> Owed => _owed;

    public static TestTenant WithRule(RuleSandbox sandbox, string text) => new(sandbox, ("scripts/rule.py", text));

    public string? Kvp(long pid, string key) => _kvps.GetValueOrDefault(pid)?.GetValueOrDefault(key);

    public IEnumerable<string> Keys(long pid) => _kvps.TryGetValue(pid, out var kvps) ? kvps.Keys : [];

    public void Have(long pid, string key, string value)
    {
        if (!_kvps.TryGetValue(pid, out var kvps))
        {
            _kvps[pid] = kvps = [];
        }

        kvps[key] = value;
    }

    public static ArrivalSet Arrival(long pid, params (string Key, string? Value)[] changes) => new(
        Guid.NewGuid(), pid, pid == 0 ? 99 : pid, "key:sensors", "post", [.. changes.Select(change => new Change(change.Key, change.Value))]);

    public Task<LoadedTree> LoadAsync() => sandbox.LoadAsync(Tree, _kvps[0], TestContext.Current.CancellationToken);

    public Task<Transcript> PostAsync(long pid, params (string Key, string? Value)[] changes) => RunAsync(Arrival(pid, changes));

    /// <summary>Posts and gives the only run that this caused.</summary>
    public async Task<RunEnded> OneRunAsync(long pid, params (string Key, string? Value)[] changes) =>
        (await PostAsync(pid, changes)).Steps.OfType<RunEnded>().ShouldHaveSingleItem();

    public Task<Transcript> RunAsync(params ArrivalSet[] arrivals) => RunAsync(arrivals, 10_000, TimeSpan.FromMinutes(1));

    public async Task<Transcript> RunAsync(ArrivalSet[] arrivals, int runs, TimeSpan time)
    {
        var state = _kvps.ToDictionary(one => one.Key, one => (IReadOnlyDictionary<string, string>)new Dictionary<string, string>(one.Value));
        var slice = new Slice(Head, Now, _owed, arrivals, state, runs, time);
        var transcript = await sandbox.RunAsync(Tree, slice, TestContext.Current.CancellationToken);
        Fold(slice, transcript);
        return transcript;
    }

    private void Fold(Slice slice, Transcript transcript)
    {
        var arrival = -1;
        var root = slice.Owed.Count > 0 ? slice.Owed[0].Cascade : new Cascade(Guid.Empty, "", 0);
        var runs = root.Runs;
        foreach (var step in transcript.Steps)
        {
            switch (step)
            {
                case ArrivalApplied applied:
                    applied.Index.ShouldBe(++arrival);
                    var set = slice.Arrivals[arrival];
                    (root, runs) = (new Cascade(set.Arrival, set.Actor, 0), 0);
                    Add(set.Changes.Select(change => new PidChange(set.Pid, change.Key, change.Value)));
                    break;
                case RunEnded ended:
                    ended.Arrival.ShouldBe(arrival);
                    runs++;
                    Add(ended.Changes);
                    break;
            }
        }

        transcript.ArrivalsTaken.ShouldBe(arrival + 1);
        _owed = [.. transcript.Owed.Select(left => new OwedRun(
            left.Rule, left.Pid, [.. Enumerable.Range(0, left.SetCount).Select(i => _events[left.SetPosition + i])], Now, "rule",
            root with { Runs = runs }, left.Generation, left.Chain))];
    }

    private void Add(IEnumerable<PidChange> changes)
    {
        foreach (var change in changes)
        {
            if (!_kvps.TryGetValue(change.Pid, out var kvps))
            {
                _kvps[change.Pid] = kvps = [];
            }

            _events[++Head] = new SetEvent(Head, change.Pid, change.Key, change.Value, kvps.GetValueOrDefault(change.Key));
            if (change.Value is null)
            {
                kvps.Remove(change.Key);
            }
            else
            {
                kvps[change.Key] = change.Value;
            }
        }
    }
}
