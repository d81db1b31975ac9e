using Npgsql;

namespace Eddy.Schedules;

/// <summary>
/// Wakes when a drip is due, and sees to all that are. Every worker has one; which of them gets to a drip first does not matter. What is saved meanwhile is looked for each
/// <see cref="SchedulesOptions.Poll"/>.
/// </summary>
public sealed class DripClock(DripTicker ticker, SchedulesOptions options, TimeProvider time, ILogger<DripClock> log)
{
    /// <summary>A timer may ring a little early.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(1);

    /// <summary>Runs until it is told to stop.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        var isTold = false;
        while (!cancel.IsCancellationRequested)
        {
            var pause = options.Poll;
            try
            {
                pause = await LookAsync(cancel);
                isTold = false;
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException && !cancel.IsCancellationRequested)
            {
                // Once for each time that the database is away.
                log.Log(isTold ? LogLevel.Debug : LogLevel.Warning, fault, "The clock could not see to what is due");
                isTold = true;
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(pause, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Sees to what is due; how long to wait then.</summary>
    private async Task<TimeSpan> LookAsync(CancellationToken cancel)
    {
        if (await ticker.NextAsync(cancel) is not { } next)
        {
            return options.Poll;
        }

        if (next <= time.GetUtcNow())
        {
            while (await ticker.TickAsync(cancel) > 0)
            {
            }

            // What is due and could not be taken is another worker's; should it die, what it had is free again.
            next = await ticker.NextAsync(cancel) is { } later && later > time.GetUtcNow() ? later : DateTimeOffset.MaxValue;
        }

        var left = next - time.GetUtcNow();
        return left > options.Poll ? options.Poll : left < ShortestPause ? ShortestPause : left;
    }
}
