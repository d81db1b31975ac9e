using Eddy.Access;
using Eddy.Cards;
using Eddy.Egress;
using Eddy.Files;
using Eddy.Health;
using Eddy.Jobs;
using Eddy.Mail;
using Eddy.Mail.Delivery;
using Eddy.Mail.Inbox;
using Eddy.Mail.Mailboxes;
using Eddy.Postgres;
using Eddy.Processes;
using Eddy.Pump;
using Eddy.Quarantine;
using Eddy.Sandbox;
using Eddy.Schedules;
using Eddy.Secrets;
using Eddy.Telemetry;
using Eddy.Upkeep;
using Npgsql;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Serilog;
using Serilog.Events;
using Serilog.Formatting.Compact;

namespace Eddy;

/// <summary>The worker: pumps and upkeep. What it consists of, in order.</summary>
public static class WorkerProgram
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);

    public static async Task<int> Main(string[] args)
    {
        WebApplication built;
        try
        {
            built = Build(args);
        }
        catch (InvalidOperationException wrong)
        {
            await Console.Error.WriteLineAsync(wrong.Message);
            return 2;
        }

        await using var app = built;
        if (await StartFaultAsync(app.Services) is { } fault)
        {
            await Console.Error.WriteLineAsync(fault);
            return 1;
        }

        await StartedAsync(app.Services, CancellationToken.None);
        await app.RunAsync();
        return 0;
    }

    /// <summary>Everything that the worker is, not yet started.</summary>
    /// <exception cref="InvalidOperationException">Settings are wrong; the message has a sentence for each.</exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ApplicationName = typeof(WorkerProgram).Assembly.GetName().Name });
        var pump = builder.Configuration.GetSection("Pump").Get<PumpOptions>() ?? new PumpOptions();
        var sandbox = builder.Configuration.GetSection("Sandbox").Get<SandboxOptions>() ?? new SandboxOptions();
        var database = builder.Configuration["EDDY_APP_DB"] ?? "";
        var egress = builder.Configuration.GetSection("Egress").Get<EgressOptions>() ?? new EgressOptions();
        var schedules = builder.Configuration.GetSection("Schedules").Get<SchedulesOptions>() ?? new SchedulesOptions();
        var mail = builder.Configuration.GetSection("Mail").Get<MailOptions>() ?? new MailOptions();
        var metrics = new MetricsDoor(builder.Configuration[MetricsDoor.Setting]);
        List<string> faults = [.. pump.Faults(), .. metrics.Faults(), .. mail.Faults(), .. schedules.Faults(), .. sandbox.Faults().Select(fault => "Sandbox: " + fault), .. egress.Faults().Select(fault => "Egress: " + fault)];
        var masters = MasterKeys.Read(builder.Configuration.GetSection("Secrets").Get<SecretsOptions>() ?? new SecretsOptions(), out var mastersFault);
        if (mastersFault is not null)
        {
            faults.Add(mastersFault);
        }

        var dkim = DkimKeys.Read(mail.Dkim, out var dkimFault);
        if (dkimFault is not null)
        {
            faults.Add(dkimFault);
        }

        if (sandbox.UnsealedFault(builder.Environment.IsDevelopment()) is { } unsealed)
        {
            faults.Add("Sandbox: " + unsealed);
        }

        if (string.IsNullOrWhiteSpace(database))
        {
            faults.Add("EDDY_APP_DB is not set: it takes the connection string of the login eddy_app.");
        }

        if (faults.Count > 0)
        {
            throw new InvalidOperationException(string.Join(Environment.NewLine, faults));
        }

        builder.Logging.ClearProviders();
        builder.Services.AddSerilog(log => log
            .MinimumLevel.Information()
            .MinimumLevel.Override("Microsoft.AspNetCore", LogEventLevel.Warning)
            .MinimumLevel.Override("Hangfire", LogEventLevel.Warning)
            .ReadFrom.Configuration(builder.Configuration)
            .WriteTo.Console(new RenderedCompactJsonFormatter()));
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("eddy-worker"))
            .WithTracing(traces =>
            {
                traces.AddSource(RunSpans.Source);
                if (!string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
                {
                    traces.AddOtlpExporter();
                }
            })
            .WithMetrics(metrics => metrics.AddMeter("Eddy*").AddRuntimeInstrumentation().AddPrometheusExporter());

        // As in the web: where tenants have hosts, mail leads to cards there.
        var domain = builder.Configuration["Sites:Domain"] is { } said && !string.IsNullOrWhiteSpace(said) ? said.Trim() : builder.Environment.IsDevelopment() ? "localhost" : null;

        // The pump's statements are few and always the same.
        var connection = new NpgsqlConnectionStringBuilder(database) { MaxAutoPrepare = 100, AutoPrepareMinUsages = 2, ApplicationName = "eddy-worker", Options = EddyDbs.PlanSettings };
        connection.MaxPoolSize = Math.Min(connection.MaxPoolSize, 40);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(connection));
        builder.Services.AddSingleton(pump).AddSingleton(schedules).AddSingleton(sandbox).AddSingleton(egress).AddSingleton(mail).AddSingleton(metrics);
        builder.Services.AddSingleton<EddyDbs>().AddSingleton<FileStore>().AddSingleton<ProcessFinder>().AddSingleton<AccessStore>().AddSingleton<ReceiverStore>();
        builder.Services.AddSingleton(masters).AddSingleton<SecretStore>().AddSingleton<SecretKeeper>();
        builder.Services.AddSingleton(all => new RuleSandbox(
            sandbox, TimeProvider.System, all.GetRequiredService<ILogger<RuleSandbox>>(), all.GetRequiredService<SecretKeeper>().SignAsync, all.GetRequiredService<ProcessFinder>(), all.GetRequiredService<FileStore>()));
        builder.Services.AddSingleton(all => new OutgoingCalls(egress, all.GetRequiredService<SecretKeeper>(), TimeProvider.System, all.GetRequiredService<ILogger<OutgoingCalls>>()));
        builder.Services.AddSingleton<PumpMeters>().AddSingleton<QuarantineStore>().AddSingleton<TreeReader>().AddSingleton(new CardSite(domain, mail.Site)).AddSingleton<CardLinks>().AddSingleton<EffectWriter>().AddSingleton<TurnRunner>().AddSingleton<FlightRunner>();
        builder.Services.AddSingleton<DripMeters>().AddSingleton<ITicker, DripTicker>().AddSingleton<ITicker, DeferredTicker>().AddSingleton<ITicker, RuleTicker>().AddSingleton<Clock>();
        builder.Services.AddSingleton(mail.Smtp).AddSingleton(dkim!).AddSingleton<DeliveryMeters>().AddSingleton<OutboxQueue>().AddSingleton<UnsubscribedStore>().AddSingleton<UnsubscribeLinks>().AddSingleton<Handover>().AddSingleton<Courier>();
        builder.Services.AddSingleton(mail.Inbox).AddSingleton(all => new InboxAddresses(mail.Inbox, masters)).AddSingleton<InboxPolicyStore>().AddSingleton<InboxFactStore>().AddSingleton<InboxMeters>().AddSingleton(new SignatureKeys(mail.Inbox.Resolver, mail.Inbox.DnsPatience)).AddSingleton<MessageTaker>().AddSingleton<MailboxStore>().AddSingleton<TenantMailboxes>().AddSingleton<MailReader>();
        builder.Services.AddSingleton<Housekeeper>();
        builder.Services.AddJobs(database);

        var app = builder.Build();
        app.MapWorkerHealth();
        app.MapMetrics();
        return app;
    }

    /// <summary>What comes before the first slice.</summary>
    public static async Task StartedAsync(IServiceProvider services, CancellationToken cancel)
    {
        await services.GetRequiredService<Housekeeper>().MakePartitionsAsync(cancel);
        await services.GetRequiredService<RuleSandbox>().StartAsync(cancel);
        services.ScheduleJobs();
    }

    /// <summary>Why the worker can not start on this database, in a sentence, or null. One that is starting, too, is waited for.</summary>
    private static async Task<string?> StartFaultAsync(IServiceProvider services)
    {
        var time = services.GetRequiredService<TimeProvider>();
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await AppRole.FaultAsync(services.GetRequiredService<NpgsqlDataSource>(), CancellationToken.None);
            }
            catch (NpgsqlException fault) when (time.GetElapsedTime(started) > StartPatience)
            {
                return $"The database can not be reached: {fault.Message}";
            }
            catch (NpgsqlException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), time);
            }
        }
    }
}
