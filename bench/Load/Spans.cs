namespace Eddy.Bench.Load;

/// <summary>How long the same thing took, time after time.</summary>
internal sealed class Spans
{
    private readonly List<TimeSpan> _spans = [];

    public int Count => _spans.Count;

    public TimeSpan P50 => At(50);

    public TimeSpan P99 => At(99);

    public void Add(TimeSpan span) => _spans.Add(span);

    private TimeSpan At(int percent) => _spans.Order().ElementAt(Math.Min(_spans.Count - 1, _spans.Count * percent / 100));
}
