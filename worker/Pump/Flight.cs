using Eddy.Egress;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Pump;

/// <summary>
/// A run beside the line: it called out, or waits for one of its rule and process that did. It is a waking, committed before its first call goes out; it takes off on a snapshot
/// of the tenant's KVPs, and lands in the line if what it read still holds. Only the lane that has its shard changes it, but for what it brings back.
/// </summary>
/// <param name="waking">The id of its row.</param>
/// <param name="firstRun">The number of its cascade's first run.</param>
public sealed class Flight(TenantId tenant, long waking, OwedRun run, long firstRun, string? tag, string? trace, long treeVersion)
{
    public TenantId Tenant => tenant;

    public long Waking => waking;

    public OwedRun Run => run;

    public long FirstRun => firstRun;

    public string? Tag => tag;

    public string? Trace => trace;

    public FlightState State { get; set; }

    /// <summary>The tenant's position when it took off: what it read is of then.</summary>
    public long Snapshot { get; set; }

    /// <summary>How many files the tenant's runs had saved when it took off.</summary>
    public long Saves { get; set; }

    /// <summary>How often what it had read was changed before it landed.</summary>
    public int Conflicts { get; set; }

    /// <summary>The line waits for it: it had too many conflicts.</summary>
    public bool IsAwaited { get; set; }

    /// <summary>The arrival that it is, where it is what a request of an API script came to: a web did that, and no waking is kept. Null for any other.</summary>
    public LineArrival? Arrival { get; init; }

    /// <summary>When it may take off again after it could not, as a timestamp; 0 for at once.</summary>
    public long NotBefore { get; set; }

    /// <summary>The version of the files that it is run with, at least.</summary>
    public long TreeVersion { get; set; } = treeVersion;

    /// <summary>What came of it.</summary>
    public BesideEnded? Result { get; set; }

    /// <summary>Why nothing came of it. Nobody is to blame, and it takes off again.</summary>
    public Exception? Fault { get; set; }

    /// <summary>Set while it flies; cancelled where what it brings back can not land any more.</summary>
    public CancellationTokenSource? Control { get; set; }

    /// <summary>Its calls, which outlive a conflict.</summary>
    public RecordedCalls Calls { get; } = new();

    public void Begin()
    {
        (Result, Fault) = (null, null);
        Calls.Begin();
    }
}

/// <summary>Where a flight is.</summary>
public enum FlightState
{
    /// <summary>It has not taken off, or has to again.</summary>
    Waiting,

    /// <summary>It is with a cell.</summary>
    Flying,

    /// <summary>It is back, and waits for its place in the line.</summary>
    Landed,
}
