using Eddy.Egress;
using Eddy.Endpoints;
using Eddy.Git;
using Eddy.Identity;
using Eddy.Ingest;
using Eddy.Mail;
using Eddy.Packages;
using Eddy.Postgres;
using Eddy.Sandbox;
using Eddy.Secrets;
using Eddy.Sites;
using Eddy.Telemetry;
using Npgsql;

namespace Eddy;

/// <summary>The web's own settings (section <c>Web</c>), and the database.</summary>
public sealed class WebOptions
{
    /// <summary><c>EDDY_APP_DB</c>: the connection string of the login eddy_app.</summary>
    public string AppDb { get; set; } = "";

    /// <summary>The most bytes of a tenant's file.</summary>
    public int FileBytes { get; set; } = 1 << 20;

    /// <summary>With an arrival that has waited longer than this, the web is not ready.</summary>
    public TimeSpan ReadyLag { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How people sign up and in; a section of its own.</summary>
    internal PeopleOptions People { get; set; } = new();

    /// <summary>Everything that is wrong with these settings.</summary>
    public IEnumerable<string> Faults()
    {
        if (string.IsNullOrWhiteSpace(AppDb))
        {
            yield return "EDDY_APP_DB is not set: it takes the connection string of the login eddy_app, as in 'Host=db;Database=eddy;Username=eddy_app;Password=…'.";
        }
        else if (ConnectionFault(AppDb) is { } fault)
        {
            yield return fault;
        }

        if (FileBytes is < 1 or > 64 << 20)
        {
            yield return $"Web:FileBytes is {FileBytes}; it takes 1 to {64 << 20}.";
        }

        if (ReadyLag <= TimeSpan.Zero)
        {
            yield return $"Web:ReadyLag is {ReadyLag}; it takes more than 0.";
        }
    }

    /// <summary>The pool of connections. Statements are prepared once they come again: reading a process took 0.40 ms without and 0.26 with it.</summary>
    public NpgsqlDataSource OpenSource() => Open(reset: true);

    /// <summary>A pool whose connections are not reset between two uses; see <see cref="Postgres.EddyDbs"/>.</summary>
    public NpgsqlDataSource OpenBatchSource() => Open(reset: false);

    private NpgsqlDataSource Open(bool reset)
    {
        var connection = new NpgsqlConnectionStringBuilder(AppDb)
        {
            Options = EddyDbs.PlanSettings, NoResetOnClose = !reset, ApplicationName = "eddy-web",
        };
        connection.MaxPoolSize = Math.Min(connection.MaxPoolSize, 30);
        connection.MaxAutoPrepare = connection.MaxAutoPrepare == 0 ? 50 : connection.MaxAutoPrepare;
        return NpgsqlDataSource.Create(connection);
    }

    // The text may hold a password, so the fault does not repeat it.
    private static string? ConnectionFault(string text)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(text).NoResetOnClose
                ? "EDDY_APP_DB says 'No Reset On Close': the next tenant would see the rows of the one before."
                : null;
        }
        catch (ArgumentException)
        {
            return "EDDY_APP_DB is no connection string of PostgreSQL: it takes 'Host=…;Database=…;Username=eddy_app;Password=…'.";
        }
    }
}

/// <summary>Settings are wrong; the message has a sentence for each.</summary>
public sealed class OptionsFault(IReadOnlyList<string> faults) : Exception(string.Join(Environment.NewLine, faults))
{
    public IReadOnlyList<string> Faults => faults;
}

internal static class WebOptionsExtensions
{
    /// <summary>Reads and checks all settings, so that a wrong one is told before anything starts.</summary>
    public static WebOptions AddOptions(this WebApplicationBuilder builder)
    {
        var web = builder.Configuration.GetSection("Web").Get<WebOptions>() ?? new WebOptions();
        web.AppDb = builder.Configuration["EDDY_APP_DB"] ?? web.AppDb;
        var door = builder.Configuration.GetSection("Door").Get<DoorOptions>() ?? new DoorOptions();
        var sandbox = builder.Configuration.GetSection("Sandbox").Get<SandboxOptions>() ?? new SandboxOptions();
        var packages = builder.Configuration.GetSection("Packages").Get<PackageOptions>() ?? new PackageOptions();
        var mail = builder.Configuration.GetSection("Mail").Get<MailOptions>() ?? new MailOptions();
        var endpoints = builder.Configuration.GetSection("Endpoints").Get<EndpointOptions>() ?? new EndpointOptions();
        var egress = builder.Configuration.GetSection("Egress").Get<EgressOptions>() ?? new EgressOptions();
        var git = builder.Configuration.GetSection("Git").Get<GitOptions>() ?? new GitOptions();
        web.People = builder.Configuration.GetSection("People").Get<PeopleOptions>() ?? new PeopleOptions();
        var sites = builder.Configuration.GetSection("Sites").Get<SiteOptions>() ?? new SiteOptions();
        sites.Domain = string.IsNullOrWhiteSpace(sites.Domain) ? (builder.Environment.IsDevelopment() ? "localhost" : null) : sites.Domain.Trim();
        sites.Platform = string.IsNullOrWhiteSpace(sites.Platform) ? null : sites.Platform.Trim();
        var masters = MasterKeys.Read(builder.Configuration.GetSection("Secrets").Get<SecretsOptions>() ?? new SecretsOptions(), out var mastersFault);
        var metrics = new MetricsDoor(builder.Configuration[MetricsDoor.Setting]);
        List<string> faults = [.. web.Faults(), .. door.Faults(), .. metrics.Faults(), .. sandbox.Faults().Select(fault => "Sandbox: " + fault), .. packages.Faults(), .. mail.Faults(), .. endpoints.Faults(), .. egress.Faults().Select(fault => "Egress: " + fault), .. web.People.Faults(), .. sites.Faults(), .. git.Faults()];
        if (mastersFault is not null)
        {
            faults.Add(mastersFault);
        }

        if (sandbox.UnsealedFault(builder.Environment.IsDevelopment()) is { } unsealed)
        {
            faults.Add("Sandbox: " + unsealed);
        }

        if (faults.Count > 0)
        {
            throw new OptionsFault(faults);
        }

        builder.Services.AddSingleton(web).AddSingleton(door).AddSingleton(sandbox).AddSingleton(packages).AddSingleton(masters).AddSingleton(metrics).AddSingleton(mail).AddSingleton(endpoints).AddSingleton(egress).AddSingleton(web.People).AddSingleton(sites).AddSingleton(git);
        return web;
    }

    /// <summary>No word of what serves, and no body larger than the door or a file takes.</summary>
    public static void AddKestrel(this WebApplicationBuilder builder, WebOptions options) =>
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.FileBytes;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 << 10;
        });

    /// <summary>Why the web can not start on this database, in a sentence, or null.</summary>
    public static async Task<string?> StartFaultAsync(this NpgsqlDataSource source)
    {
        try
        {
            return await Postgres.AppRole.FaultAsync(source, CancellationToken.None);
        }
        catch (NpgsqlException fault)
        {
            return $"The database can not be reached: {fault.Message}";
        }
    }
}
