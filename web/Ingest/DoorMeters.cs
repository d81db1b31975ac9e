using System.Diagnostics.Metrics;

namespace Eddy.Ingest;

/// <summary>What the door counts.</summary>
public sealed class DoorMeters
{
    private readonly Counter<long> _arrivals;
    private readonly Histogram<double> _commit;
    private readonly Counter<long> _refused;

    public DoorMeters(IMeterFactory meters)
    {
        var meter = meters.Create("Eddy.Door");
        _arrivals = meter.CreateCounter<long>("eddy_arrivals", description: "Arrivals that were made durable.");
        _commit = meter.CreateHistogram<double>("eddy_door_commit", "s", "How long a flush of arrivals took.");
        _refused = meter.CreateCounter<long>("eddy_refusals", description: "Requests that the door turned away, by status.");
    }

    public void Flushed(int arrivals, TimeSpan took)
    {
        _arrivals.Add(arrivals);
        _commit.Record(took.TotalSeconds);
    }

    public void Refused(int status) => _refused.Add(1, new KeyValuePair<string, object?>("status", status));
}
