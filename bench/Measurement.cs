using Eddy.Bench.Cases;
using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench;

/// <summary>One measurement from start to end: the product comes up where a case needs it, each round measures all cases in turn, the product goes.</summary>
internal static class Measurement
{
    /// <summary>What a machine may do besides, where figures are to be believed.</summary>
    private const double QuietShare = 0.05;

    /// <summary>The file of the table.</summary>
    public static string Run(string root, string folder, BenchPlan plan, IReadOnlyList<ICase> cases, CancellationToken cancel)
    {
        var busy = MachineCpu.BusyNow(cancel);
        if (busy > QuietShare)
        {
            Say($"others keep {busy:P0} of this machine busy: what is measured now is too low");
        }

        var machine = Machine.Read(root, busy, cancel);
        using var stage = new Stage(root, plan, cancel);
        if (cases.Any(one => one.NeedsProduct))
        {
            Say("starting Eddy");
            machine = machine with { Postgres = stage.Db.ServerVersion };
        }

        for (var round = 1; round <= plan.Rounds; round++)
        {
            foreach (var one in cases)
            {
                Say($"round {round} of {plan.Rounds}: {one.Name}");
                one.Measure(stage);
            }
        }

        return Writer.Write(folder, machine, plan, stage.Sheet);
    }

    private static void Say(string text) => Console.Error.WriteLine(text);
}
