using Npgsql;

namespace Eddy.Keys;

/// <summary>
/// Keeps the <see cref="KeyRing"/> true: listens to <c>eddy_keys</c> and makes it forget, and writes down once a minute, and at the end, when keys were used.
/// While the connection is lost, keys are forgotten after <see cref="KeyRing.Kept"/> anyway.
/// </summary>
public sealed class KeyNews(KeyRing ring, NpgsqlDataSource source, TimeProvider time, ILogger<KeyNews> log) : BackgroundService
{
    private static readonly TimeSpan NoteEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(ListenAsync(stoppingToken), NoteAsync(stoppingToken));

    private async Task ListenAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync(stop);
                connection.Notification += (_, _) => ring.Forget();
                await using (var listen = new NpgsqlCommand("listen eddy_keys", connection))
                {
                    await listen.ExecuteNonQueryAsync(stop);
                }

                // What was told while nobody listened is not told again.
                ring.Forget();
                while (true)
                {
                    await connection.WaitAsync(stop);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (fault is NpgsqlException or IOException)
            {
                log.LogWarning("The connection that hears of changed keys is lost: {Reason}", fault.Message);
                await Task.Delay(Pause, time, stop).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
    }

    private async Task NoteAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(NoteEvery, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                await NoteOnceAsync(stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(3), time);
            await NoteOnceAsync(soon.Token);
        }
    }

    private async Task NoteOnceAsync(CancellationToken cancel)
    {
        try
        {
            await ring.NoteUseAsync(cancel);
        }
        catch (Exception fault) when (fault is NpgsqlException or IOException || (fault is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            // The next minute's uses are noted again; what was lost is a minute of "last used".
            log.LogWarning("The last use of keys could not be noted: {Reason}", fault.Message);
        }
    }
}
