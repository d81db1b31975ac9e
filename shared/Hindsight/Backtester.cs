using System.Globalization;
using Eddy.Egress;
using Eddy.Events;
using Eddy.Files;
using Eddy.Kvps;
using Eddy.Runs;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Hindsight;

/// <summary>
/// Tries a text on all that was in a part of the log: each change set, as it is recorded, on the state that the change sets before it had left. What the draft does is told and not fed back, so it is the answer to
/// "what would it have done for what happened", and not to what would have happened then.
/// </summary>
public sealed class Backtester(WhyStore log, EventStore events, BacktestStore store, PastStore past, TreeReader trees, RuleSandbox sandbox)
{
    /// <summary>As many events are tried at once.</summary>
    public const int MostEvents = 200_000;

    private const int Page = 10_000;

    // Of one lot that a cell is given.
    private const int MostSets = 400;
    private const int MostCharacters = 400_000;

    private const int Parts = 48;
    private const int MostExamples = 12;

    // With more of them changed since, those that a draft looks for are found as they are now.
    private const int MostTouched = 500;
    private const int MostSince = 20_000;

    /// <param name="progress">Told how many events are done, of how many.</param>
    /// <exception cref="SandboxUnavailable">There is no cell to be had.</exception>
    public async Task<Backtest> RunAsync(TenantId tenant, string timeZone, BacktestQuestion question, Action<int, int> progress, CancellationToken cancel)
    {
        var all = await ReadAsync(tenant, question, cancel);
        if (all.Count == 0)
        {
            return new Backtest.Stopped("The log has no event there.");
        }

        var inForce = await trees.TreeAsync(tenant, timeZone, cancel);
        var tree = inForce with { Files = [.. inForce.Files.Where(file => file.Path != question.Path).Append(new CellFile(question.Path, question.Text)).OrderBy(file => file.Path, StringComparer.Ordinal)] };
        var before = all[0].Position - 1;
        var since = await log.ChangedSinceAsync(tenant, before, MostTouched, MostSince, cancel);
        var states = await store.StatesAsync(tenant, [.. all.Select(one => one.Pid).Concat(since ?? []).Append(0).Distinct()], before, cancel);
        using var cell = await sandbox.OpenLookAsync(tree, all[0].At, states[0], watches: false, cancel);
        if (cell.Loaded.Errors.FirstOrDefault(error => error.File == question.Path) is { } error)
        {
            return new Backtest.Faulty(error);
        }

        var here = cell.Loaded.Rules.Where(rule => rule.Id.StartsWith(question.Path + ":", StringComparison.Ordinal)).ToList();
        if ((question.Rule is { } name ? here.Find(rule => rule.Id == $"{question.Path}:{name}") : here is [var only] ? only : null) is not { } rule)
        {
            return new Backtest.NoRule([.. here.Select(one => one.Id[(question.Path.Length + 1)..])]);
        }

        var records = await store.RecordsAsync(tenant, rule.Id, all[0].Position, all[^1].Position, all[0].Arrival, cancel);
        var comparison = new Comparison(rule, all, records);
        var others = new PastTenant(tenant, before, past, log);
        var isOfNow = false;
        var then = new PastProcesses(
            async (pid, ct) => states.GetValueOrDefault(pid) ?? await others.Others.ReadAsync(pid, ct),
            (_) =>
            {
                isOfNow |= since is null;
                return Task.FromResult<IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>>?>(since is null ? null : states);
            });
        var told = new HashSet<long>();
        var done = 0;
        foreach (var lot in LotsOf(rule, all, records, states))
        {
            var fresh = lot.SelectMany(set => set.Changes.Select(change => change.Pid).Concat(set.Pids)).Append(0).Where(pid => states.ContainsKey(pid) && told.Add(pid)).Distinct().ToList();
            var stopped = await cell.TryAsync(rule.Id, lot, states, fresh, then, (_, _) => Task.FromResult(Refused), (set, pid, ended) => comparison.Add(set, pid, ended, states), cancel);
            if (stopped is not null)
            {
                return new Backtest.Stopped($"The draft did not come to its end after event {lot[0].Position}: {stopped}");
            }

            progress(done += lot.Sum(set => set.Changes.Count), all.Count);
        }

        var (mails, cards) = await store.ToldAsync(tenant, [.. records.Where(run => run.Outcome == RunOutcome.Ran).Select(run => run.Id)], cancel);
        return comparison.Sum(mails, cards, NotesOf(rule, isOfNow, comparison.Called));
    }

    private static CallAnswer Refused => CallAnswer.Of(new CallFault(CallFaults.Refused, CallsNobody));

    private const string CallsNobody = "A backtest calls nobody.";

    private async Task<List<StoredEvent>> ReadAsync(TenantId tenant, BacktestQuestion question, CancellationToken cancel)
    {
        var all = new List<StoredEvent>();
        for (var (after, more) = (question.First - 1, true); more && after < question.Last && all.Count < MostEvents;)
        {
            (var page, more) = await events.ReadAfterAsync(tenant, after, Page, cancel);
            all.AddRange(page.Where(one => one.Position <= question.Last));
            after = page.Count > 0 ? page[^1].Position : question.Last;
        }

        // A change set that began before the range, or goes on behind it, is not whole.
        var whole = all.SkipWhile(one => one.ChangeSet < question.First).ToList();
        return whole.Count == 0 || whole.Count < MostEvents ? whole : [.. whole.TakeWhile(one => one.ChangeSet != whole[^1].ChangeSet || one.ChangeSet == whole[0].ChangeSet)];
    }

    /// <summary>The change sets with where the rule wakes by them, in lots.</summary>
    private static IEnumerable<IReadOnlyList<TrialSet>> LotsOf(LoadedRule rule, List<StoredEvent> all, IReadOnlyList<StoredRun> records, Dictionary<long, IReadOnlyDictionary<string, string>> states)
    {
        var recorded = records.ToLookup(run => run.SetPosition, run => run.Pid);
        var (reaches, above) = (rule.ListensTo.Any(entry => WakeMatch.Split(entry).Prefix is "child." or "parent."), new Dictionary<long, long>());
        var lot = new List<TrialSet>();
        var characters = 0;
        for (var at = 0; at < all.Count;)
        {
            var end = at + 1;
            while (end < all.Count && all[end].ChangeSet == all[at].ChangeSet)
            {
                end++;
            }

            var set = all.GetRange(at, end - at);
            foreach (var one in reaches ? set.Where(one => one.Key == "PARENT") : [])
            {
                above[one.Pid] = RunMoment.Process(one.Value is null ? null : KvpValue.Stored(one.Value));
            }

            var woken = WakeMatch.Of(rule.ListensTo, set, Above, null).Select(match => match.Pid).OfType<long>().Concat(recorded[set[0].ChangeSet]).Distinct().ToList();
            lot.Add(new TrialSet(set[0].Position, set[0].At, set[0].Source, set[0].Actor, [.. set.Select(one => new PidChange(one.Pid, one.Key, one.Value is null ? null : KvpValue.Stored(one.Value)))], woken));
            characters += set.Sum(one => (one.Value?.Length ?? 0) + one.Key.Length + 60);
            at = end;
            if (lot.Count == MostSets || characters > MostCharacters || at == all.Count)
            {
                yield return lot;
                (lot, characters) = ([], 0);
            }
        }

        long Above(long pid) => above.TryGetValue(pid, out var known) ? known : above[pid] = RunMoment.Process(states.GetValueOrDefault(pid)?.GetValueOrDefault("PARENT"));
    }

    private static List<string> NotesOf(LoadedRule rule, bool isOfNow, bool called)
    {
        var notes = new List<string>();
        if (isOfNow)
        {
            notes.Add("It looked for other processes, of which too many have changed since: they were found as they are now.");
        }

        if (called)
        {
            notes.Add("It calls out: that was refused, so what comes after a call is not as it was.");
        }

        if (rule.IsDeferred)
        {
            notes.Add("It has debounce or throttle, and was tried for each change all the same.");
        }

        return notes;
    }

    /// <summary>Gathers what the draft does, and sets it against what is on record.</summary>
    private sealed class Comparison(LoadedRule rule, List<StoredEvent> all, IReadOnlyList<StoredRun> records)
    {
        private readonly Dictionary<(long Set, long Pid), StoredRun> _records = records.GroupBy(run => (run.SetPosition, run.Pid)).ToDictionary(group => group.Key, group => group.Last());
        private readonly List<(TrialSet Set, long Pid, IReadOnlyList<(long Pid, string Key, string? Value)> Changes)> _both = [];
        private readonly Dictionary<string, List<BacktestExample>> _examples = [];
        private readonly int[] _draft = new int[Parts];
        private int _ran;
        private int _saidNo;
        private int _failed;
        private int _mails;
        private int _cards;
        private long _changes;
        private int _more;
        private int _fewer;

        public bool Called { get; private set; }

        public void Add(TrialSet set, long pid, RunEnded ended, Dictionary<long, IReadOnlyDictionary<string, string>> states)
        {
            var record = _records.GetValueOrDefault((set.Position, pid));
            Called |= ended.Error?.Message.Contains(CallsNobody, StringComparison.Ordinal) == true;
            if (ended.Outcome == RunOutcome.No)
            {
                _saidNo++;
                if (record is { Outcome: RunOutcome.Ran })
                {
                    _fewer++;
                    Tell("fewer", set, pid, "The draft says no.");
                }

                return;
            }

            if (ended.Outcome != RunOutcome.Ran)
            {
                _failed++;
                _fewer += record is { Outcome: RunOutcome.Ran } ? 1 : 0;
                Tell("failed", set, pid, $"{ended.Error?.Kind}: {ended.Error?.Message}");
                return;
            }

            List<(long Pid, string Key, string? Value)> changes = [.. ended.Changes.Where(change => states.GetValueOrDefault(change.Pid)?.GetValueOrDefault(change.Key) != change.Value).Select(change => (change.Pid, change.Key, change.Value))];
            _ran++;
            _draft[PartOf(set.At)]++;
            _changes += changes.Count;
            _mails += ended.Effects.OfType<MailSent>().Count();
            _cards += ended.Effects.OfType<CardLoaded>().Count();
            if (record is { Outcome: RunOutcome.Ran })
            {
                _both.Add((set, pid, changes));
            }
            else
            {
                _more++;
                Tell("more", set, pid, Words(changes));
            }
        }

        public Backtest.Done Sum(int mails, int cards, IReadOnlyList<string> notes)
        {
            var made = all.Where(one => one.Cause is not null).ToLookup(one => one.Cause!.Value);
            var otherwise = 0;
            foreach (var (set, pid, changes) in _both)
            {
                var record = _records[(set.Position, pid)];
                var really = made[record.Id].Select(one => (one.Pid, one.Key, Value: one.Value is null ? null : KvpValue.Stored(one.Value))).ToHashSet();
                // What it changed behind the end of the range is not known here.
                if (really.Count == record.Changes && !really.SetEquals(changes))
                {
                    otherwise++;
                    Tell("otherwise", set, pid, Words(changes));
                }
            }

            var recorded = new int[Parts];
            foreach (var run in _records.Values.Where(run => run.Outcome == RunOutcome.Ran))
            {
                recorded[PartOf(run.At)]++;
            }

            var (from, to) = (all[0].At, all[^1].At);
            return new Backtest.Done(
                rule.Id, all[0].Position, all[^1].Position, from, to, all.Count, new BacktestSide(_ran, _saidNo, _failed, _changes, _mails, _cards),
                new BacktestSide(Count(RunOutcome.Ran), Count(RunOutcome.No), Count(RunOutcome.Failed) + Count(RunOutcome.Killed), _records.Values.Where(run => run.Outcome == RunOutcome.Ran).Sum(run => (long)run.Changes), mails, cards),
                _more, _fewer, otherwise, [.. Enumerable.Range(0, Parts).Select(part => new BacktestPart(from + ((to - from) * part / Parts), _draft[part], recorded[part]))],
                [.. _examples.OrderBy(kind => kind.Key, StringComparer.Ordinal).SelectMany(kind => kind.Value)], notes);

            int Count(RunOutcome outcome) => _records.Values.Count(run => run.Outcome == outcome);
        }

        private void Tell(string kind, TrialSet set, long pid, string text)
        {
            if (!_examples.TryGetValue(kind, out var known))
            {
                _examples[kind] = known = [];
            }

            if (known.Count < MostExamples)
            {
                known.Add(new BacktestExample(kind, set.Position, pid, set.At, text));
            }
        }

        private int PartOf(DateTimeOffset at)
        {
            var span = all[^1].At - all[0].At;
            return span == TimeSpan.Zero ? 0 : Math.Clamp((int)((at - all[0].At) / span * Parts), 0, Parts - 1);
        }

        private static string Words(IReadOnlyList<(long Pid, string Key, string? Value)> changes) =>
            changes.Count == 0 ? "It would change nothing." : $"It would set {string.Join(", ", changes.Take(3).Select(change => string.Create(CultureInfo.InvariantCulture, $"{(change.Pid == 0 ? "shared." : "")}{change.Key} to {Short(change.Value)}")))}{(changes.Count > 3 ? $" and {changes.Count - 3} more" : "")}.";

        private static string Short(string? value) => value is null ? "nothing" : value.Length > 60 ? value[..60] + "…" : value;
    }
}
