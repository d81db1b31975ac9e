using System.Globalization;

namespace Eddy.Bench.Report;

/// <summary>What a figure shall be. One that came with errors is not met.</summary>
internal abstract record Aim
{
    public bool? IsMet(Line line) => line.Errors > 0 ? false : Judge(line);

    protected abstract bool? Judge(Line line);

    /// <summary>At least so many times the floor.</summary>
    public sealed record TimesFloor(double Times) : Aim
    {
        protected override bool? Judge(Line line) => line.Ratio >= Times;

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"≥ {Times:0.0} × floor");
    }

    public sealed record AtLeast(double Value) : Aim
    {
        protected override bool? Judge(Line line) => line.Median >= Value;

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"≥ {Value:N0}");
    }

    public sealed record AtMost(double Value) : Aim
    {
        protected override bool? Judge(Line line) => line.Median <= Value;

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"≤ {Value:0.##}");
    }
}
