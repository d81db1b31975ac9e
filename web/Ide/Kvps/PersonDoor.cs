using System.Security.Cryptography;
using System.Text;
using Eddy.Access;
using Eddy.Identity;
using Eddy.Ingest;
using Eddy.Keys;
using Eddy.Kvps;
using Eddy.Processes;

namespace Eddy.Ide.Kvps;

/// <summary>The door for people at their screens: what they set is judged by what they may at that moment, and goes the way of every event, with them as its actor.</summary>
public sealed class PersonDoor(Door door, ProcessStore processes, AccessStore accesses)
{
    /// <summary>For so long it is waited.</summary>
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(5);

    /// <summary>The place of which rights are asked; null for a new process.</summary>
    /// <param name="pid">Null for a new one, 0 for the shared bag.</param>
    public async Task<KvpPlace?> PlaceAsync(Seat seat, long? pid, CancellationToken cancel) => pid switch
    {
        null => null,
        0 => KvpPlace.Shared,
        _ => KvpPlace.Process(await processes.KindInLineAsync(seat.Tenant, pid.Value, cancel)),
    };

    /// <summary>Sets or removes KVPs of a process.</summary>
    /// <param name="pid">Null for a new one, 0 for the shared bag.</param>
    /// <param name="attempt">The same where it is tried again because nobody knows whether it was taken: it is taken once.</param>
    public async Task<PersonAnswer> SendAsync(Seat seat, long? pid, IReadOnlyList<Change> changes, string source, Guid attempt, WaitFor wait, CancellationToken cancel)
    {
        var access = await accesses.OfAsync(seat.Tenant, seat.Access.Actor, cancel);
        if (await access.SetFaultAsync(seat.Tenant, pid, [changes], isList: false, processes, cancel) is { } denied)
        {
            return new PersonAnswer.Refused(denied.Detail!, false);
        }

        var fingerprint = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', changes.Select(change => $"{change.Key}:{change.Value}").Prepend($"{pid}"))));
        return await door.AcceptAsync(
            [new NewArrival(seat.Tenant, pid, changes, seat.Actor, source, null)], new Idempotency($"{source}-{attempt:N}", fingerprint), wait, wait == WaitFor.Nothing ? TimeSpan.Zero : Wait, cancel) switch
        {
            DoorAnswer.Accepted { Arrivals: [var one] } => new PersonAnswer.Taken(one.Arrival, one.Pid, one.Settled, one.Runs is { } runs ? Math.Max(0, runs.Last - runs.First + 1) : null),
            DoorAnswer.UnknownProcess unknown => new PersonAnswer.Refused($"There is no process {unknown.Pid}. Choose another, or a new one.", false),
            DoorAnswer.TooMany => new PersonAnswer.Refused("More of this tenant's events are waiting than may. Send it again in a moment.", true),
            DoorAnswer.Refused refused => new PersonAnswer.Refused(refused.Reason, false),
            DoorAnswer.Unavailable unavailable => new PersonAnswer.Refused($"{unavailable.Why} Send it again: it is taken once.", true),
            var other => throw new InvalidOperationException($"The door answered {other.GetType().Name}."),
        };
    }
}

/// <summary>What became of what somebody sent.</summary>
public abstract record PersonAnswer
{
    private PersonAnswer()
    {
    }

    /// <summary>A sentence where it could not be done, or is not done yet; null where it is done.</summary>
    public abstract string? Fault { get; }

    /// <param name="IsDone">What was waited for has happened.</param>
    /// <param name="Runs">How many records of runs it caused; null where that is not known yet.</param>
    public sealed record Taken(Guid Arrival, long Pid, bool IsDone, long? Runs) : PersonAnswer
    {
        public override string? Fault => IsDone ? null : "It is accepted and waits its turn; it shows here when it is applied.";
    }

    /// <param name="MayBeTaken">Nobody knows: it may be sent again as the same attempt.</param>
    public sealed record Refused(string Why, bool MayBeTaken) : PersonAnswer
    {
        public override string? Fault => Why;
    }
}
