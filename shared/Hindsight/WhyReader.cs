using Eddy.Access;
using Eddy.Egress;
using Eddy.Events;
using Eddy.Files;
using Eddy.Processes;
using Eddy.Rules;
using Eddy.Runs;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Hindsight;

/// <summary>
/// Says why a rule ran or did not. What happened is on record; what a check read is worked out again: with the files of then, on the state of then, in a cell of its own whose clock stands at the
/// moment of then. Nothing is called, and nothing of it is in force.
/// </summary>
public sealed class WhyReader(WhyStore store, PastStore past, TreeReader trees, RuleSandbox sandbox, ProcessStore processes)
{
    private const int MostLast = 5;

    /// <summary>Null where the log has no such event, or who asks may not read it.</summary>
    /// <param name="rule">Its id, or the name of its class.</param>
    /// <param name="pid">In which process; null for the first in which it was woken, else that of the event.</param>
    /// <param name="rules">The rules as they are written today.</param>
    /// <exception cref="SandboxUnavailable">There is no cell to be had.</exception>
    public async Task<Why?> ReadAsync(TenantId tenant, string timeZone, long position, string rule, long? pid, IReadOnlyList<PlacedRule> rules, ActorAccess access, CancellationToken cancel)
    {
        if (await store.EventAsync(tenant, position, cancel) is not { } one || !await MayReadAsync(tenant, access, one, cancel))
        {
            return null;
        }

        return await ReadAsync(new Question(tenant, timeZone, rules, access), one, IdOf(rule, rules), pid, true, cancel);
    }

    /// <summary>
    /// When a rule ran last and when it did not, in a process or anywhere, and why not the last time that it did not. What it did not run for is what woke it and came to nothing; where there
    /// is nothing of the kind, the newest event.
    /// </summary>
    /// <exception cref="SandboxUnavailable">There is no cell to be had.</exception>
    public async Task<WhyLast> ReadLastAsync(TenantId tenant, string timeZone, string rule, long? pid, IReadOnlyList<PlacedRule> rules, ActorAccess access, CancellationToken cancel)
    {
        var id = IdOf(rule, rules);
        var records = await store.LastAsync(tenant, id, pid, 200, cancel);
        var ran = records.FirstOrDefault(run => run.Outcome == RunOutcome.Ran);
        var not = records.FirstOrDefault(run => run.Outcome != RunOutcome.Ran && run.SetPosition > 0);
        var question = new Question(tenant, timeZone, rules, access);
        Why? why = null;
        if ((not is not null ? await store.EventAsync(tenant, not.SetPosition, cancel) : await store.LastEventAsync(tenant, pid, cancel)) is { } one && await MayReadAsync(tenant, access, one, cancel))
        {
            why = await ReadAsync(question, one, id, not?.Pid ?? pid, true, cancel);
        }

        return new WhyLast(id, pid, ran, not, why is { Outcome: WhyOutcome.Ran } ? null : why);
    }

    private async Task<Why> ReadAsync(Question question, StoredEvent one, string id, long? pid, bool follows, CancellationToken cancel)
    {
        var tenant = question.Tenant;
        var facts = await store.FactsAsync(tenant, one, id, cancel);
        var tree = await trees.TreeAsync(tenant, facts.Version, question.TimeZone, cancel);
        var here = facts.RunsOf(id).Select(run => run.Pid).Concat(facts.Deferred.Select(run => run.Pid)).Concat(facts.Quarantined.Select(run => run.Pid)).Concat(facts.Owed.Select(run => run.Pid)).Distinct().ToList();
        pid ??= here.Count > 0 ? here[0] : null;
        // Of one that was tried again the last try counts.
        var run = facts.RunsOf(id).LastOrDefault(record => record.Pid == pid);

        var end = new PastTenant(tenant, facts.Set[^1].Position, past, store);
        using var cell = await sandbox.OpenLookAsync(tree, run?.At ?? one.At, await end.KvpsAsync(0, cancel), watches: true, cancel);
        var loaded = cell.Loaded.Rules.FirstOrDefault(rule => rule.Id == id);
        var matches = loaded is null ? [] : await RunMoment.MatchesAsync(loaded, facts, end, run is null && !here.Contains(pid ?? 0) ? pid : null, cancel);
        pid ??= matches.Select(match => match.Pid).FirstOrDefault(of => of is > 0);
        var of = pid ?? (one.Pid > 0 ? one.Pid : facts.Runs.Select(record => (long?)record.Pid).FirstOrDefault());
        var told = await ReadableAsync(tenant, question.Access, facts.Set, cancel);
        var check = loaded is null || of is null || run is { Outcome: RunOutcome.Failed or RunOutcome.Killed } && IsStopped(run) ? null
            : await CheckAsync(question, cell, tree, facts, loaded, run, one, of.Value, matches.Count == 0 && here.Count == 0, end, cancel);
        var setters = loaded is null || matches.Count > 0 || here.Count > 0 ? [] : await store.OfCascadeAsync(tenant, one.Arrival, SettersOf(loaded, question.Rules), cancel);
        var verdict = new WhyVerdict(
            id, pid, facts, told, loaded, loaded is null ? await MissingAsync(tenant, id, facts.Version, cell.Loaded, cancel) : null, matches, run, check, question.Rules, setters,
            TimeZoneInfo.FindSystemTimeZoneById(question.TimeZone), question.Access.MayChangeRules);
        var cause = follows && verdict.Outcome == WhyOutcome.NotWoken ? await CauseAsync(question, loaded!, setters, cancel) : null;
        var last = of is { } process ? await store.LastAsync(tenant, id, process, MostLast, cancel) : [];
        return new Why(one, id, of ?? 0, facts.Version, verdict.Outcome, verdict.Sentence, verdict.Reasons, run is null || question.Access.MayChangeRules ? run : run with { Log = null, Error = null, Calls = null }, check, cause, [.. here.Where(other => other != pid)])
        {
            Last = [.. last.Select(record => record with { Error = null, Log = null, Calls = null })],
        };
    }

    /// <summary>Why the first rule that would have woken it, and was woken itself, did not.</summary>
    private async Task<Why?> CauseAsync(Question question, LoadedRule rule, IReadOnlyList<StoredRun> setters, CancellationToken cancel)
    {
        var writers = SettersOf(rule, question.Rules);
        if (setters.FirstOrDefault(run => run.Outcome != RunOutcome.Ran && run.SetPosition > 0) is not { } not || await store.EventAsync(question.Tenant, not.SetPosition, cancel) is not { } one)
        {
            return null;
        }

        return await MayReadAsync(question.Tenant, question.Access, one, cancel)
            ? await ReadAsync(question, one, not.Rule ?? writers.First(writer => not.SaidNo!.Contains(writer)), not.Pid, false, cancel) : null;
    }

    /// <summary>Works the check out again.</summary>
    private async Task<WhyCheck?> CheckAsync(
        Question question, LookCell cell, CellTree tree, WakingFacts facts, LoadedRule rule, StoredRun? run, StoredEvent one, long pid, bool isAssumed, PastTenant end, CancellationToken cancel)
    {
        var position = await RunMoment.BeforeAsync(question.Tenant, facts, rule.Id, run, cell.Loaded, past, store, cancel);
        var moment = position == end.Position ? end : new PastTenant(question.Tenant, position, past, store);
        var state = new Dictionary<long, IReadOnlyDictionary<string, string>> { [0] = await moment.KvpsAsync(0, cancel), [pid] = await moment.KvpsAsync(pid, cancel) };
        var called = false;
        var owed = RunMoment.Woken(rule.Id, pid, isAssumed ? [one] : facts.Set, one, run);
        var look = await cell.LookAsync(new LookRun(new BesideRun(owed, run?.At ?? one.At, state), Acts: false) { Past = moment.Others }, (_, _) =>
        {
            called = true;
            return Task.FromResult(CallAnswer.Of(new CallFault(CallFaults.Refused, "Nothing is called out where a check is worked out again.")));
        }, cancel);
        if (look.Ended is null)
        {
            return null;
        }

        var differs = run is null || isAssumed ? null : DifferenceOf(run, look, moment, called);
        var files = look.Seen.Select(place => place.File).Append(rule.Id.Split(':')[0]).Distinct(StringComparer.Ordinal).ToHashSet(StringComparer.Ordinal);
        var kvps = moment.Kvps;
        var shown = await WithheldAsync(question, look, cancel);
        return new WhyCheck(shown, tree.Version, position, isAssumed, differs, tree.Files.Where(file => files.Contains(file.Path)).ToDictionary(file => file.Path, file => file.Text, StringComparer.Ordinal))
        {
            Kvps = shown.Seen.Where(place => place is { Value: not null, Key: not null } && kvps.ContainsKey((place.Pid!.Value, place.Key))).Select(place => (place.Pid!.Value, place.Key!)).Distinct().ToDictionary(kvp => kvp, kvp => kvps[kvp]),
        };
    }

    private static string? DifferenceOf(StoredRun run, Look look, PastTenant moment, bool called)
    {
        var isNo = look.Ended!.Outcome == RunOutcome.No;
        if (isNo == (run.Outcome == RunOutcome.No) && (run.Outcome != RunOutcome.Ran || look.Ended.Error is null))
        {
            return null;
        }

        var said = run.Outcome == RunOutcome.No ? "no" : "yes";
        var now = look.Ended.Error is { } error ? $"it fails with {error.Kind}" : isNo ? "it is no" : "it is yes";
        return $"The record says {said}; worked out again {now}. {(
            called ? "It calls out, and nothing is called again."
            : moment.IsOfNow ? "It looked for other processes, of which too many have changed since: they were found as they are now."
            : moment.IsCut ? "The log does not reach back to all that it read."
            : "It may read what is not kept: random numbers, files in workspace/, packages, what earlier runs left in a module, or changes of the same moment.")}";
    }

    /// <summary>
    /// Takes out of what was seen what who asks may not read: those KVPs, and what was made of them. Whoever may not change rules is shown the KVPs that they may read and nothing else, for
    /// anything else may hold any.
    /// </summary>
    private async Task<Look> WithheldAsync(Question question, Look look, CancellationToken cancel)
    {
        var access = question.Access;
        if (access.MayAll)
        {
            return look;
        }

        var kinds = await processes.KindsAsync(question.Tenant, [.. look.Seen.Select(place => place.Pid ?? 0).Where(pid => pid > 0).Distinct()], cancel);
        var hidden = look.Seen.Where(place => place is { Key: { } key, Pid: { } pid } && !access.May(KeyAct.Read, pid == 0 ? KvpPlace.Shared : KvpPlace.Process(kinds.GetValueOrDefault(pid)), key)).ToList();
        return look with
        {
            Answer = look.Answer is { Text: "True" or "False" or "None" } ? look.Answer : null,
            Ended = access.MayChangeRules ? look.Ended : look.Ended! with { Error = null, Log = null, Changes = [], Effects = [] },
            Seen =
            [
                .. look.Seen.Select(place => place.Value is null || (access.MayChangeRules ? !hidden.Exists(other => other == place || place.Contains(other)) : place.Key is not null && !hidden.Contains(place))
                    ? place : place with { Value = null, IsWithheld = true }),
            ],
        };
    }

    private async Task<string> MissingAsync(TenantId tenant, string id, long version, LoadedTree loaded, CancellationToken cancel)
    {
        var (path, name) = (id.Split(':')[0], id[(id.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        if (loaded.Errors.FirstOrDefault(error => error.File == path) is { } error)
        {
            return $"{path} did not load in version {version}{(error.Line is { } line ? $", at line {line}" : "")}: {error.Message}";
        }

        return await store.NextSaveAsync(tenant, path, version, cancel) is { } next
            ? $"Version {version} of the files was in force, without {name}; {path} was saved next as version {next.Version}."
            : $"Version {version} of the files was in force, and there is no {name} in {path}.";
    }

    private async Task<bool> MayReadAsync(TenantId tenant, ActorAccess access, StoredEvent one, CancellationToken cancel) => (await ReadableAsync(tenant, access, [one], cancel)).Count > 0;

    private async Task<IReadOnlyList<StoredEvent>> ReadableAsync(TenantId tenant, ActorAccess access, IReadOnlyList<StoredEvent> events, CancellationToken cancel)
    {
        if (access.MayAll)
        {
            return events;
        }

        var kinds = await processes.KindsAsync(tenant, [.. events.Select(one => one.Pid).Where(pid => pid > 0).Distinct()], cancel);
        return [.. events.Where(one => access.May(KeyAct.Read, one.Pid == 0 ? KvpPlace.Shared : KvpPlace.Process(kinds.GetValueOrDefault(one.Pid)), one.Key))];
    }

    /// <summary>The rules that set what another listens to, as they are written today.</summary>
    private static HashSet<string> SettersOf(LoadedRule rule, IReadOnlyList<PlacedRule> rules)
    {
        var keys = rule.ListensTo.Select(RuleGraph.Awaited).ToHashSet(StringComparer.Ordinal);
        return [.. rules.Where(one => one.IsRule && one.Look.Writes.Any(written => keys.Contains(RuleGraph.Written(written)))).Select(one => one.Id)];
    }

    private static bool IsStopped(StoredRun run) => run.Error?.Contains("\"Cascade\"", StringComparison.Ordinal) == true;

    private static string IdOf(string rule, IReadOnlyList<PlacedRule> rules) => rule.Contains(':', StringComparison.Ordinal) ? rule : rules.FirstOrDefault(one => one.Look.Name == rule)?.Id ?? rule;

    private sealed record Question(TenantId Tenant, string TimeZone, IReadOnlyList<PlacedRule> Rules, ActorAccess Access);
}

/// <summary>When a rule ran last, and when it did not.</summary>
/// <param name="Pid">In which process; null for anywhere.</param>
/// <param name="Ran">The last record of a run that ended well; null where none is found.</param>
/// <param name="Not">The last record of one that said no, failed or was stopped; null where none is found.</param>
/// <param name="Why">Why it did not run the last time that it did not; null where it always did.</param>
public sealed record WhyLast(string Rule, long? Pid, StoredRun? Ran, StoredRun? Not, Why? Why);
