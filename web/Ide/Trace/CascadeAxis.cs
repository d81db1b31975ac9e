using Eddy.Cascades;

namespace Eddy.Ide.Trace;

/// <summary>
/// When the runs of a cascade ran, from its beginning. The record says when their turn of the line began, and how long each took; within a turn they ran one after another. A run
/// that called out ended when its turn began, for it ran beside the line.
/// </summary>
public sealed record CascadeAxis(TimeSpan Length, IReadOnlyDictionary<long, (TimeSpan From, TimeSpan Length)> Runs)
{
    /// <param name="told">Whom runs called, by their numbers.</param>
    public static CascadeAxis Of(ArrivalTree tree, IReadOnlyDictionary<long, RunTold> told)
    {
        var spans = new Dictionary<long, (TimeSpan, TimeSpan)>();
        var (length, cursor) = (TimeSpan.Zero, TimeSpan.Zero);
        foreach (var run in tree.Runs.Where(one => one is { Run: not null, Place: 0 }).Select(one => one.Run!).OrderBy(run => run.Id))
        {
            var turn = Max(run.At - tree.At, TimeSpan.Zero);
            var isBeside = told.GetValueOrDefault(run.Id) is { Calls.Count: > 0 };
            var from = isBeside ? Max(turn - run.Elapsed, TimeSpan.Zero) : Max(turn, cursor);
            spans[run.Id] = (from, run.Elapsed);
            cursor = isBeside ? Max(cursor, turn) : from + run.Elapsed;
            length = Max(length, from + run.Elapsed);
        }

        return new CascadeAxis(length, spans);
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
