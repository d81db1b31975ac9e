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
    private static readonly TimeSpan AppliedWithin = TimeSpan.FromSeconds(10);

    /// <summary>Sets or removes KVPs of a process; the process, and a sentence where it could not be done or is not done yet.</summary>
    /// <param name="pid">Null for a new one, 0 for the shared bag.</param>
    public async Task<(long? Pid, string? Fault)> SetAsync(Seat seat, long? pid, IReadOnlyList<Change> changes, string source, CancellationToken cancel)
    {
        var access = await accesses.OfAsync(seat.Tenant, seat.Access.Actor, cancel);
        if (await access.SetFaultAsync(seat.Tenant, pid, [changes], isList: false, processes, cancel) is { } refusal)
        {
            return (null, refusal.Detail);
        }

        return await door.AcceptAsync([new NewArrival(seat.Tenant, pid, changes, seat.Actor, source, null)], null, WaitFor.Applied, AppliedWithin, cancel) switch
        {
            DoorAnswer.Accepted { Arrivals: [{ Settled: true } done] } => (done.Pid, null),
            DoorAnswer.Accepted { Arrivals: [var waiting] } => (waiting.Pid, "It is accepted and waits its turn; it shows here when it is applied."),
            DoorAnswer.UnknownProcess => (null, $"There is no process {pid} any more."),
            DoorAnswer.TooMany => (null, "More of this tenant's events are waiting than may. Try again in a moment."),
            DoorAnswer.Refused refused => (null, refused.Reason),
            DoorAnswer.Unavailable unavailable => (null, unavailable.Why),
            var other => throw new InvalidOperationException($"The door answered {other.GetType().Name}."),
        };
    }
}
