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
/// One zygote from its start to its end: the control connection, the cells that were opened by it, and the process where it is a child of
/// this one. The end of the connection is the end of the cells.
/// </summary>
internal sealed class ZygoteLink : IAsyncDisposable
{
    private const int Greeting = 68;
    private const int MostSpares = 4;

    private readonly SandboxOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly string _path;
    private readonly byte[] _name = RandomNumberGenerator.GetBytes(16);
    private readonly ConcurrentDictionary<long, CellChannel> _cells = new();
    private readonly Socket _control = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly TaskCompletionSource _introduced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _worn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<SealWall> _walls = [];
    private readonly List<string> _warnings = [];
    private readonly Lock _lock = new();
    private Process? _guest;
    private string? _folder;
    private string? _about;

    // Cells that were opened before anybody asked for them, by their time zone: sealed, and nobody's.
    private readonly ConcurrentDictionary<string, CellChannel> _spares = new(StringComparer.Ordinal);
    private long _number;
    private volatile bool _isRetired;

    private ZygoteLink(SandboxOptions options, TimeProvider time, ILogger log, string path) => (_options, _time, _log, _path) = (options, time, log, path);

    public SandboxHealth Health { get; private set; } = new(false, "The zygote has not said a word yet.", 0);

    /// <summary>Completes when the zygote is gone, and all its cells with it.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Completes when it has made as many cells as one should.</summary>
    public Task Worn => _worn.Task;

    /// <summary>Another zygote has taken its place: no new work for its cells.</summary>
    public bool IsRetired => _isRetired;

    /// <summary>Starts a zygote, or connects to the one that is a service, and hears whether its seal holds.</summary>
    /// <exception cref="SandboxUnavailable">There is none, or it ended at once.</exception>
    public static async Task<ZygoteLink> OpenAsync(SandboxOptions options, TimeProvider time, ILogger log, CancellationToken ct)
    {
        // sockaddr_un has room for 107 bytes, which a long TMPDIR would use up.
        var folder = options.Socket is not null ? null : Path.GetTempPath().Length < 60 ? Directory.CreateTempSubdirectory("eddy-").FullName : ShortFolder();
        var link = new ZygoteLink(options, time, log, options.Socket ?? Path.Combine(folder!, "zygote")) { _folder = folder };
        try
        {
            if (folder is not null)
            {
                await link.StartGuestAsync(ct);
            }

            await link._control.ConnectAsync(new UnixDomainSocketEndPoint(link._path), ct);
            await link._control.SendAsync(link.Greet('H', 0, 0, ""), ct);
            _ = link.ListenAsync();
            await Task.WhenAny(link._introduced.Task, link.Ended).WaitAsync(ct);
            return link._introduced.Task.IsCompleted ? link : throw new SandboxUnavailable("The zygote ended before it said whether its seal holds.");
        }
        catch
        {
            await link.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens a cell. The caller owns it.</summary>
    /// <exception cref="SandboxUnavailable">The zygote takes no connections.</exception>
    public async Task<CellChannel> OpenCellAsync(string timeZone, CancellationToken ct)
    {
        var isThere = _spares.TryRemove(timeZone, out var channel);
        if (!isThere || channel!.Death.IsCompleted)
        {
            channel?.Dispose();
            channel = await ForkAsync(timeZone, ct);
        }

        _ = KeepSpareAsync(timeZone);
        return channel;
    }

    public void Kill(long number) => Tell($"kill {number}\n");

    public void AskCpu(long number) => Tell($"cpu {number}\n");

    /// <summary>It never became a cell: nobody tells of its death.</summary>
    private void Forget(long number)
    {
        _cells.TryRemove(number, out _);
        LookWhetherEmpty();
    }

    /// <summary>Breaks with a zygote that does not do what it is told.</summary>
    public void Abandon()
    {
        _log.LogError("The zygote does not answer; it is given up");
        _control.Dispose();
    }

    /// <summary>Lets it end once its cells are gone.</summary>
    public async Task RetireAsync(CancellationToken ct)
    {
        _isRetired = true;
        DropSpares();
        LookWhetherEmpty();
        try
        {
            await Task.WhenAny(_empty.Task, Ended).WaitAsync(ct);
        }
        catch (OperationCanceledException)
        {
            // The host stops, and so do the cells.
        }

        await DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _control.Dispose();
        if (_guest is not null)
        {
            if (!_guest.HasExited)
            {
                _guest.Kill();
            }

            await _guest.WaitForExitAsync(CancellationToken.None);
            _guest.Dispose();
        }

        End();
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

    private static string ShortFolder()
    {
        var folder = $"/tmp/eddy-{Convert.ToHexString(RandomNumberGenerator.GetBytes(6))}";
        if (!OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return folder;
    }

    private async Task StartGuestAsync(CancellationToken ct)
    {
        var start = new ProcessStartInfo(_options.Python)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };

        // Cells that are being ended count until the kernel is done with them.
        var most = (2 * _options.Cells) + 16;
        foreach (var argument in (string[])[
            "-sSE", "-B", "-X", "utf8", Path.Combine(AppContext.BaseDirectory, "Sandbox", "guest", "zygote.py"), "--listen", _path, "--lifeline",
            "--cells", most.ToString(CultureInfo.InvariantCulture), .. _options.Unsealed ? (string[])["--unsealed"] : [],
            .. _options.PreloadedModules is { Count: > 0 } modules ? (string[])["--preload", string.Join(',', modules)] : []])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Clear();
        var guest = _guest = Process.Start(start) ?? throw new SandboxUnavailable($"{_options.Python} did not start.");
        guest.ErrorDataReceived += (_, line) =>
        {
            if (!string.IsNullOrWhiteSpace(line.Data))
            {
                _log.LogWarning("The zygote says: {Line}", line.Data);
            }
        };
        guest.BeginErrorReadLine();
        if (await guest.StandardOutput.ReadLineAsync(ct) != "listening")
        {
            throw new SandboxUnavailable($"The zygote ended before it could be used ({_options.Python}).");
        }
    }

    private async Task<CellChannel> ForkAsync(string timeZone, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var number = Interlocked.Increment(ref _number);
        var channel = new CellChannel(this, socket, number, _options.FrameBytes, _time);
        _cells[number] = channel;
        if (Ended.IsCompleted)
        {
            // Whoever ended it may have looked through the cells before this one was there.
            channel.HearDeath(null);
        }

        if (number >= _options.ZygoteForks)
        {
            _worn.TrySetResult();
        }

        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_path), ct);
            await socket.SendAsync(Greet('C', number, (long)_options.MemoryMiB << 20, timeZone), ct);
            return channel;
        }
        catch (SocketException e)
        {
            channel.Dispose();
            Forget(number);
            throw new SandboxUnavailable("The zygote does not take connections.", e);
        }
        catch (OperationCanceledException)
        {
            channel.Dispose();
            Forget(number);
            throw;
        }
    }

    /// <summary>Sees to it that whoever needs a cell next finds one: a fork and the seal take longer than a run.</summary>
    private async Task KeepSpareAsync(string timeZone)
    {
        if (_spares.Count >= MostSpares)
        {
            return;
        }

        try
        {
            var spare = await ForkAsync(timeZone, CancellationToken.None);
            if (!_spares.TryAdd(timeZone, spare))
            {
                spare.Dispose();
            }

            if (_isRetired)
            {
                DropSpares();
            }
        }
        catch (SandboxUnavailable)
        {
            // Whoever needs a cell asks for it, and hears of it.
        }
    }

    private void DropSpares()
    {
        foreach (var zone in _spares.Keys)
        {
            if (_spares.TryRemove(zone, out var spare))
            {
                spare.Dispose();
            }
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

    private void Tell(string line)
    {
        try
        {
            lock (_lock)
            {
                _control.Send(Encoding.ASCII.GetBytes(line));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Its end is seen, and answered, where its lines are read.
        }
    }

    private async Task ListenAsync()
    {
        var buffer = new byte[16384];
        var have = 0;
        while (true)
        {
            int count;
            try
            {
                count = await _control.ReceiveAsync(buffer.AsMemory(have), CancellationToken.None);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                count = 0;
            }

            if (count == 0)
            {
                End();
                return;
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
            case "about":
                _about = line[6..];
                break;
            case "wall":
                var (state, why) = words[2].IndexOf(' ', StringComparison.Ordinal) is var at and >= 0 ? (words[2][..at], words[2][(at + 1)..]) : (words[2], "");
                _walls.Add(new SealWall(
                    words[1], state switch { "held" => WallState.Held, "absent" => WallState.Absent, _ => WallState.Failed }, why.Length == 0 ? null : why));
                break;
            case "warning":
                _warnings.Add(line["warning ".Length..]);
                _log.LogWarning("{Warning}", _warnings[^1]);
                break;
            case "ready":
                Introduce(new SandboxHealth(true, null, Number(words[1])) { IsUnsealed = words[2] == "unsealed" });
                break;
            case "fault":
                Introduce(new SandboxHealth(false, words[2], Number(words[1])));
                break;
            case "cpu" when _cells.TryGetValue(long.Parse(words[1], CultureInfo.InvariantCulture), out var cell):
                cell.HearCpu(long.Parse(words[2], CultureInfo.InvariantCulture));
                break;
            case "dead" when _cells.TryRemove(long.Parse(words[1], CultureInfo.InvariantCulture), out var cell):
                var (used, how) = words[2].IndexOf(' ', StringComparison.Ordinal) is var space and >= 0 ? (words[2][..space], words[2][(space + 1)..]) : (words[2], "");
                cell.HearDeath(how, long.Parse(used, CultureInfo.InvariantCulture));
                LookWhetherEmpty();
                break;
        }
    }

    private void Introduce(SandboxHealth health)
    {
        if (health.Ready && health.IsUnsealed != _options.Unsealed)
        {
            health = health with
            {
                Ready = false,
                Reason = _options.Unsealed
                    ? $"{nameof(SandboxOptions.Unsealed)} is set, and the zygote at {_path} is sealed; take the setting away."
                    : $"The zygote at {_path} runs with --unsealed: nothing would stop a rule. Start it without.",
            };
        }

        Health = health with { Walls = _walls, Zygote = _about, Warnings = _warnings };
        if (!health.Ready)
        {
            _log.LogError("No rules can run: {Reason}", health.Reason);
        }
        else if (health.IsUnsealed)
        {
            _log.LogWarning("Rules run unsealed: they can do whatever this user can");
        }
        else if (health.LandlockAbi == 0)
        {
            _log.LogWarning("This kernel has no Landlock: cells are sealed without that wall");
        }

        _introduced.TrySetResult();
    }

    private void LookWhetherEmpty()
    {
        if (_isRetired && _cells.IsEmpty)
        {
            _empty.TrySetResult();
        }
    }

    private void End()
    {
        _ended.TrySetResult();
        foreach (var (number, cell) in _cells)
        {
            _cells.TryRemove(number, out _);
            cell.HearDeath(null);
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
