using Npgsql;

namespace Eddy.Schedules;

/// <summary>
/// Wakes when something is due, and has it seen to. Every worker has one. What is saved meanwhile is looked for each
/// <see cref="SchedulesOptions.Poll"/>.
/// </summary>
public sealed class Clock(IEnumerable<ITicker> tickers, SchedulesOptions options, TimeProvider time, ILogger<Clock> log)
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

    /// <summary>Has what is due seen to; how long to wait then.</summary>
    private async Task<TimeSpan> LookAsync(CancellationToken cancel)
    {
        var pause = options.Poll;
        foreach (var ticker in tickers)
        {
            var next = await ticker.NextAsync(cancel);
            if (next <= time.GetUtcNow())
            {
                while (await ticker.TickAsync(cancel) > 0)
                {
                }

                // What is due and could not be taken is another worker's; should it die, what it had is free again.
                next = await ticker.NextAsync(cancel) is { } later && later > time.GetUtcNow() ? later : null;
            }

            if (next - time.GetUtcNow() is { } left && left < pause)
            {
                pause = left < ShortestPause ? ShortestPause : left;
            }
        }

        return pause;
    }
}
