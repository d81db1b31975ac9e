using Eddy.Cascades;
using Eddy.Events;
using Eddy.Files;
using Eddy.Runs;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Hindsight;

/// <summary>
/// Tries a text on one of the events that were, or on KVPs: over the files in force, on the state of then, in a cell of its own whose clock stands at the moment of then. What it changes, sends
/// and calls is told and goes nowhere: there is no way from here to the log, the outbox or the network.
/// </summary>
public sealed class DryRunner(WhyStore log, PastStore past, TreeReader trees, RuleSandbox sandbox, RunStore runs, CascadeStore cascades, TimeProvider time)
{
    // No door draws numbers as high.
    private const long NewProcess = 1L << 51;

    /// <param name="actor">Who tries it; on typed KVPs it is the event's actor.</param>
    /// <exception cref="SandboxUnavailable">There is no cell to be had.</exception>
    public async Task<DryRun> RunAsync(TenantId tenant, string timeZone, DryRunQuestion question, string actor, CancellationToken cancel)
    {
        var one = question.Event is { } position ? await log.EventAsync(tenant, position, cancel) : null;
        if (question.Event is not null && one is null)
        {
            return new DryRun.NoEvent();
        }

        var inForce = await trees.TreeAsync(tenant, timeZone, cancel);
        var tree = inForce with { Files = [.. inForce.Files.Where(file => file.Path != question.Path).Append(new CellFile(question.Path, question.Text)).OrderBy(file => file.Path, StringComparer.Ordinal)] };
        var begin = one is null ? (await log.LastEventAsync(tenant, null, cancel))?.Position ?? 0 : one.ChangeSet;
        var now = new PastTenant(tenant, begin, past, log);
        using var cell = await sandbox.OpenLookAsync(tree, one?.At ?? time.GetUtcNow(), await now.KvpsAsync(0, cancel), watches: true, cancel);
        if (cell.Loaded.Errors.FirstOrDefault(error => error.File == question.Path) is { } error)
        {
            return new DryRun.Faulty(error);
        }

        var here = cell.Loaded.Rules.Where(rule => rule.Id.StartsWith(question.Path + ":", StringComparison.Ordinal)).ToList();
        var rule = question.Rule is { } name ? here.Find(rule => rule.Id == $"{question.Path}:{name}") : here is [var only] ? only : null;
        return rule is null ? new DryRun.NoRule([.. here.Select(rule => rule.Id[(question.Path.Length + 1)..])])
            : one is null ? await OnChangesAsync(tenant, tree, cell, rule, question, actor, now, cancel)
            : await OnEventAsync(tenant, tree, cell, rule, question, one, cancel);
    }

    private async Task<DryRun> OnEventAsync(TenantId tenant, CellTree tree, LookCell cell, LoadedRule rule, DryRunQuestion question, StoredEvent one, CancellationToken cancel)
    {
        var facts = await log.FactsAsync(tenant, one, rule.Id, cancel);
        var records = facts.RunsOf(rule.Id).ToList();
        var run = question.Pid is { } of ? records.FindLast(record => record.Pid == of) : records.Count > 0 ? records[^1] : null;
        var moment = new PastTenant(tenant, await RunMoment.BeforeAsync(tenant, facts, rule.Id, run, cell.Loaded, past, log, cancel), past, log);
        var matches = await RunMoment.MatchesAsync(rule, facts, moment, null, cancel);
        var pid = question.Pid ?? run?.Pid ?? matches.Select(match => match.Pid).FirstOrDefault(match => match is > 0) ?? (one.Pid > 0 ? one.Pid : NewProcess);
        var owed = RunMoment.Woken(rule.Id, pid, facts.Set, one, run);
        var answers = new KeptAnswers(run is { Rule: not null } ? await runs.KeptCallsAsync(tenant, run.Id, cancel) : []);
        var really = run is null ? null : run.Rule is null ? new Really(run, [], null)
            : new Really(run, (await runs.ReadAsync(tenant, run.Id, cancel))!.Value.Changes, await cascades.ReadToldAsync(tenant, [run.Id], cancel) is [var told, ..] ? told : null);
        return await LookAsync(tree, cell, rule, question, new BesideRun(owed, run?.At ?? one.At, await StateAsync(moment, pid, cancel)), moment, answers, matches.Any(match => match.Pid is null || match.Pid == pid), really, cancel);
    }

    private async Task<DryRun> OnChangesAsync(TenantId tenant, CellTree tree, LookCell cell, LoadedRule rule, DryRunQuestion question, string actor, PastTenant moment, CancellationToken cancel)
    {
        var (pid, at) = (question.Pid ?? NewProcess, time.GetUtcNow());
        var state = await StateAsync(moment, pid, cancel);
        var kvps = new Dictionary<string, string>(state[pid], StringComparer.Ordinal);
        var set = new List<StoredEvent>();
        foreach (var (key, value) in question.Changes)
        {
            set.Add(new StoredEvent(moment.Position + set.Count + 1, at, pid, key, value, kvps.GetValueOrDefault(key), actor, "ide", null, moment.Position + 1, Guid.Empty));
            if (value is null)
            {
                kvps.Remove(key);
            }
            else
            {
                kvps[key] = value;
            }
        }

        state[pid] = kvps;
        var above = RunMoment.Process(kvps.GetValueOrDefault("PARENT"));
        var matches = WakeMatch.Of(rule.ListensTo, set, _ => above, pid);
        // What is set in a process may wake the rule in the one above it.
        var runs = matches.Select(match => match.Pid).FirstOrDefault(match => match is > 0) ?? pid;
        if (runs != pid)
        {
            state[runs] = await moment.KvpsAsync(runs, cancel);
        }

        var owed = RunMoment.Woken(rule.Id, runs, set, set.Count > 0 ? set[0] : new StoredEvent(moment.Position, at, pid, "", null, null, actor, "ide", null, 0, Guid.Empty), null);
        return await LookAsync(tree, cell, rule, question, new BesideRun(owed, at, state), moment, new KeptAnswers([]), matches.Count > 0, null, cancel);
    }

    private static async Task<DryRun> LookAsync(
        CellTree tree, LookCell cell, LoadedRule rule, DryRunQuestion question, BesideRun run, PastTenant moment, KeptAnswers answers, bool wakes, Really? really, CancellationToken cancel)
    {
        var pid = run.Run.Pid;
        var look = await cell.LookAsync(new LookRun(run, Acts: true) { Past = moment.Others }, answers.CallAsync, cancel);
        var ended = look.Ended!;
        var changes = new List<DryChange>();
        foreach (var change in ended.Changes)
        {
            var before = (run.State.GetValueOrDefault(change.Pid) ?? await moment.KvpsAsync(change.Pid, cancel)).GetValueOrDefault(change.Key);
            // What a run says of its failure is set each time, and is an event even where it was said before.
            if (before != change.Value || ended.Error is not null)
            {
                changes.Add(new DryChange(change.Pid, change.Key, change.Value, before));
            }
        }

        var notes = new List<string>();
        if (moment.IsOfNow)
        {
            notes.Add("It looked for other processes, of which too many have changed since: they were found as they are now.");
        }

        if (moment.IsCut)
        {
            notes.Add("The log does not reach back to all that it might read.");
        }

        if (answers.Made.Any(call => call.Status is null))
        {
            notes.Add("It called what has no answer on record; that was refused.");
        }

        var files = look.Seen.Select(place => place.File).Append(question.Path).ToHashSet(StringComparer.Ordinal);
        return new DryRun.Done(
            rule.Id, pid, pid == NewProcess, moment.Position, wakes,
            new WhyCheck(look, tree.Version, moment.Position, !wakes, null, tree.Files.Where(file => files.Contains(file.Path)).ToDictionary(file => file.Path, file => file.Text, StringComparer.Ordinal)),
            ended, changes, answers.Made, really, notes);
    }

    private static async Task<Dictionary<long, IReadOnlyDictionary<string, string>>> StateAsync(PastTenant moment, long pid, CancellationToken cancel) =>
        new() { [0] = await moment.KvpsAsync(0, cancel), [pid] = pid == NewProcess ? new Dictionary<string, string>() : await moment.KvpsAsync(pid, cancel) };
}
