using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Eddy.Migrations;
using Npgsql;

namespace Eddy.Tests;

/// <summary>
/// The product as operating system processes of its own, as <c>./run</c> starts them: web, workers, and a private PostgreSQL with all that it promises. What ends by itself, or is killed, is
/// started again after 0.2 s. All of it goes with the test process, however that ends.
/// </summary>
public sealed class TestProduct : IAsyncDisposable
{
    /// <summary>The first of the pauses of <c>./run</c>.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    // Told the processes, one "name pid" a line; at the end of its input, which comes with that of the test process, it ends those that are left and the cluster.
    private const string Guardian = """
        trap '' INT TERM HUP
        while read -r name pid; do eval "p_$name=$pid"; done
        for pid in $(set | sed -n 's/^p_[a-z0-9]*=//p' | tr -d "'"); do kill -KILL "$pid" 2>/dev/null; done
        "$1" remove "$2"
        rm -rf "$2"
        """;

    private readonly string _folder;
    private readonly Process _guardian;
    private readonly BlockingCollection<Action> _starts = [];
    private readonly ConcurrentDictionary<string, Part> _parts = new();
    private readonly int _port = FreePort();
    private volatile bool _isStopping;

    private TestProduct(string folder)
    {
        _folder = folder;
        // PostgreSQL asks to be stopped when its parent dies, and for Linux that is the thread which started it: one of the pool may end at any time.
        new Thread(() =>
        {
            foreach (var start in _starts.GetConsumingEnumerable())
            {
                start();
            }
        }) { IsBackground = true, Name = "starter" }.Start();
        _guardian = Process.Start(new ProcessStartInfo("sh", ["-c", Guardian, "sh", Script, folder]) { RedirectStandardInput = true })!;
    }

    public Uri Address => new($"http://127.0.0.1:{_port}");

    /// <summary>Its database, for what a test prepares and looks at.</summary>
    public TestDatabase Database { get; private set; } = null!;

    private static string Script => Path.Combine(Repository.Root, "scripts", "postgres");

    /// <param name="settings">Further settings of web and worker, as in <c>Pump__Runs=4</c>.</param>
    public static async Task<TestProduct> StartAsync(params string[] settings)
    {
        var product = new TestProduct(Directory.CreateTempSubdirectory("eddy-product-").FullName);
        await product.StartAllAsync(settings);
        return product;
    }

    /// <summary>Adds a worker.</summary>
    public Task StartWorkerAsync(string name) => StartHostAsync(name, "Eddy.Worker.dll", FreePort());

    /// <summary>Kills a part, or a zygote or a cell of one, without a warning. False where there was none.</summary>
    public bool Kill(string part)
    {
        var victim = part switch
        {
            "zygote" => Zygotes().FirstOrDefault(),
            "cell" => Zygotes().SelectMany(Children).FirstOrDefault(),
            _ => _parts[part].Id,
        };
        return victim > 0 && Signal(victim, "KILL");
    }

    /// <summary>Stops a part in its tracks; what it has started goes on.</summary>
    public void Freeze(string part) => Signal(_parts[part].Id, "STOP").ShouldBeTrue();

    public void Thaw(string part) => Signal(_parts[part].Id, "CONT").ShouldBeTrue();

    /// <summary>The cells of one part.</summary>
    public IReadOnlyList<int> Cells(string part) => [.. Children(_parts[part].Id).SelectMany(Children)];

    /// <summary>When the part that was started last was started, as a timestamp.</summary>
    public long LastStart => _parts.Values.Max(part => part.StartedAt);

    /// <summary>What a part has said so far.</summary>
    public string Log(string part)
    {
        using var log = new StreamReader(new FileStream(LogOf(part), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return log.ReadToEnd();
    }

    /// <summary>Puts what all parts have said where it outlives the product; returns the folder.</summary>
    public string KeepLogs()
    {
        var kept = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "test-results", Path.GetFileName(_folder))).FullName;
        foreach (var log in _parts.Keys.Where(part => part != "postgres").Select(LogOf).Append(Path.Combine(_folder, "log", "postgres.log")).Where(File.Exists))
        {
            File.Copy(log, Path.Combine(kept, Path.GetFileName(log)), overwrite: true);
        }

        return kept;
    }

    public async ValueTask DisposeAsync()
    {
        _isStopping = true;
        if (Database is not null)
        {
            await Database.DisposeAsync();
        }

        foreach (var (_, part) in _parts.Where(part => part.Key != "postgres"))
        {
            Signal(part.Id, "CONT");
            Signal(part.Id, "TERM");
        }

        foreach (var (_, part) in _parts.Where(part => part.Key != "postgres"))
        {
            await part.Ended.WaitAsync(Patience.Long).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _guardian.StandardInput.Close();
        await _guardian.WaitForExitAsync();
        _guardian.Dispose();
        _starts.CompleteAdding();
    }

    private async Task StartAllAsync(string[] settings)
    {
        _settings = settings;
        Start("postgres", () => new ProcessStartInfo(Script, ["run", _folder]));
        await Patience.UntilAsync("PostgreSQL is ready", Patience.Long, async () => await RunAsync(Script, "ready", _folder) is not null);
        await RunAsync(Script, "database", _folder, "eddy");
        var superuser = (await RunAsync(Script, "connection", _folder, "eddy"))!.Trim();
        var app = new NpgsqlConnectionStringBuilder(superuser) { Username = "eddy_app", Password = TestDatabase.AppPassword }.ConnectionString;
        await new Migrator(superuser).MigrateAsync(TestDatabase.AppPassword, CancellationToken.None);
        Database = TestDatabase.At(superuser, app);
        await Task.WhenAll(StartHostAsync("worker", "Eddy.Worker.dll", FreePort()), StartHostAsync("web", "Eddy.Web.dll", _port));
    }

    private string[] _settings = [];

    private async Task StartHostAsync(string name, string assembly, int port)
    {
        Start(name, () =>
        {
            var start = new ProcessStartInfo("sh", ["-c", "exec \"$@\" >>\"$0\" 2>&1 </dev/null", LogOf(name), "dotnet", Path.Combine(AppContext.BaseDirectory, assembly)])
            {
                WorkingDirectory = AppContext.BaseDirectory,
            };
            start.Environment["ASPNETCORE_ENVIRONMENT"] = start.Environment["DOTNET_ENVIRONMENT"] = "Production";
            start.Environment["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}";
            start.Environment["EDDY_APP_DB"] = Database.AppConnection;
            foreach (var setting in _settings)
            {
                start.Environment[setting.Split('=')[0]] = setting.Split('=', 2)[1];
            }

            return start;
        });
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        await Patience.UntilAsync($"{name} is ready", Patience.Long, async () =>
        {
            try
            {
                using var ready = await http.GetAsync("/health/ready");
                return ready.StatusCode == HttpStatusCode.OK;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
    }

    /// <summary>Starts a part, and again whenever it ends.</summary>
    private void Start(string name, Func<ProcessStartInfo> how)
    {
        var part = _parts.GetOrAdd(name, static _ => new Part());
        using (var started = new ManualResetEventSlim())
        {
            _starts.Add(() =>
            {
                part.Process = Process.Start(how())!;
                started.Set();
            });
            started.Wait();
        }

        part.StartedAt = Stopwatch.GetTimestamp();
        lock (_guardian)
        {
            _guardian.StandardInput.WriteLine($"{name} {part.Id}");
            _guardian.StandardInput.Flush();
        }

        part.Ended = AgainAsync();

        async Task AgainAsync()
        {
            await part.Process.WaitForExitAsync();
            if (!_isStopping)
            {
                await Task.Delay(Pause);
            }

            if (!_isStopping)
            {
                Start(name, how);
            }
        }
    }

    private string LogOf(string part) => Path.Combine(_folder, part + ".log");

    private IEnumerable<int> Zygotes() => _parts.Where(part => part.Key != "postgres").OrderBy(part => part.Key.StartsWith("worker", StringComparison.Ordinal) ? 0 : 1).SelectMany(part => Children(part.Value.Id));

    private static IEnumerable<int> Children(int parent)
    {
        try
        {
            return [.. Directory.GetDirectories($"/proc/{parent}/task").SelectMany(task => File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(int.Parse)];
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static bool Signal(int process, string signal)
    {
        using var kill = Process.Start(new ProcessStartInfo("kill", [$"-{signal}", $"{process}"]) { RedirectStandardError = true })!;
        kill.WaitForExit();
        return kill.ExitCode == 0;
    }

    /// <summary>What a program prints; null where it fails.</summary>
    private static async Task<string?> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var text = await process.StandardOutput.ReadToEndAsync();
        await errors;
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? text : null;
    }

    /// <summary>Below the ports that the system gives to clients: one of those that asks for a server that is just dead can be connected to itself.</summary>
    private static int FreePort()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(20_000, 32_000));
            try
            {
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                // Taken.
            }
        }
    }

    private sealed class Part
    {
        public Process Process { get; set; } = null!;

        public int Id => Process.Id;

        public long StartedAt { get; set; }

        public Task Ended { get; set; } = Task.CompletedTask;
    }
}
