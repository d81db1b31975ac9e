using System.Security.Cryptography;
using System.Text;
using Eddy.Access;
using Eddy.Events;
using Eddy.Ingest;
using Eddy.Keys;
using Eddy.Kvps;
using Eddy.Problems;
using Eddy.Processes;
using Eddy.Tenants;

namespace Eddy.Hindsight;

/// <summary>
/// Replays events for whoever may set what they set: the change sets that they belong to come in once more, in the order of the log, all of them or none, by the door as everything does.
/// </summary>
public sealed class ReplayDesk(EventStore events, ProcessStore processes, Door door, DoorOptions limits)
{
    /// <summary>As many events are replayed at once.</summary>
    public const int Most = 200;

    /// <param name="positions">Of the events; those of one change set stand for it.</param>
    /// <param name="tells">Mails and cards of its runs go out, and calls.</param>
    /// <param name="key">The same where it is asked for again because nobody knows whether it was taken: it is taken once. Null where that does not matter.</param>
    /// <returns>What was replayed, or why nothing was.</returns>
    public async Task<(IReadOnlyList<Replayed>? Replays, Problem? Refusal)> ReplayAsync(
        TenantId tenant, ActorAccess access, string actor, IReadOnlyCollection<long> positions, bool tells, string? key, CancellationToken cancel)
    {
        if (positions.Count is 0 or > Most)
        {
            return (null, new Problem(ProblemType.InvalidRequest, $"1 to {Most} events are replayed at once."));
        }

        var stored = await events.ReadSetsAsync(tenant, positions, cancel);
        var readable = (await access.ReadableAsync(tenant, stored, processes, cancel)).ToHashSet();
        var hidden = stored.Where(one => !readable.Contains(one)).Select(one => one.ChangeSet).ToHashSet();
        var known = stored.Where(one => !hidden.Contains(one.ChangeSet)).Select(one => one.Position).ToHashSet();
        if (positions.Where(position => !known.Contains(position)).Order().Select(position => (long?)position).FirstOrDefault() is { } missing)
        {
            return (null, new Problem(ProblemType.NotFound, access.MayAll ? $"There is no event {missing}." : $"There is no event {missing}, or {access.Actor.Name} may not read all that came with it."));
        }

        var there = await processes.KindsAsync(tenant, [.. stored.Select(one => one.Pid).Where(pid => pid > 0).Distinct()], cancel);
        if (stored.FirstOrDefault(one => one.Pid > 0 && !there.ContainsKey(one.Pid)) is { } gone)
        {
            return (null, Gone(gone.Pid));
        }

        var sets = stored.GroupBy(one => (one.ChangeSet, one.Pid)).ToList();
        foreach (var set in sets)
        {
            if (set.Count() > limits.Kvps)
            {
                return (null, new Problem(ProblemType.TooMany, $"What came with event {set.First().Position} set {set.Count()} KVPs; the limit of what comes in at once is {limits.Kvps}."));
            }
        }

        foreach (var process in sets.GroupBy(set => set.Key.Pid))
        {
            if (await access.SetFaultAsync(tenant, process.Key, [.. process.Select(Changes)], isList: false, processes, cancel) is { } denied)
            {
                return (null, new Problem(ProblemType.NotAllowed, denied.Detail!));
            }
        }

        var arrivals = sets.ConvertAll(set => new NewArrival(tenant, set.Key.Pid, Changes(set), actor, Replay.SourceOf(set.First().Position), null) { IsQuiet = !tells });
        var fingerprint = SHA256.HashData(Encoding.UTF8.GetBytes($"replay {tells} {string.Join(' ', positions.Order())}"));
        return await door.AcceptAsync(arrivals, key is null ? null : new Idempotency(key, fingerprint), WaitFor.Nothing, TimeSpan.Zero, cancel) switch
        {
            DoorAnswer.Accepted accepted => ([.. accepted.Arrivals.Select((arrival, i) => new Replayed(sets[i].First().Position, arrival.Pid, arrival.Arrival))], null),
            DoorAnswer.UnknownProcess unknown => (null, Gone(unknown.Pid)),
            DoorAnswer.Mismatch => (null, new Problem(ProblemType.IdempotencyMismatch, "The first request with this Idempotency-Key asked for something else.")),
            var other => (null, IngestApi.ProblemOf(other)),
        };
    }

    private static Problem Gone(long pid) => new(ProblemType.UnknownProcess, $"Process {pid} is not there any more, so nothing is replayed.");

    private static List<Change> Changes(IEnumerable<StoredEvent> set) => [.. set.Select(one => new Change(one.Key, one.Value is null ? null : KvpValue.Stored(one.Value)))];
}

/// <summary>A change set that comes in once more.</summary>
/// <param name="Of">The position of its first event in this process, which is what the new events say in their source.</param>
public sealed record Replayed(long Of, long Pid, Guid Arrival);
