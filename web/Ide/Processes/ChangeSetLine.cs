using Eddy.Events;
using Eddy.Runs;
using Eddy.Sandbox;

namespace Eddy.Ide.Processes;

/// <summary>A change set of one process as its history shows it.</summary>
/// <param name="Set">Its first position in the log.</param>
/// <param name="Changes">Those that may be seen, in their order.</param>
/// <param name="Hidden">How many there are beside.</param>
/// <param name="Worst">How the worst of the runs that it woke ended; null where it woke none, or they are not known.</param>
public sealed record ChangeSetLine(long Set, DateTimeOffset At, IReadOnlyList<StoredEvent> Changes, int Hidden, RunOutcome? Worst, string? Failed)
{
    public int Count => Changes.Count + Hidden;

    public StoredEvent First => Changes[0];

    /// <summary>The glyph and the word of its worst run, or of how it came.</summary>
    public (string Glyph, string Word) State => Worst switch
    {
        RunOutcome.Failed or RunOutcome.Killed => ("failed", "a rule failed"),
        RunOutcome.Ran => ("ran", "a rule ran"),
        RunOutcome.No => ("no", "rules said no"),
        _ => ("in", "no rule woke"),
    };

    /// <summary>Puts the events of a process, the last first, together by their sets, the last first. Sets of which nothing may be seen are not there.</summary>
    /// <param name="runs">Runs in the process.</param>
    public static IReadOnlyList<ChangeSetLine> Of(IEnumerable<StoredEvent> events, IEnumerable<StoredRun> runs, Func<StoredEvent, bool> mayRead)
    {
        var bySet = runs.ToLookup(run => run.SetPosition);
        return
        [
            .. events.GroupBy(change => change.ChangeSet).OrderByDescending(set => set.Key).Select(set =>
            {
                var shown = set.Where(mayRead).OrderBy(change => change.Position).ToList();
                var worst = bySet[set.Key].OrderByDescending(run => Badness(run.Outcome)).FirstOrDefault();
                return new ChangeSetLine(
                    set.Key, set.First().At, shown, set.Count() - shown.Count, worst?.Outcome, worst is not null && Badness(worst.Outcome) > Badness(RunOutcome.Ran) ? worst.Rule : null);
            }).Where(set => set.Changes.Count > 0),
        ];
    }

    // Ran is worth more to see than said no.
    private static int Badness(RunOutcome outcome) => outcome switch
    {
        RunOutcome.No => 0,
        RunOutcome.Ran => 1,
        RunOutcome.Failed => 2,
        _ => 3,
    };
}
