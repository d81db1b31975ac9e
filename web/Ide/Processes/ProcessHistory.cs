using Eddy.Events;
using Eddy.Runs;

namespace Eddy.Ide.Processes;

/// <summary>
/// The change sets of one process while somebody looks at them: as they were read, and what the feed has told since. As more come the oldest go, so that a screen left open
/// stays small. Lines that have not changed stay the same objects.
/// </summary>
public sealed class ProcessHistory
{
    /// <summary>How many change sets are kept, unless more were asked for.</summary>
    public const int Least = 200;

    private const int MostRules = 2000;

    // The last first.
    private readonly List<Entry> _entries = [];
    private readonly Dictionary<long, string> _rules = [];
    private int _most = Least;

    /// <summary>As they were drawn last, the last first; those of which nothing may be read are not there.</summary>
    public IReadOnlyList<ChangeSetLine> Lines { get; private set; } = [];

    /// <summary>The position of the oldest event that is kept; the log's end where there is none.</summary>
    public long Oldest => _entries.LastOrDefault(entry => entry.Events.Count > 0)?.Events[0].Position ?? long.MaxValue;

    /// <summary>Change sets that were here have gone to make room.</summary>
    public bool HasDropped { get; private set; }

    /// <summary>The rule of a run, as far as it is known.</summary>
    public string? RuleOf(long? run) => run is { } id ? _rules.GetValueOrDefault(id) : null;

    /// <summary>All that is kept later than a change set, the last first.</summary>
    public IEnumerable<StoredEvent> After(long set) => _entries.TakeWhile(entry => entry.Set > set).SelectMany(entry => Enumerable.Reverse(entry.Events));

    public void Clear()
    {
        _entries.Clear();
        Lines = [];
        (_most, HasDropped) = (Least, false);
    }

    /// <summary>Takes a page of events older than those that are here; as many more are kept from now on.</summary>
    public void AddOlder(IReadOnlyCollection<StoredEvent> events)
    {
        Take(events, []);
        _most = Math.Max(_most, _entries.Count);
        HasDropped = false;
    }

    /// <summary>Takes what has come; false where nothing of it was new.</summary>
    /// <param name="isStill">Nothing goes, as somebody looks at the past.</param>
    public bool Add(IEnumerable<StoredEvent> events, IEnumerable<StoredRun> runs, bool isStill)
    {
        var isNew = Take(events, runs);
        if (_entries.Count > _most && !isStill)
        {
            _entries.RemoveRange(_most, _entries.Count - _most);
            HasDropped = true;
        }

        return isNew;
    }

    /// <summary>Makes <see cref="Lines"/> anew.</summary>
    /// <param name="anew">What may be read has changed.</param>
    public void Draw(Func<StoredEvent, bool> mayRead, bool anew)
    {
        foreach (var entry in _entries.Where(entry => anew || entry.IsStale))
        {
            entry.Line = entry.Events.Count > 0 ? ChangeSetLine.Of(entry.Events, entry.Runs, mayRead) : null;
            entry.IsStale = false;
        }

        Lines = [.. _entries.Select(entry => entry.Line).OfType<ChangeSetLine>()];
    }

    private bool Take(IEnumerable<StoredEvent> events, IEnumerable<StoredRun> runs)
    {
        var isNew = false;
        foreach (var change in events)
        {
            var entry = EntryOf(change.ChangeSet);
            var at = entry.Events.FindLastIndex(other => other.Position <= change.Position);
            if (at < 0 || entry.Events[at].Position < change.Position)
            {
                entry.Events.Insert(at + 1, change);
                isNew = entry.IsStale = true;
            }
        }

        foreach (var run in runs)
        {
            if (run.Rule is { } rule)
            {
                _rules[run.Id] = rule;
            }

            // What it woke of older sets is not looked at.
            if (_entries.Count > 0 && run.SetPosition >= _entries[^1].Set && EntryOf(run.SetPosition) is var entry && entry.Runs.All(other => other.Id != run.Id))
            {
                entry.Runs.Add(run);
                isNew = entry.IsStale = true;
            }
        }

        if (_rules.Count > MostRules)
        {
            var used = _entries.SelectMany(entry => entry.Events).Select(change => change.Cause).OfType<long>().ToHashSet();
            foreach (var run in _rules.Keys.Where(run => !used.Contains(run)).Order().Take(MostRules / 2).ToList())
            {
                _rules.Remove(run);
            }
        }

        return isNew;
    }

    private Entry EntryOf(long set)
    {
        var at = 0;
        while (at < _entries.Count && _entries[at].Set > set)
        {
            at++;
        }

        if (at == _entries.Count || _entries[at].Set != set)
        {
            _entries.Insert(at, new Entry(set));
        }

        return _entries[at];
    }

    private sealed class Entry(long set)
    {
        public long Set => set;

        /// <summary>In their order.</summary>
        public List<StoredEvent> Events { get; } = [];

        public List<StoredRun> Runs { get; } = [];

        public ChangeSetLine? Line { get; set; }

        public bool IsStale { get; set; } = true;
    }
}
