using Eddy.Bench.Cases;
using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench;

/// <summary>One measurement from start to end: the product comes up, each round measures all cases in turn, the product goes.</summary>
internal static class Measurement
{
    /// <summary>What a machine may do besides, where figures are to be believed.</summary>
    private const double QuietShare = 0.05;

    /// <summary>The file of the table.</summary>
    public static string Run(string root, string folder, BenchPlan plan, IReadOnlyList<ICase> cases, CancellationToken cancel)
    {
        var home = Path.Combine(root, "artifacts", $"bench-home-{Environment.ProcessId}");
        var busy = MachineCpu.BusyNow(cancel);
        if (busy > QuietShare)
        {
            Say($"others keep {busy:P0} of this machine busy: what is measured now is too low");
        }

        Say("starting Eddy");
        using var product = Product.Start(root, home, cancel);
        var connection = product.Connection("eddy", cancel);
        using var db = new BenchDb(connection, cancel);
        var machine = Machine.Read(root, busy, db.ServerVersion, cancel);
        var stage = new Stage(product, db, connection, plan, new Sheet(), cancel);
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
