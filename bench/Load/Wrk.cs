using System.Globalization;

namespace Eddy.Bench.Load;

/// <summary>What wrk saw.</summary>
/// <param name="Accepted">Answers below 400.</param>
/// <param name="Errors">Answers above, and connections that broke.</param>
internal sealed record WrkResult(long Accepted, double Seconds, long Errors, double P50Ms, double P99Ms)
{
    public double AcceptedPerSecond => Accepted / Seconds;
}

/// <summary>wrk, posting to the targets in turn, or asking a tenant's host, until its time is up.</summary>
internal sealed class Wrk : IDisposable
{
    /// <summary>More than one run posts, so that no value comes twice in a row.</summary>
    private const int Stride = 2_000_003;

    private static int _begun;

    private readonly Tool _tool;

    private Wrk(Tool tool) => _tool = tool;

    public int Pid => _tool.Pid;

    public static Wrk Start(int port, Targets targets, int connections, int seconds, CancellationToken cancel) => new(Tool.Start(
        "wrk",
        [
            "-t", connections == 1 ? "1" : "2",
            "-c", connections.ToString(CultureInfo.InvariantCulture),
            "-d", $"{seconds}s",
            "--timeout", "10s",
            "-s", Path.Combine(AppContext.BaseDirectory, "Load", "post.lua"),
            $"http://127.0.0.1:{port}/in",
            targets.File,
            (Interlocked.Increment(ref _begun) * (long)Stride).ToString(CultureInfo.InvariantCulture),
        ],
        cancel));

    /// <summary>Asks for one address of a tenant's host again and again, with a small JSON where it posts.</summary>
    public static Wrk Start(int port, string host, string method, string path, int connections, int seconds, CancellationToken cancel) => new(Tool.Start(
        "wrk",
        [
            "-t", connections == 1 ? "1" : "2",
            "-c", connections.ToString(CultureInfo.InvariantCulture),
            "-d", $"{seconds}s",
            "--timeout", "10s",
            "-s", Path.Combine(AppContext.BaseDirectory, "Load", "ask.lua"),
            $"http://127.0.0.1:{port}{path}",
            $"{host}:{port}",
            method,
        ],
        cancel));

    public static WrkResult Run(int port, string host, string method, string path, int connections, int seconds, CancellationToken cancel)
    {
        using var wrk = Start(port, host, method, path, connections, seconds, cancel);
        return wrk.Await();
    }

    public static WrkResult Run(int port, Targets targets, int connections, int seconds, CancellationToken cancel)
    {
        using var wrk = Start(port, targets, connections, seconds, cancel);
        return wrk.Await();
    }

    public WrkResult Await()
    {
        var output = _tool.Await();
        var line = output.Split('\n').FirstOrDefault(text => text.StartsWith("measured ", StringComparison.Ordinal))
            ?? throw new BenchFault($"wrk did not say what it measured: {output}");
        var numbers = line.Split(' ').Skip(1).Select(text => long.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        return new WrkResult(numbers[0] - numbers[2], numbers[1] / 1e6, numbers[2] + numbers[3], numbers[4] / 1e3, numbers[5] / 1e3);
    }

    public void Dispose() => _tool.Dispose();
}
