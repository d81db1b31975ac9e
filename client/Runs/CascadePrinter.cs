using Eddy.Client.Server;

namespace Eddy.Client.Runs;

/// <summary>What an event came to, as a tree: the runs that it woke, what each changed, and the runs that this woke.</summary>
public sealed class CascadePrinter(Terminal terminal)
{
    private readonly RunPrinter _printer = new(terminal);

    /// <param name="runs">All of the cascade that are shown.</param>
    /// <param name="more">How many there are beside these.</param>
    public void Print(SettledAnswer settled, IReadOnlyList<RunDetail> runs, int more)
    {
        var woken = runs.ToLookup(run => run.ChangeSet);
        var made = runs.SelectMany(run => run.Changes.Select(change => change.ChangeSet)).ToHashSet();
        var shown = new HashSet<long>();
        foreach (var run in runs.Where(run => !made.Contains(run.ChangeSet)))
        {
            Print(run, woken, shown, settled.Pid, "");
        }

        // What is woken by a change that is not shown, as one that was withheld, stands beside the tree.
        foreach (var run in runs.Where(run => !shown.Contains(run.Id)))
        {
            Print(run, woken, shown, settled.Pid, "");
        }

        if (more > 0)
        {
            terminal.Print(terminal.Dim($"and {more} more runs; eddy logs --pid {settled.Pid}"));
        }
    }

    private void Print(RunDetail run, ILookup<long, RunDetail> woken, HashSet<long> shown, long pid, string indent)
    {
        if (!shown.Add(run.Id))
        {
            return;
        }

        terminal.Print($"{indent}{_printer.Head(run)}");
        var below = indent + "  ";
        foreach (var change in run.Changes)
        {
            _printer.PrintChange(change.Key, change.Deleted ? null : change.Value, change.Pid == pid ? null : change.Pid, below);
        }

        _printer.PrintCalls(run.Calls, below);
        _printer.PrintTold(run.Log, run.Error, run.Effects, below);
        foreach (var next in run.Changes.Select(change => change.ChangeSet).Distinct().SelectMany(set => woken[set]))
        {
            Print(next, woken, shown, pid, below + "  ");
        }
    }
}
