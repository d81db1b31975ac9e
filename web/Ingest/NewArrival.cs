using Eddy.Kvps;
using Eddy.Runs;
using Eddy.Tenants;

namespace Eddy.Ingest;

/// <summary>What a door hands in: KVPs that shall become one change set of one process, all or nothing.</summary>
/// <param name="Pid">The process; null for a new one, 0 for the shared bag.</param>
/// <param name="Actor">Who causes it, as in <c>key:sensors</c>.</param>
/// <param name="Source">By which door, as in <c>post</c>.</param>
/// <param name="Trace">The W3C traceparent that its runs continue; null for none.</param>
public sealed record NewArrival(TenantId Tenant, long? Pid, IReadOnlyList<Change> Changes, string Actor, string Source, string? Trace)
{
    /// <summary>As in <see cref="Hindsight.Replay.IsQuiet"/>.</summary>
    public bool IsQuiet { get; init; }
}

/// <summary>For what a caller waits. Applied: in the log and the KVPs. Settled: all that it causes is, too.</summary>
public enum WaitFor
{
    Nothing,
    Applied,
    Settled,
}

/// <summary>A caller's name for a request, so that it is taken once however often it is sent; with a digest of what was sent.</summary>
public sealed record Idempotency(string Key, byte[] Fingerprint);

/// <summary>An arrival that is durable.</summary>
/// <param name="Settled">What was waited for has come. False too where nothing was waited for.</param>
/// <param name="Runs">The numbers of the runs that it caused, where that was waited for and is known.</param>
/// <param name="Came">What it came to, where that was waited for and told.</param>
public sealed record AcceptedArrival(Guid Arrival, long Pid, RunRange? Runs, Settlement? Came, bool Settled);

/// <summary>Numbers of runs, both ends included; empty where <see cref="Last"/> is less than <see cref="First"/>.</summary>
public readonly record struct RunRange(long First, long Last);

/// <summary>What became of what a request of an API script came to.</summary>
public abstract record LandingAnswer
{
    private LandingAnswer()
    {
    }

    /// <summary>It is in force.</summary>
    public sealed record Landed : LandingAnswer;

    /// <summary>What it depends on has changed: nothing of it is in force, and the request is to be answered anew.</summary>
    public sealed record Conflict : LandingAnswer;

    /// <summary>It can not be applied.</summary>
    public sealed record Refused(string Reason) : LandingAnswer;

    /// <summary>The tenant has more waiting than it may.</summary>
    public sealed record TooMany(TimeSpan RetryAfter) : LandingAnswer;
}

/// <summary>What became of a request at the door. Anything but <see cref="Accepted"/> left nothing behind.</summary>
public abstract record DoorAnswer
{
    private DoorAnswer()
    {
    }

    /// <summary>All of it is durable.</summary>
    public sealed record Accepted(IReadOnlyList<AcceptedArrival> Arrivals) : DoorAnswer;

    /// <summary>The process that it names is not there.</summary>
    public sealed record UnknownProcess(long Pid) : DoorAnswer;

    /// <summary>The tenant has more waiting than it may.</summary>
    public sealed record TooMany(TimeSpan RetryAfter) : DoorAnswer;

    /// <summary>Its idempotency key was used for something else.</summary>
    public sealed record Mismatch : DoorAnswer;

    /// <summary>The database could not be reached. Whether it was taken is not known; with an idempotency key it can be sent again.</summary>
    public sealed record Unavailable(string Why) : DoorAnswer;

    /// <summary>It was accepted, and when its turn came it could not be applied.</summary>
    public sealed record Refused(string Reason) : DoorAnswer;
}
