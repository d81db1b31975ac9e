using System.Globalization;
using System.Text;
using Npgsql;

namespace Eddy.Pump;

/// <summary>
/// Tells the doors how much waits and how fast it is cleared, while something does, so that they slow down whoever brings more than that. Rests while the
/// line is empty, and takes the longer between two looks the longer a look takes.
/// </summary>
internal sealed class BacklogMeter(Pump pump, NpgsqlDataSource source, PumpMeters meters, TimeProvider time, ILogger log)
{
    /// <summary>Tenants with fewer arrivals waiting than this are not told of.</summary>
    private const int Many = 200;

    /// <summary>With fewer arrivals a second than this, nobody has to hurry.</summary>
    private const int Busy = 500;

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(200);

    public async Task RunAsync(CancellationToken cancel)
    {
        var (appliedBefore, measuredAt, rate) = (meters.Applied, time.GetTimestamp(), 0.0);
        var pause = Quiet;
        while (!cancel.IsCancellationRequested)
        {
            await Task.Delay(pause, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                var applied = meters.Applied;
                var elapsed = time.GetElapsedTime(measuredAt);
                measuredAt = time.GetTimestamp();
                var now = (applied - appliedBefore) / elapsed.TotalSeconds;
                appliedBefore = applied;

                var started = time.GetTimestamp();
                var (waiting, news) = await LookAsync(cancel);
                // While the line is not empty, what was cleared is what can be cleared. A flood is cleared more slowly than what came before it, and what the doors
                // took for cleared meanwhile would be waiting.
                rate = waiting > Many ? (rate == 0 ? now : (rate + now) / 2) : Math.Max(rate, now);
                // Also that nothing waits any more is news, for the doors count what they add.
                if (waiting > 0 || now > 0)
                {
                    await TellAsync(rate, news, cancel);
                }

                var look = time.GetElapsedTime(started) * 20;
                pause = waiting < Many && now < Busy ? Quiet : look < Shortest ? Shortest : look > Longest ? Longest : look;
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException)
            {
                log.LogDebug(fault, "The backlog could not be measured");
                pause = Quiet;
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task<(long Waiting, string News)> LookAsync(CancellationToken cancel)
    {
        var waiting = 0L;
        var shards = pump.Shards.ToArray();
        // The doors take what it says of these shards, and leave what other workers said of theirs.
        var news = new StringBuilder().Append(CultureInfo.InvariantCulture, $"|{shards.Aggregate(0UL, static (bits, shard) => bits | 1UL << shard):x}");
        await using (var look = source.CreateCommand("select tenant_id, waiting from backlogs($1, $2)"))
        {
            look.Parameters.Add(new() { Value = shards });
            look.Parameters.Add(new() { Value = Many });
            await using var rows = await look.ExecuteReaderAsync(cancel);
            while (await rows.ReadAsync(cancel))
            {
                if (rows.IsDBNull(0))
                {
                    waiting = rows.GetInt64(1);
                }
                else
                {
                    news.Append(CultureInfo.InvariantCulture, $"|{rows.GetGuid(0):N}={rows.GetInt64(1)}");
                }
            }
        }

        await using var oldest = source.CreateCommand("select oldest_arrival()");
        meters.Lag = waiting > 0 && await oldest.ExecuteScalarAsync(cancel) is DateTime at ? time.GetUtcNow().UtcDateTime - at : TimeSpan.Zero;
        return (waiting, news.ToString());
    }

    private async Task TellAsync(double rate, string news, CancellationToken cancel)
    {
        await using var tell = source.CreateCommand("select pg_notify('eddy_backlog', $1)");
        tell.Parameters.Add(new() { Value = string.Create(CultureInfo.InvariantCulture, $"{pump.Worker:N}|{rate:F0}{news}") });
        await tell.ExecuteNonQueryAsync(cancel);
    }
}
