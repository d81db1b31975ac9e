using System.Buffers.Binary;
using System.Net.Sockets;

namespace Eddy.Sandbox;

/// <summary>
/// The way to one cell: frames of a length (four bytes, little-endian) and JSON. While something is awaited, <see cref="Deadlines"/> measures
/// the time since the last frame.
/// </summary>
internal sealed class CellChannel(ZygoteLink zygote, Socket socket, long number, int frameBytes, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan SampleEvery = TimeSpan.FromMilliseconds(100);

    private readonly TaskCompletionSource<string?> _death = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[] _buffer = new byte[8192];
    private int _start;
    private int _end;
    private long _since;
    private long _cpu;
    private long _cpuBase = -1;
    private long _charged;
    private long _asked;

    public long Number => number;

    /// <summary>How the cell ended, in the zygote's words; null where the zygote itself ended.</summary>
    public Task<string?> Death => _death.Task;

    /// <summary>The limit that the cell was killed for; null where it was not.</summary>
    public string? Overrun { get; private set; }

    /// <summary>Since when the host waits for a frame; null while it does not.</summary>
    public TimeSpan? Waiting => Volatile.Read(ref _since) is var since and not 0 ? time.GetElapsedTime(since) : null;

    /// <summary>CPU time since about the last frame, as far as it was asked for.</summary>
    public TimeSpan Cpu => _cpuBase < 0 ? TimeSpan.Zero : TimeSpan.FromMicroseconds((_cpu - _cpuBase) / 1000);

    /// <summary>A fresh zygote has taken the place of its own: it should have no new work.</summary>
    public bool IsStale => zygote.IsRetired;

    /// <summary>Whose account its CPU time goes to; null for nobody's.</summary>
    public TenantCell? Tenant { get; set; }

    public bool HasCpuBase => _cpuBase >= 0;

    /// <summary>Who is told as soon as there is news of its CPU time; null while nobody watches.</summary>
    public Deadlines? Deadlines { get; set; }

    public void StartWaiting()
    {
        _cpuBase = -1;
        Volatile.Write(ref _since, time.GetTimestamp());
    }

    public void StopWaiting() => Volatile.Write(ref _since, 0);

    public void HearCpu(long nanoseconds)
    {
        _cpu = nanoseconds;
        Charge(nanoseconds);
        if (_cpuBase < 0)
        {
            _cpuBase = nanoseconds;
        }

        Deadlines?.Judge(this);
    }

    /// <param name="how">In the zygote's words; null where the zygote itself ended.</param>
    /// <param name="nanoseconds">The CPU time of its whole life.</param>
    public void HearDeath(string? how, long nanoseconds = 0)
    {
        Charge(nanoseconds);
        _death.TrySetResult(how);
    }

    /// <summary>Breaks with the zygote, which did not end the cell that it should.</summary>
    public void Abandon() => zygote.Abandon();

    public void AskCpu()
    {
        _asked = time.GetTimestamp();
        zygote.AskCpu(number);
    }

    /// <summary>Keeps the tenant's account of CPU time up to date, but for the last tenth of a second.</summary>
    public void SampleCpu()
    {
        if (time.GetElapsedTime(_asked) >= SampleEvery)
        {
            AskCpu();
        }
    }

    public void Kill(string? overrun)
    {
        Overrun ??= overrun;
        zygote.Kill(number);
    }

    /// <summary>Sends frames; false if the cell is gone.</summary>
    public async ValueTask<bool> SendAsync(ReadOnlyMemory<byte> frames)
    {
        try
        {
            while (frames.Length > 0)
            {
                frames = frames[await socket.SendAsync(frames, SocketFlags.None, CancellationToken.None)..];
            }

            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>The next frame, which holds until the next call; null if the cell is gone.</summary>
    /// <exception cref="CellLied">The frame is longer than one may be.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReceiveAsync()
    {
        while (true)
        {
            var have = _end - _start;
            if (have >= 4)
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(_buffer.AsSpan(_start));
                if (length < 0 || length > frameBytes)
                {
                    throw new CellLied($"Its frame has {(uint)length} bytes, and {frameBytes} is the limit.");
                }

                if (have >= 4 + length)
                {
                    var frame = _buffer.AsMemory(_start + 4, length);
                    _start += 4 + length;
                    return frame;
                }

                Reserve(4 + length);
            }
            else
            {
                Reserve(4);
            }

            int count;
            try
            {
                count = await socket.ReceiveAsync(_buffer.AsMemory(_end), SocketFlags.None, CancellationToken.None);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                count = 0;
            }

            if (count == 0)
            {
                return null;
            }

            _end += count;
        }
    }

    /// <summary>Ends the cell, whatever it does.</summary>
    public void Dispose()
    {
        zygote.Kill(number);

        // Nobody else tells whoever still listens to it.
        _death.TrySetResult("dropped by its host");
        socket.Dispose();
    }

    // Only where the zygote's lines are read.
    private void Charge(long nanoseconds)
    {
        if (nanoseconds > _charged)
        {
            Tenant?.Charge(nanoseconds - _charged);
            _charged = nanoseconds;
        }
    }

    private void Reserve(int bytes)
    {
        if (_buffer.Length - _start >= bytes && _end < _buffer.Length)
        {
            return;
        }

        var have = _end - _start;

        // The length is the cell's word: room is made as bytes come, and not before.
        var size = bytes <= _buffer.Length ? _buffer.Length : Math.Min(bytes, Math.Max(_buffer.Length * 2, have * 2));
        var target = size == _buffer.Length ? _buffer : new byte[size];
        _buffer.AsSpan(_start, have).CopyTo(target);
        (_buffer, _start, _end) = (target, 0, have);
    }
}
