using Eddy.Events;
using Eddy.Quarantine;
using Eddy.Runs;

namespace Eddy.Ide.Trace;

/// <summary>
/// The arrivals of which there was news, newest first, each as a tree. News may come in pieces, in any order and twice: an event is known by its position, a run by its
/// number. What stands (put off, in quarantine) changes without news and is told anew.
/// </summary>
/// <param name="most">How many arrivals are kept; the oldest go.</param>
public sealed class EventTrace(int most)
{
    private readonly Dictionary<Guid, Facts> _arrivals = [];

    /// <summary>Of these arrivals something is kept.</summary>
    public IReadOnlyCollection<Guid> Arrivals => _arrivals.Keys;

    public void Add(IEnumerable<StoredEvent> events, IEnumerable<StoredRun> runs)
    {
        foreach (var one in events)
        {
            FactsOf(one.Arrival).Add(one);
        }

        foreach (var run in runs)
        {
            FactsOf(run.Root).Add(run);
        }

        if (_arrivals.Count > most)
        {
            foreach (var tree in Newest().Skip(most))
            {
                _arrivals.Remove(tree.Arrival);
            }
        }
    }

    /// <summary>What is put off and in quarantine now, of all tenants' arrivals that are kept: what was told before is gone.</summary>
    public void Stand(IReadOnlyList<DeferredRun> deferred, IReadOnlyList<QuarantinedRun> quarantined)
    {
        var (putOff, aside) = (deferred.ToLookup(one => one.Root), quarantined.ToLookup(one => one.Root));
        foreach (var (arrival, facts) in _arrivals)
        {
            facts.Stand([.. putOff[arrival].OrderBy(one => one.Id)], [.. aside[arrival].OrderBy(one => one.Id)]);
        }
    }

    public IReadOnlyList<ArrivalTree> Newest() =>
        [.. _arrivals.Select(one => one.Value.TreeOf(one.Key)).OrderByDescending(tree => tree.At).ThenByDescending(tree => tree.Sets.Count > 0 ? tree.Sets[0].Position : 0).ThenBy(tree => tree.Arrival)];

    private Facts FactsOf(Guid arrival) => _arrivals.TryGetValue(arrival, out var facts) ? facts : _arrivals[arrival] = new Facts();

    private sealed class Facts
    {
        private readonly SortedDictionary<long, StoredEvent> _events = [];
        private readonly SortedDictionary<long, StoredRun> _runs = [];
        private IReadOnlyList<DeferredRun> _deferred = [];
        private IReadOnlyList<QuarantinedRun> _quarantined = [];
        private ArrivalTree? _tree;

        public void Add(StoredEvent one) => _tree = _events.TryAdd(one.Position, one) ? null : _tree;

        public void Add(StoredRun run) => _tree = _runs.TryAdd(run.Id, run) ? null : _tree;

        public void Stand(IReadOnlyList<DeferredRun> deferred, IReadOnlyList<QuarantinedRun> quarantined)
        {
            if (!deferred.SequenceEqual(_deferred) || !quarantined.SequenceEqual(_quarantined))
            {
                (_deferred, _quarantined, _tree) = (deferred, quarantined, null);
            }
        }

        public ArrivalTree TreeOf(Guid arrival) => _tree ??= ArrivalTree.Of(arrival, _events.Values, _runs.Values, _deferred, _quarantined);
    }
}
