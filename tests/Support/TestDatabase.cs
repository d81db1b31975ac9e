using System.Diagnostics;
using Eddy.Migrations;
using Npgsql;

[assembly: AssemblyFixture(typeof(Eddy.Tests.TestDatabase))]

namespace Eddy.Tests;

/// <summary>
/// The database of a test run, migrated, on a real PostgreSQL: that of <c>EDDY_TEST_DB</c> (a superuser's connection string), else a private one that lives as long
/// as the run. Tests share it, each in a tenant of its own; one that needs the whole of it takes a copy.
/// </summary>
public sealed class TestDatabase : IAsyncLifetime
{
    internal const string AppPassword = "for-tests-alone";

    private readonly string _suffix = Guid.NewGuid().ToString("N")[..8];
    private TestCluster? _cluster;
    private string _server = "";
    private NpgsqlDataSource? _superuser;
    private NpgsqlDataSource? _app;
    private readonly Lock _starts = new();
    private Task<RunningWay>? _way;
    private Task<TestWeb>? _web;

    /// <summary>The connection string of eddy_app, as web and worker have it.</summary>
    public string AppConnection { get; private set; } = "";

    /// <summary>The connection string of a superuser, as the migrator has it.</summary>
    public string SuperuserConnection { get; private set; } = "";

    /// <summary>Sees all tenants' rows. Only for what a test prepares.</summary>
    public NpgsqlDataSource Superuser => _superuser!;

    /// <summary>What the product itself uses.</summary>
    public NpgsqlDataSource App => _app!;

    public TestDatabase()
    {
    }

    private TestDatabase(string superuser, string app)
    {
        (SuperuserConnection, AppConnection) = (superuser, app);
        (_superuser, _app) = (NpgsqlDataSource.Create(superuser), NpgsqlDataSource.Create(app));
    }

    private string Template => $"eddy_template_{_suffix}";

    public async ValueTask InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("EDDY_TEST_DB") is { Length: > 0 } given)
        {
            _server = given;
        }
        else
        {
            _cluster = await TestCluster.StartAsync();
            _server = _cluster.Connection;
        }

        await ServerAsync($"create database {Template}");
        await new Migrator(With(_server, Template)).MigrateAsync(AppPassword, CancellationToken.None);
        NpgsqlConnection.ClearAllPools();
        (SuperuserConnection, AppConnection) = await CopyAsync($"eddy_test_{_suffix}");
        _superuser = NpgsqlDataSource.Create(SuperuserConnection);
        _app = NpgsqlDataSource.Create(AppConnection);
    }

    /// <summary>A fresh migrated database, for tests of what is global, such as who holds which shard.</summary>
    public async Task<TestDatabase> OfItsOwnAsync()
    {
        var (superuser, app) = await CopyAsync("eddy_own_" + Guid.NewGuid().ToString("N")[..12]);
        return new TestDatabase(superuser, app);
    }

    /// <summary>The web on this database that tests share which need nothing special of it. The first starts it.</summary>
    public Task<TestWeb> WebAsync()
    {
        lock (_starts)
        {
            return _web ??= TestWeb.StartAsync(this);
        }
    }

    /// <summary>The way, on a database of its own, that tests share which need nothing special of it. The first starts it.</summary>
    public Task<RunningWay> WayAsync()
    {
        lock (_starts)
        {
            return _way ??= RunningWay.StartAsync(this);
        }
    }

    /// <summary>A migrated database on a server of the test's own.</summary>
    public static TestDatabase At(string superuser, string app) => new(superuser, app);

    /// <summary>A fresh migrated database of this name, for a test of what is global. It is dropped with the run.</summary>
    public async Task<(string Superuser, string App)> CopyAsync(string name)
    {
        await ServerAsync($"create database {name} template {Template}");
        lock (_copies)
        {
            _copies.Add(name);
        }

        var superuser = With(_server, name);
        // Many webs and workers share one server here.
        var app = new NpgsqlConnectionStringBuilder(superuser) { Username = "eddy_app", Password = AppPassword, MaxPoolSize = 25 };
        return (superuser, app.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        if (_way is { IsCompletedSuccessfully: true })
        {
            await (await _way).DisposeAsync();
        }

        if (_web is { IsCompletedSuccessfully: true })
        {
            await (await _web).DisposeAsync();
        }

        if (_superuser is not null)
        {
            await _superuser.DisposeAsync();
        }

        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
            return;
        }

        foreach (var name in _server.Length == 0 ? [] : _copies.Append(Template))
        {
            await ServerAsync($"drop database if exists {name} with (force)");
        }
    }

    private readonly List<string> _copies = [];

    private static string With(string server, string database) => new NpgsqlConnectionStringBuilder(server) { Database = database }.ConnectionString;

    private async Task ServerAsync(string statement)
    {
        await using var source = NpgsqlDataSource.Create(With(_server, "postgres"));
        await using var command = source.CreateCommand(statement);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>A private PostgreSQL in a directory of its own, on a Unix socket. It ends when the test process does, however that ends.</summary>
    private sealed class TestCluster(string directory, Process server) : IAsyncDisposable
    {
        // PostgreSQL refuses to run as root. The shell's standard input is its lifeline: at its end the server is told to stop.
        private const string Script = """
            set -e
            bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
            PATH=$bin:$PATH
            initdb -D "$1/data" -U postgres -A trust --no-sync -E UTF8 --locale=C.UTF-8 >"$1/initdb.log" 2>&1
            postgres -D "$1/data" -k "$1" -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=600 -c jit=off >"$1/postgres.log" 2>&1 &
            server=$!
            cat >/dev/null
            kill -INT $server
            wait $server
            """;

        public string Connection => $"Host={directory};Username=postgres;Database=postgres";

        public static async Task<TestCluster> StartAsync()
        {
            var directory = Directory.CreateTempSubdirectory("eddy-test-").FullName;
            var isRoot = Environment.IsPrivilegedProcess;
            if (isRoot)
            {
                using var own = Process.Start("chown", ["postgres:", directory]);
                await own.WaitForExitAsync();
            }

            string[] shell = ["sh", "-c", Script, "sh", directory];
            var start = isRoot ? new ProcessStartInfo("setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", .. shell]) : new ProcessStartInfo("sh", shell[1..]);
            start.RedirectStandardInput = true;
            start.WorkingDirectory = directory;
            var cluster = new TestCluster(directory, Process.Start(start)!);
            await cluster.AnswersAsync();
            return cluster;
        }

        public async ValueTask DisposeAsync()
        {
            server.StandardInput.Close();
            await server.WaitForExitAsync();
            server.Dispose();
            Directory.Delete(directory, recursive: true);
        }

        private async Task AnswersAsync()
        {
            await using var source = NpgsqlDataSource.Create(Connection);
            for (var started = Stopwatch.GetTimestamp(); ;)
            {
                try
                {
                    await using var connection = await source.OpenConnectionAsync();
                    return;
                }
                catch (NpgsqlException) when (!server.HasExited && Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60))
                {
                    await Task.Delay(50);
                }
                catch (NpgsqlException)
                {
                    var log = Path.Combine(directory, "postgres.log");
                    throw new InvalidOperationException($"The private PostgreSQL did not start: {(File.Exists(log) ? await File.ReadAllTextAsync(log) : "initdb failed")}");
                }
            }
        }
    }
}
