using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace Eddy.Bench.Load;

/// <summary>
/// What this PostgreSQL does at most without Eddy: pgbench, committing one KVP upsert and one event insert in each transaction, in a database of its own
/// in the same cluster, with as many clients as the product has connections.
/// </summary>
internal sealed partial class Floor
{
    public const string Database = "floor";

    private readonly NpgsqlConnectionStringBuilder _server;

    public Floor(BenchDb db, string connectionString)
    {
        _server = new NpgsqlConnectionStringBuilder(connectionString);
        using (var create = db.Source.CreateCommand($"create database {Database}"))
        {
            create.ExecuteNonQuery();
        }

        using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { Database = Database });
        using var tables = source.CreateCommand(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Load", "floor-tables.sql")));
        tables.ExecuteNonQuery();
    }

    /// <summary>Transactions a second.</summary>
    /// <exception cref="BenchFault">pgbench did not say how many, or did none in four times that time either.</exception>
    public double Measure(int clients, int seconds, CancellationToken cancel) =>
        // A disk that stalls for a second leaves a round of a second empty.
        Enumerable.Range(0, 3).Select(turn => Round(clients, seconds << turn, cancel)).FirstOrDefault(found => found > 0) is > 0 and var tps
            ? tps
            : throw new BenchFault($"pgbench did no transaction in {seconds << 2} seconds.");

    private double Round(int clients, int seconds, CancellationToken cancel)
    {
        var output = Tool.Run(
            Program(),
            [
                "-n", "-M", "prepared", "-f", Path.Combine(AppContext.BaseDirectory, "Load", "floor.sql"),
                "-c", clients.ToString(CultureInfo.InvariantCulture), "-j", clients == 1 ? "1" : "2", "-T", seconds.ToString(CultureInfo.InvariantCulture), Database,
            ],
            cancel,
            ("PGHOST", _server.Host!), ("PGUSER", _server.Username!), ("PGPASSWORD", _server.Password!));
        if (output.Contains("actually processed: 0\n", StringComparison.Ordinal))
        {
            return 0;
        }

        var tps = Tps().Match(output);
        return tps.Success ? double.Parse(tps.Groups[1].Value, CultureInfo.InvariantCulture) : throw new BenchFault($"pgbench did not say what it measured: {output}");
    }

    private static string Program() =>
        Directory.Exists("/usr/lib/postgresql")
        && Directory.GetDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin", "pgbench")).Where(File.Exists).Order(StringComparer.Ordinal).LastOrDefault() is { } newest
            ? newest
            : "pgbench";

    [GeneratedRegex(@"tps = ([\d.]+)")]
    private static partial Regex Tps();
}
