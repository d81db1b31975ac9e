using Eddy.Cascades;
using Eddy.Events;
using Eddy.Identity;
using Eddy.Keys;
using Eddy.Processes;
using Eddy.Quarantine;
using Eddy.Runs;

namespace Eddy.Ide.Trace;

/// <summary>
/// Takes away from events and runs what a seat may not see, before a screen holds them. A change that may not be read stays as one without key, values and actor; of a run
/// whoever may not change rules keeps that it failed, and not with what.
/// </summary>
public sealed class TraceJudge(ProcessStore processes, CascadeStore cascades)
{
    public async Task<IReadOnlyList<StoredEvent>> JudgeAsync(Seat seat, IReadOnlyList<StoredEvent> events, CancellationToken cancel)
    {
        if (seat.MayAll)
        {
            return events;
        }

        var readable = (await seat.Access.ReadableAsync(seat.Tenant, events, processes, cancel)).Select(one => one.Position).ToHashSet();
        return [.. events.Select(one => readable.Contains(one.Position) ? one : one with { Key = "", Value = null, Previous = null, Actor = "" })];
    }

    public static IEnumerable<StoredRun> Judge(Seat seat, IEnumerable<StoredRun> runs) => seat.MayChangeRules ? runs : runs.Select(run => run with { Log = null, Error = null, Calls = null });

    /// <summary>What is put off and in quarantine; of the latter whoever may not change rules keeps no error.</summary>
    public async Task<(IReadOnlyList<DeferredRun> Deferred, IReadOnlyList<QuarantinedRun> Quarantined)> StandingAsync(Seat seat, CancellationToken cancel)
    {
        var (deferred, quarantined) = await cascades.ReadStandingAsync(seat.Tenant, cancel);
        // A stream may be named by a value.
        return seat.MayChangeRules ? (deferred, quarantined)
            : ([.. deferred.Select(one => one with { Stream = "" })], [.. quarantined.Select(one => one with { Error = null, Actor = "" })]);
    }

    /// <summary>What these runs told beside their changes: nothing for whoever may not change rules, for it may hold any KVP.</summary>
    public Task<IReadOnlyList<RunTold>> ToldAsync(Seat seat, IReadOnlyCollection<long> runs, CancellationToken cancel) =>
        seat.MayChangeRules ? cascades.ReadToldAsync(seat.Tenant, runs, cancel) : Task.FromResult<IReadOnlyList<RunTold>>([]);
}
