using Npgsql;

namespace Eddy.Bench.Load;

/// <summary>The product's database, seen by its superuser: the bench makes tenants in bulk and reads from the log what was really applied.</summary>
internal sealed class BenchDb(string connectionString, CancellationToken cancel) : IDisposable
{
    private static readonly TimeSpan DrainPatience = TimeSpan.FromMinutes(2);

    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(connectionString);

    public NpgsqlDataSource Source => _source;

    public string ServerVersion
    {
        get
        {
            using var show = _source.CreateCommand("show server_version");
            return (string)show.ExecuteScalar()!;
        }
    }

    /// <summary>How many events and runs the logs of these tenants have, together.</summary>
    public (long Events, long Runs) Log(Guid[] tenants)
    {
        using var read = _source.CreateCommand("select coalesce(sum(position), 0)::bigint, coalesce(sum(run), 0)::bigint from heads where tenant_id = any($1)");
        read.Parameters.Add(new() { Value = tenants });
        using var rows = read.ExecuteReader();
        rows.Read();
        return (rows.GetInt64(0), rows.GetInt64(1));
    }

    /// <summary>How many of these tenants' runs were refused, failed or killed.</summary>
    public long Failures(Guid[] tenants)
    {
        using var read = _source.CreateCommand(
            "select (select count(*) from runs where tenant_id = any($1) and outcome > 1) + (select count(*) from refused where tenant_id = any($1))");
        read.Parameters.Add(new() { Value = tenants });
        return (long)read.ExecuteScalar()!;
    }

    /// <summary>How long the oldest arrival has waited.</summary>
    public TimeSpan Lag()
    {
        using var read = _source.CreateCommand("select coalesce(clock_timestamp() - oldest_arrival(), interval '0')");
        return (TimeSpan)read.ExecuteScalar()!;
    }

    /// <summary>Waits until nothing waits in the line and no run is owed; says how long that took.</summary>
    public TimeSpan Drain()
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using (var read = _source.CreateCommand("select exists (select from arrivals) or exists (select from wakings)"))
            {
                if (!(bool)read.ExecuteScalar()!)
                {
                    return TimeProvider.System.GetElapsedTime(started);
                }
            }

            cancel.ThrowIfCancellationRequested();
            if (TimeProvider.System.GetElapsedTime(started) > DrainPatience)
            {
                throw new BenchFault($"Arrivals or owed runs are left after {DrainPatience.TotalMinutes} minutes.");
            }

            cancel.WaitHandle.WaitOne(5);
        }
    }

    /// <summary>Throws away what waits. Only while the worker is paused.</summary>
    public void EmptyLine()
    {
        using var truncate = _source.CreateCommand("truncate arrivals");
        truncate.ExecuteNonQuery();
    }

    public void Dispose() => _source.Dispose();
}
