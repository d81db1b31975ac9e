using Npgsql;

namespace Eddy.Keys;

/// <summary>Writes down once a minute, and at the end, when keys were used.</summary>
public sealed class KeyUse(KeyRing ring, TimeProvider time, ILogger<KeyUse> log) : BackgroundService
{
    private static readonly TimeSpan NoteEvery = TimeSpan.FromMinutes(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => NoteAsync(stoppingToken);

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
