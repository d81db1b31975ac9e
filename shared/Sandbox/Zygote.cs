using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Eddy.Sandbox;

/// <summary>
/// The parent of the cells, kept alive: a child process that is started again with a growing pause, or a service that is connected to
/// again. <see cref="Health"/> says whether cells can be had. The end of its control connection is the end of all its cells.
/// </summary>
internal sealed class Zygote(SandboxOptions options, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private const int Greeting = 68;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly byte[] _name = RandomNumberGenerator.GetBytes(16);
    private readonly ConcurrentDictionary<long, CellChannel> _cells = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly List<string> _warnings = [];
    private TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Socket? _control;
    private string? _path;
    private string? _folder;
    private Task _supervision = Task.CompletedTask;
    private long _number;

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

        var path = _path;
        if (!Health.Ready || path is null)
        {
            throw new SandboxUnavailable(Health.Reason ?? "The sandbox is being started again.");
        }

        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var number = Interlocked.Increment(ref _number);
        var channel = new CellChannel(this, socket, number, options.FrameBytes, time);
        _cells[number] = channel;
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct);
            await socket.SendAsync(Greet('C', number, (long)options.MemoryMiB << 20, timeZone), ct);
            return channel;
        }
        catch (SocketException e)
        {
            channel.Dispose();
            throw new SandboxUnavailable("The zygote does not take connections.", e);
        }
        catch (OperationCanceledException)
        {
            channel.Dispose();
            throw;
        }
    }

    public void Kill(long number) => Tell($"kill {number}\n");

    public void AskCpu(long number) => Tell($"cpu {number}\n");

    public void Forget(long number) => _cells.TryRemove(number, out _);

    /// <summary>Breaks with a zygote that does not do what it is told.</summary>
    public void Abandon()
    {
        log.LogError("The zygote does not answer; it is given up");
        lock (_lock)
        {
            _control?.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _supervision;
        _stop.Dispose();
    }

    private void Tell(string line)
    {
        try
        {
            lock (_lock)
            {
                _control?.Send(Encoding.ASCII.GetBytes(line));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Its end is seen, and answered, where its lines are read.
        }
    }

    private byte[] Greet(char letter, long number, long memory, string zone)
    {
        var greeting = new byte[Greeting];
        greeting[0] = (byte)letter;
        _name.CopyTo(greeting, 4);
        BinaryPrimitives.WriteInt64LittleEndian(greeting.AsSpan(20), number);
        BinaryPrimitives.WriteInt64LittleEndian(greeting.AsSpan(28), memory);
        if (zone.Length <= 32)
        {
            Encoding.ASCII.GetBytes(zone, greeting.AsSpan(36));
        }

        return greeting;
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
                why = options.Socket is { } path ? await AttendAsync(path) : await HostAsync();
            }
            catch (OperationCanceledException)
            {
                break;
            }
            catch (Exception e)
            {
                why = $"The zygote can not be reached: {e.Message}";
            }

            Lost(why);
            if (_stop.IsCancellationRequested)
            {
                break;
            }

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

        Lost("The sandbox was stopped.");
        try
        {
            if (_folder is not null)
            {
                Directory.Delete(_folder, recursive: true);
            }
        }
        catch (DirectoryNotFoundException)
        {
            // The zygote was quicker.
        }
    }

    /// <summary>Runs a zygote as a child until it ends; says why it did.</summary>
    private async Task<string> HostAsync()
    {
        // sockaddr_un has room for 107 bytes, which a long TMPDIR would use up.
        _folder ??= Path.GetTempPath().Length < 60 ? Directory.CreateTempSubdirectory("eddy-").FullName : ShortFolder();
        var path = Path.Combine(_folder, "zygote");
        var start = new ProcessStartInfo(options.Python)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        foreach (var argument in (string[])["-sSE", "-B", "-X", "utf8", Path.Combine(AppContext.BaseDirectory, "Sandbox", "guest", "zygote.py"), "--listen", path, "--lifeline", .. Preloaded()])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Clear();
        using var guest = Process.Start(start) ?? throw new InvalidOperationException($"{options.Python} did not start.");
        guest.ErrorDataReceived += (_, line) =>
        {
            if (!string.IsNullOrWhiteSpace(line.Data))
            {
                log.LogWarning("The zygote says: {Line}", line.Data);
            }
        };
        guest.BeginErrorReadLine();
        try
        {
            return await guest.StandardOutput.ReadLineAsync(_stop.Token) == "listening"
                ? await AttendAsync(path)
                : $"The zygote ended before it could be used ({options.Python}).";
        }
        finally
        {
            if (!guest.HasExited)
            {
                guest.Kill();
            }

            await guest.WaitForExitAsync(CancellationToken.None);
        }
    }

    private string[] Preloaded() => options.PreloadedModules is { Count: > 0 } modules ? ["--preload", string.Join(',', modules)] : [];

    private static string ShortFolder()
    {
        var folder = $"/tmp/eddy-{Convert.ToHexString(RandomNumberGenerator.GetBytes(6))}";
        if (!OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return folder;
    }

    /// <summary>Keeps the control connection until it ends; says why it did.</summary>
    private async Task<string> AttendAsync(string path)
    {
        using var control = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await control.ConnectAsync(new UnixDomainSocketEndPoint(path), _stop.Token);
        await control.SendAsync(Greet('H', 0, 0, ""), _stop.Token);
        _path = path;
        _warnings.Clear();
        lock (_lock)
        {
            _control = control;
        }

        var buffer = new byte[16384];
        var have = 0;
        while (true)
        {
            int count;
            try
            {
                count = await control.ReceiveAsync(buffer.AsMemory(have), _stop.Token);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                count = 0;
            }

            if (count == 0)
            {
                return "The zygote ended.";
            }

            have += count;
            var from = 0;
            for (int end; (end = buffer.AsSpan(from, have - from).IndexOf((byte)'\n')) >= 0; from += end + 1)
            {
                Hear(Encoding.UTF8.GetString(buffer, from, end));
            }

            buffer.AsSpan(from, have - from).CopyTo(buffer);
            have -= from;
        }
    }

    private void Hear(string line)
    {
        var words = line.Split(' ', 3);
        switch (words[0])
        {
            case "warning":
                _warnings.Add(line[(words[0].Length + 1)..]);
                log.LogWarning("The sandbox lacks something: {Warning}", _warnings[^1]);
                break;
            case "ready":
                Health = new SandboxHealth(true, null, int.Parse(words[1], CultureInfo.InvariantCulture)) { Warnings = [.. _warnings] };
                if (Health.LandlockAbi == 0)
                {
                    log.LogWarning("This kernel has no Landlock: cells are sealed without that wall");
                }

                _settled.TrySetResult();
                break;
            case "fault":
                Health = new SandboxHealth(false, words[2], int.Parse(words[1], CultureInfo.InvariantCulture));
                log.LogError("No rules can run: {Reason}", words[2]);
                _settled.TrySetResult();
                break;
            case "cpu" when _cells.TryGetValue(long.Parse(words[1], CultureInfo.InvariantCulture), out var cell):
                cell.HearCpu(long.Parse(words[2], CultureInfo.InvariantCulture));
                break;
            case "dead" when _cells.TryRemove(long.Parse(words[1], CultureInfo.InvariantCulture), out var cell):
                cell.HearDeath(words[2]);
                break;
        }
    }

    private void Lost(string why)
    {
        lock (_lock)
        {
            _control = null;
        }

        if (Health.Ready || Health.LandlockAbi == 0)
        {
            Health = new SandboxHealth(false, why, 0);
        }

        // Whoever waits for the first start hears of its failure; whoever comes later waits for the next.
        _settled.TrySetResult();
        _settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (var (number, cell) in _cells)
        {
            _cells.TryRemove(number, out _);
            cell.HearDeath(null);
        }
    }
}
