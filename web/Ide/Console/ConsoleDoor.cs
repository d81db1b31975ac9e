using System.Security.Cryptography;
using System.Text;
using Eddy.Access;
using Eddy.Identity;
using Eddy.Ingest;
using Eddy.Keys;
using Eddy.Kvps;
using Eddy.Processes;

namespace Eddy.Ide.Console;

/// <summary>Sends in what somebody wrote in the console, as them.</summary>
public sealed class ConsoleDoor(Door door, ProcessStore processes)
{
    public const string Source = "console";

    /// <summary>For so long it is waited until all that it causes is there.</summary>
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(5);

    /// <summary>The place of which rights are asked; null for a new process.</summary>
    public async Task<KvpPlace?> PlaceAsync(Seat seat, ConsoleTarget target, CancellationToken cancel) => target.Pid switch
    {
        null => null,
        0 => KvpPlace.Shared,
        { } pid => KvpPlace.Process(await processes.KindInLineAsync(seat.Tenant, pid, cancel)),
    };

    /// <param name="attempt">The same where it is tried again because nobody knows whether it was taken: it is taken once.</param>
    public async Task<ConsoleAnswer> SendAsync(Seat seat, ConsoleTarget target, IReadOnlyList<Change> changes, Guid attempt, CancellationToken cancel)
    {
        if (await seat.Access.SetFaultAsync(seat.Tenant, target.Pid, [changes], false, processes, cancel) is { } denied)
        {
            return new ConsoleAnswer.Refused(denied.Detail!, false);
        }

        var fingerprint = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', changes.Select(change => $"{change.Key}:{change.Value}").Prepend($"{target.Pid}"))));
        var answer = await door.AcceptAsync(
            [new NewArrival(seat.Tenant, target.Pid, changes, seat.Actor, Source, null)], new Idempotency($"console-{attempt:N}", fingerprint), WaitFor.Settled, Wait, cancel);
        return answer switch
        {
            DoorAnswer.Accepted { Arrivals: [var one] } => new ConsoleAnswer.Taken(one.Arrival, one.Pid, one.Settled, one.Runs is { } runs ? Math.Max(0, runs.Last - runs.First + 1) : null),
            DoorAnswer.UnknownProcess unknown => new ConsoleAnswer.Refused($"There is no process {unknown.Pid}. Choose another, or a new one.", false),
            DoorAnswer.TooMany => new ConsoleAnswer.Refused("More of this tenant's events are waiting than may. Send it again in a moment.", true),
            DoorAnswer.Refused refused => new ConsoleAnswer.Refused(refused.Reason, false),
            DoorAnswer.Unavailable unavailable => new ConsoleAnswer.Refused($"{unavailable.Why} Send it again: it is taken once.", true),
            _ => new ConsoleAnswer.Refused("It was not taken. Send it again.", false),
        };
    }
}

/// <summary>What became of what was sent.</summary>
public abstract record ConsoleAnswer
{
    private ConsoleAnswer()
    {
    }

    /// <param name="Settled">All that it caused is there.</param>
    /// <param name="Runs">How many records of runs it caused; null where that is not known yet.</param>
    public sealed record Taken(Guid Arrival, long Pid, bool Settled, long? Runs) : ConsoleAnswer;

    /// <param name="MayBeTaken">It may be sent again as the same attempt.</param>
    public sealed record Refused(string Why, bool MayBeTaken) : ConsoleAnswer;
}
