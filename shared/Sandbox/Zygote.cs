using Microsoft.Extensions.Logging;

namespace Eddy.Sandbox;

/// <summary>
/// The parent of the cells, kept alive: a child process that is started again with a growing pause, or a service that is connected to
/// again. <see cref="Health"/> says whether cells can be had. All cells of one zygote have its layout in memory and its hash seed, so a child
/// is replaced by a fresh one from time to time, while it still keeps the cells that it has.
/// </summary>
/// <param name="moved">Called when a fresh zygote has taken the place of one that still has cells.</param>
internal sealed class Zygote(SandboxOptions options, TimeProvider time, ILogger log, Action moved) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _retired = [];
    private TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ZygoteLink? _link;
    private Task _supervision = Task.CompletedTask;

    public SandboxHealth Health { get; private set; } = new(false, "The sandbox has not been started.", 0);

    public async Task StartAsync(CancellationToken ct)
    {
        _supervision = Task.Run(SuperviseAsync, CancellationToken.None);
        await _settled.Task.WaitAsync(ct);
    }

    /// <summary>Opens a cell. The caller owns it.</summary>
    /// <exception cref="SandboxUnavailable">There is no zygote that could make one.</exception>
    public async Task<CellChannel> OpenAsync(string timeZone, CancellationToken ct)
    {
        if (!Health.Ready)
        {
            try
            {
                await _settled.Task.WaitAsync(Patience, time, ct);
            }
            catch (TimeoutException)
            {
            }
        }

        return Health.Ready && _link is { } link
            ? await link.OpenCellAsync(timeZone, ct)
            : throw new SandboxUnavailable(Health.Reason ?? "The sandbox is being started again.");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _supervision;
        _stop.Dispose();
    }

    private async Task SuperviseAsync()
    {
        var pause = TimeSpan.FromMilliseconds(50);
        while (!_stop.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            string why;
            try
            {
                _link = await ZygoteLink.OpenAsync(options, time, log, _stop.Token);
                Health = _link.Health;
                _settled.TrySetResult();
                await AttendAsync(_link);
                why = "The zygote ended.";
            }
            catch (OperationCanceledException)
            {
                break;
            }
            catch (SandboxUnavailable e)
            {
                why = e.Message;
            }
            catch (Exception e)
            {
                why = $"The zygote can not be reached: {e.Message}";
            }

            await LoseAsync(why);
            log.LogWarning("{Why} It is tried again in {Pause}", why, pause);
            pause = time.GetElapsedTime(started) > TimeSpan.FromSeconds(10) ? TimeSpan.FromMilliseconds(50) : pause * 2;
            pause = pause > TimeSpan.FromSeconds(10) ? TimeSpan.FromSeconds(10) : pause;
            try
            {
                await Task.Delay(pause, time, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        await LoseAsync("The sandbox was stopped.");
        await Task.WhenAll(_retired);
    }

    /// <summary>Stays with a zygote, and with those that take its place, until one ends unasked.</summary>
    private async Task AttendAsync(ZygoteLink link)
    {
        while (true)
        {
            if (options.Socket is null)
            {
                using var young = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                await Task.WhenAny(link.Ended, link.Worn, Task.Delay(options.ZygoteAge, time, young.Token));
                await young.CancelAsync();
            }
            else
            {
                await link.Ended.WaitAsync(_stop.Token);
            }

            _stop.Token.ThrowIfCancellationRequested();
            if (link.Ended.IsCompleted)
            {
                return;
            }

            ZygoteLink fresh;
            try
            {
                fresh = await ZygoteLink.OpenAsync(options, time, log, _stop.Token);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                log.LogWarning(e, "No fresh zygote could be started; the one before goes on");
                await Task.WhenAny(link.Ended, Task.Delay(TimeSpan.FromMinutes(1), time, _stop.Token));
                continue;
            }

            var old = link;
            link = _link = fresh;
            Health = fresh.Health;
            _retired.RemoveAll(one => one.IsCompleted);
            _retired.Add(old.RetireAsync(_stop.Token));
            log.LogInformation("A fresh zygote has taken the place of the one before");
            moved();
        }
    }

    private async Task LoseAsync(string why)
    {
        Health = new SandboxHealth(false, why, Health.LandlockAbi) { Walls = Health.Walls, Zygote = Health.Zygote };

        // Whoever waits for the first start hears of its failure; whoever comes later waits for the next.
        _settled.TrySetResult();
        _settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_link is { } link)
        {
            _link = null;
            await link.DisposeAsync();
        }
    }
}
