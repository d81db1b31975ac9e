namespace Eddy.Ingest;

/// <summary>
/// Keeps the machine's idle processors from halting for a moment after somebody began to wait for an answer: an event that comes alone is handed on between threads and processes some
/// twenty times, and on a virtual machine each costs the wake-up of a processor. By the kernel's own interface for it (PM QoS, <c>/dev/cpu_dma_latency</c>): an idle processor then looks
/// out for work, and gives way to whatever there is to do. Where this process may not open it, nothing happens. Safe from any thread.
/// </summary>
public sealed class IdleProcessors : IDisposable
{
    private const string Device = "/dev/cpu_dma_latency";

    /// <summary>The longest wake-up that is put up with, in microseconds: none, and what the kernel takes for no demand at all.</summary>
    private static readonly byte[] Awake = BitConverter.GetBytes(0);
    private static readonly byte[] AsTheyLike = BitConverter.GetBytes(2_000_000_000);

    private readonly TimeSpan _moment;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly FileStream? _demand;
    private readonly ITimer? _timer;
    private long _since;
    private bool _areAwake;

    public IdleProcessors(DoorOptions options, TimeProvider time, ILogger<IdleProcessors> log)
    {
        (_moment, _time) = (options.StayAwake, time);
        if (_moment <= TimeSpan.Zero)
        {
            return;
        }

        try
        {
            _demand = new FileStream(Device, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            // An opened demand begins as the strictest.
            _demand.Write(AsTheyLike);
            _timer = time.CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            log.LogInformation("Idle processors stay awake for {Milliseconds} ms after somebody began to wait", _moment.TotalMilliseconds);
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            _demand?.Dispose();
            _demand = null;
            log.LogInformation("Idle processors halt as they like: {Reason}", refusal.Message);
        }
    }

    /// <summary>Somebody begins to wait.</summary>
    public void StayAwake()
    {
        if (_timer is null)
        {
            return;
        }

        Volatile.Write(ref _since, _time.GetTimestamp());
        if (!Volatile.Read(ref _areAwake))
        {
            Tell(true);
        }
    }

    public void Dispose()
    {
        _timer?.Dispose();
        lock (_gate)
        {
            // The demand goes with the handle.
            _demand?.Dispose();
        }
    }

    private void Look()
    {
        if (_time.GetElapsedTime(Volatile.Read(ref _since)) is var passed && passed < _moment)
        {
            _timer!.Change(_moment - passed + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
        }
        else
        {
            Tell(false);
        }
    }

    private void Tell(bool awake)
    {
        lock (_gate)
        {
            if (_areAwake == awake || !_demand!.CanWrite)
            {
                return;
            }

            _demand.Write(awake ? Awake : AsTheyLike);
            Volatile.Write(ref _areAwake, awake);
            if (awake)
            {
                _timer!.Change(_moment, Timeout.InfiniteTimeSpan);
            }
        }
    }
}
