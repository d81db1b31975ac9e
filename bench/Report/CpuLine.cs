using Eddy.Bench.Load;

namespace Eddy.Bench.Report;

/// <summary>What one load cost: microseconds of CPU per event, by process, one measurement a round.</summary>
internal sealed class CpuLine(string @case, string load)
{
    private readonly List<CpuClock> _values = [];

    public string Case { get; } = @case;

    public string Load { get; } = load;

    public double Web => Median(used => used.Web);

    public double Worker => Median(used => used.Worker);

    public double Cells => Median(used => used.Cells);

    public double Postgres => Median(used => used.Postgres);

    /// <summary>wrk, or the bench itself.</summary>
    public double Generator => Median(used => used.Load);

    /// <summary>The kernel's own work, the bench's looks at the line, and whatever else the machine did: where this is large, others disturbed the measurement.</summary>
    public double Others => Median(used => used.Machine - used.Web - used.Worker - used.Cells - used.Postgres - used.Load);

    public void Add(CpuClock perEvent) => _values.Add(perEvent);

    private double Median(Func<CpuClock, double> part) => Line.MedianOf([.. _values.Select(part)]);
}
