namespace Eddy.Bench.Report;

/// <summary>What one line of the table counts in.</summary>
internal enum Unit
{
    PerSecond,
    Milliseconds,
    Microseconds,
    Megabytes,
    Bytes,
    Times,
}

/// <summary>One figure of the table: its value in each round, the floor that it is set against, and what is aimed at.</summary>
internal sealed class Line(string @case, string figure, Unit unit, Line? floor, Aim? aim)
{
    private readonly List<double> _values = [];

    public string Case { get; } = @case;

    public string Figure { get; } = figure;

    public Unit Unit { get; } = unit;

    public Line? Floor { get; } = floor;

    public Aim? Aim { get; } = aim;

    /// <summary>One a round.</summary>
    public IReadOnlyList<double> Values => _values;

    /// <summary>Requests that failed, runs that did, and events that the log lacks or has too many, over all rounds.</summary>
    public long Errors { get; private set; }

    public double Median => MedianOf(_values);

    /// <summary>The median of the rounds' ratios, for a round's floor was measured beside it.</summary>
    public double? Ratio => Floor is null || Floor.Values.Count != _values.Count ? null : MedianOf([.. _values.Zip(Floor.Values, (value, floor) => value / floor)]);

    /// <summary>Null where nothing is aimed at.</summary>
    public bool? IsMet => Aim?.IsMet(this);

    public void Add(double value, long errors = 0)
    {
        _values.Add(value);
        Errors += errors;
    }

    internal static double MedianOf(IReadOnlyList<double> values)
    {
        var sorted = values.Order().ToList();
        var middle = sorted.Count / 2;
        return sorted.Count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
