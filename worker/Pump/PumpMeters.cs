using System.Diagnostics.Metrics;

namespace Eddy.Pump;

/// <summary>What the pump counts: by slice, never by event, for a count of each would cost more than the work.</summary>
public sealed class PumpMeters
{
    private static readonly string[] Outcomes = ["no", "ran", "failed", "killed"];

    private readonly Counter<long> _events;
    private readonly Counter<long> _applied;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _runs;
    private readonly Histogram<double> _commit;
    private readonly Histogram<double> _run;
    private long _appliedCount;

    public PumpMeters(IMeterFactory meters)
    {
        var meter = meters.Create("Eddy.Pump");
        _events = meter.CreateCounter<long>("eddy_events", description: "Changes that were written to the log.");
        _applied = meter.CreateCounter<long>("eddy_applied", description: "Arrivals that were applied.");
        _refused = meter.CreateCounter<long>("eddy_arrivals_refused", description: "Arrivals that could not be applied.");
        _runs = meter.CreateCounter<long>("eddy_runs", description: "Runs, by outcome.");
        _commit = meter.CreateHistogram<double>("eddy_slice_commit", "s", "How long the commit of a slice took.");
        _run = meter.CreateHistogram<double>("eddy_run", "s", "How long runs took: the longest of each slice.");
        meter.CreateObservableGauge("eddy_pump_lag", () => Lag.TotalSeconds, "s", "How long the oldest arrival of this worker's shards has waited.");
    }

    /// <summary>Set by the meter of backlogs.</summary>
    public TimeSpan Lag { get; set; }

    /// <summary>Arrivals applied since the start.</summary>
    public long Applied => Volatile.Read(ref _appliedCount);

    public void Committed(SliceRows rows, List<Turn> turns, int[] outcomes, TimeSpan took)
    {
        _commit.Record(took.TotalSeconds);
        _events.Add(rows.Events.Tenants.Count);
        var done = rows.Done.Count - rows.Refused.Tenants.Count;
        _applied.Add(done);
        Interlocked.Add(ref _appliedCount, done);
        if (rows.Refused.Tenants.Count > 0)
        {
            _refused.Add(rows.Refused.Tenants.Count);
        }

        for (var i = 0; i < outcomes.Length; i++)
        {
            if (outcomes[i] > 0)
            {
                _runs.Add(outcomes[i], new KeyValuePair<string, object?>("outcome", Outcomes[i]));
            }
        }

        if (rows.Runs.Elapsed.Count > 0)
        {
            _run.Record(rows.Runs.Elapsed.Max() / 1e6);
        }

        RunSpans.Record(rows, turns);
    }
}
