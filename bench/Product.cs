using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Eddy.Bench.Load;

namespace Eddy.Bench;

/// <summary>
/// Eddy as <c>./run</c> brings it up, in Production, with a home, ports and a PostgreSQL of its own. Its end is the home's end.
/// Started by the main thread, for the death of the thread that started it ends it.
/// </summary>
internal sealed class Product : IDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(5);

    private readonly string _root;
    private readonly Process _run;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _said = [];

    private Product(string root, string home, IReadOnlyList<string> settings)
    {
        var ports = FreePorts();
        (_root, Home, Port) = (root, home, ports[0]);
        var start = new ProcessStartInfo("setpriv", ["--pdeathsig", "TERM", Path.Combine(root, "run")]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var foreign in new[] { "EDDY_DB", "EDDY_APP_DB", "EDDY_APP_PASSWORD", "ASPNETCORE_URLS" })
        {
            start.Environment.Remove(foreign);
        }

        start.Environment["EDDY_HOME"] = home;
        start.Environment["EDDY_PORT"] = ports[0].ToString(CultureInfo.InvariantCulture);
        start.Environment["EDDY_WORKER_PORT"] = ports[1].ToString(CultureInfo.InvariantCulture);
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        start.Environment["Sites__Domain"] = "localhost";
        // All who ask have one address here.
        start.Environment["Sites__AddressRequests"] = start.Environment["Sites__TenantRequests"] = "1000000";
        start.Environment["Egress__Allow__0"] = Site.Address.Authority;
        foreach (var setting in settings)
        {
            var at = setting.IndexOf('=', StringComparison.Ordinal);
            start.Environment[setting[..at].Replace(":", "__", StringComparison.Ordinal)] = setting[(at + 1)..];
        }

        _run = Process.Start(start)!;
        _run.OutputDataReceived += (_, line) => Hear(line.Data);
        _run.ErrorDataReceived += (_, line) => Hear(line.Data);
        _run.BeginOutputReadLine();
        _run.BeginErrorReadLine();
    }

    public string Home { get; }

    /// <summary>A site that its rules may call.</summary>
    public SlowSite Site { get; } = new();

    public int Port { get; }

    /// <summary>Returns once it is ready for events.</summary>
    /// <param name="settings">Beside the usual ones, as <c>Section:Name=value</c>.</param>
    public static Product Start(string root, string home, IReadOnlyList<string> settings, CancellationToken cancel)
    {
        var product = new Product(root, home, settings);
        try
        {
            if (!product._ready.Task.Wait(StartPatience, cancel))
            {
                throw new BenchFault($"./run was not ready after {StartPatience.TotalMinutes} minutes.");
            }

            return product;
        }
        catch (AggregateException fault)
        {
            product.Dispose();
            throw fault.InnerException!;
        }
        catch
        {
            product.Dispose();
            throw;
        }
    }

    /// <summary>The process id of <c>web</c>, <c>worker</c> or <c>postgres</c>.</summary>
    public int PidOf(string part) => int.Parse(File.ReadAllText(Path.Combine(Home, part + ".pid")), CultureInfo.InvariantCulture);

    /// <summary>The superuser's connection string.</summary>
    public string Connection(string database, CancellationToken cancel) =>
        Tool.Run(Path.Combine(_root, "scripts", "postgres"), ["connection", Home, database], cancel).Trim();

    /// <summary>Stops the worker where it stands, so that nothing is applied until <see cref="ResumeWorker"/>.</summary>
    public void PauseWorker() => Signal("STOP", PidOf("worker"));

    public void ResumeWorker() => Signal("CONT", PidOf("worker"));

    public void Dispose()
    {
        if (!_run.HasExited)
        {
            Signal("TERM", _run.Id);
            _run.WaitForExit(TimeSpan.FromMinutes(1));
        }

        _run.Dispose();
        Site.Dispose();
        using var remove = Process.Start(Path.Combine(_root, "scripts", "postgres"), ["remove", Home]);
        remove.WaitForExit();
        Directory.Delete(Home, recursive: true);
    }

    private static void Signal(string name, int pid)
    {
        using var kill = Process.Start("bash", ["-c", $"kill -{name} {pid}"]);
        kill.WaitForExit();
    }

    private static int[] FreePorts()
    {
        var listeners = new[] { new TcpListener(IPAddress.Loopback, 0), new TcpListener(IPAddress.Loopback, 0) };
        Array.ForEach(listeners, listener => listener.Start());
        var ports = Array.ConvertAll(listeners, listener => ((IPEndPoint)listener.LocalEndpoint).Port);
        Array.ForEach(listeners, listener => listener.Dispose());
        return ports;
    }

    private void Hear(string? line)
    {
        lock (_said)
        {
            if (line is null)
            {
                _ready.TrySetException(new BenchFault($"./run ended: {string.Join(" / ", _said)}"));
                return;
            }

            _said.Add(line);
            if (line.StartsWith("ready ", StringComparison.Ordinal))
            {
                _ready.TrySetResult();
            }
        }
    }
}
