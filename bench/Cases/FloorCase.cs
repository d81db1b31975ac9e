using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench.Cases;

/// <summary>What the same PostgreSQL does without Eddy.</summary>
internal sealed class FloorCase : ICase
{
    private static readonly int[] Clients = [1, 16, 64];

    private Floor? _floor;

    public string Name => "floor";

    /// <summary>The floor for so many connections; null where there is none, or it was not measured.</summary>
    public static Line? For(Stage stage, int connections) => stage.Sheet.Find("floor", Figure(connections));

    public void Measure(Stage stage)
    {
        _floor ??= new Floor(stage.Db, stage.ConnectionString);
        foreach (var clients in Clients)
        {
            stage.Sheet.Line(Name, Figure(clients), Unit.PerSecond).Add(_floor.Measure(clients, stage.Plan.Short, stage.Cancel));
        }
    }

    private static string Figure(int clients) => $"pgbench, one upsert and one insert a transaction, {clients} {(clients == 1 ? "client" : "clients")}";
}
