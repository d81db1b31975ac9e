using Eddy.Cascades;
using Eddy.Egress;
using Eddy.Runs;
using Eddy.Tenants;

namespace Eddy.Hindsight;

/// <summary>Makes a test of an event that was: with what was there before it, and what it caused as what is expected.</summary>
public sealed class TestMaker(WhyStore log, PastStore past, CascadeStore cascades, RunStore runs)
{
    private const int MostRuns = 100;
    private const int MostProcesses = 20;

    /// <param name="reads">The keys of shared KVPs that rules read: others need not be there.</param>
    /// <returns>The function, or why there can be none, in a sentence.</returns>
    public async Task<(string? Text, string? Fault)> MakeAsync(TenantId tenant, long position, IReadOnlySet<string> reads, CancellationToken cancel)
    {
        if (await log.EventAsync(tenant, position, cancel) is not { } one)
        {
            return (null, "The log does not have this event any more.");
        }

        var came = await cascades.ReadArrivedAsync(tenant, one.Arrival, cancel);
        if (came.Count == 0)
        {
            return (null, "It came by the clock, or what it came of is not kept any more: a test says tick(…) for a schedule.");
        }

        // What rules caused is tested by what they were woken by.
        var arrived = one.Cause is null ? one.ChangeSet : came[0].ChangeSet;
        var set = came.Where(change => change.ChangeSet == arrived).ToList();

        var (done, changes, more) = await cascades.ReadRunsAsync(tenant, one.Arrival, 0, MostRuns, cancel);
        if (more)
        {
            return (null, $"It caused more than {MostRuns} runs; write the test by hand, for what matters of it.");
        }

        var ended = done.Where(run => run.Rule is not null).ToList();
        var told = await cascades.ReadToldAsync(tenant, [.. ended.Select(run => run.Id)], cancel);
        var answers = new List<CallRecord>();
        foreach (var run in told.Where(run => run.Calls.Count > 0))
        {
            answers.AddRange(await runs.KeptCallsAsync(tenant, run.Run, cancel));
        }

        var then = new PastTenant(tenant, arrived - 1, past, log);
        var before = new Dictionary<long, IReadOnlyDictionary<string, string>>
        {
            [0] = (await then.KvpsAsync(0, cancel)).Where(kvp => reads.Contains(kvp.Key)).ToDictionary(kvp => kvp.Key, kvp => kvp.Value),
        };
        foreach (var pid in set.Concat(changes).Select(change => change.Pid).Where(pid => pid != 0).Distinct().Take(MostProcesses))
        {
            await AddAsync(pid);
        }

        foreach (var above in before.Values.Select(kvps => RunMoment.Process(kvps.GetValueOrDefault("PARENT"))).Where(pid => pid > 0).Distinct().ToList())
        {
            await AddAsync(above);
        }

        return (TestText.Of(new PastCascade(set, before, ended, changes, told, answers)), null);

        async Task AddAsync(long pid)
        {
            if (!before.ContainsKey(pid) && await then.KvpsAsync(pid, cancel) is { Count: > 0 } kvps)
            {
                before[pid] = kvps;
            }
        }
    }
}
