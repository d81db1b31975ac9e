using System.Diagnostics.Metrics;

namespace Eddy.Schedules;

/// <summary>What the clock counts.</summary>
public sealed class DripMeters
{
    private readonly Counter<long> _due;
    private readonly Histogram<double> _late;

    public DripMeters(IMeterFactory meters)
    {
        var meter = meters.Create("Eddy.Schedules");
        _due = meter.CreateCounter<long>("eddy_drips", description: "Drips that were due, by outcome.");
        _late = meter.CreateHistogram<double>("eddy_drip_late", "s", "How long after they were due drips were seen to: the longest of each chunk.");
    }

    public void Noted(IReadOnlyCollection<DripTurn> turns, DateTimeOffset now)
    {
        foreach (var outcome in turns.GroupBy(turn => turn.Outcome))
        {
            _due.Add(outcome.Count(), new KeyValuePair<string, object?>("outcome", outcome.Key));
        }

        _late.Record((now - turns.Min(turn => turn.Drip.Due)).TotalSeconds);
    }
}
