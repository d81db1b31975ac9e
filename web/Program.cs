using Eddy.Access;
using Eddy.Api;
using Eddy.Apps;
using Eddy.Cards;
using Eddy.Cascades;
using Eddy.Docs;
using Eddy.Endpoints;
using Eddy.Files;
using Eddy.Git;
using Eddy.Health;
using Eddy.Hindsight;
using Eddy.Home;
using Eddy.Ide;
using Eddy.Ide.Files;
using Eddy.Ide.Find;
using Eddy.Ide.Inbox;
using Eddy.Ide.Trace;
using Eddy.Ide.Exports;
using Eddy.Ide.Kvps;
using Eddy.Ide.Map;
using Eddy.Identity;
using Eddy.Ingest;
using Eddy.Keys;
using Eddy.Mail;
using Eddy.Mail.Delivery;
using Eddy.Mail.Inbox;
using Eddy.Mail.Mailboxes;
using Eddy.Packages;
using Eddy.Pages;
using Eddy.Postgres;
using Eddy.Problems;
using Eddy.Quarantine;
using Eddy.Processes;
using Eddy.Push;
using Eddy.Events;
using Eddy.Runs;
using Eddy.Sandbox;
using Eddy.Schedules;
using Eddy.Secrets;
using Eddy.Sites;
using Eddy.Telemetry;
using Eddy.Tenants;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;

namespace Eddy;

/// <summary>The web: doors, API and pages. What it consists of, in order.</summary>
public static class WebProgram
{
    public static async Task<int> Main(string[] args)
    {
        WebApplication app;
        try
        {
            app = Build(args);
        }
        catch (OptionsFault wrong)
        {
            await Console.Error.WriteLineAsync(wrong.Message);
            return 2;
        }

        await using var running = app;
        if (await app.Services.GetRequiredService<NpgsqlDataSource>().StartFaultAsync() is { } fault)
        {
            await Console.Error.WriteLineAsync(fault);
            return 1;
        }

        await app.RunAsync();
        return 0;
    }

    /// <summary>Everything that the web is, not yet started. Wrong settings are an <see cref="OptionsFault"/>, all at once.</summary>
    public static WebApplication Build(string[] args)
    {
        // What it serves lies beside the assembly, wherever it is started from.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            ApplicationName = typeof(WebProgram).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
        });
        // What libraries serve lies with them until it is published.
        builder.WebHost.UseStaticWebAssets();
        var options = builder.AddOptions();
        builder.AddLogs();
        builder.AddTelemetry();
        builder.AddKestrel(options);

        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(_ => options.OpenSource());
        builder.Services.AddSingleton(all => new EddyDbs(all.GetRequiredService<NpgsqlDataSource>(), options.OpenBatchSource()));
        builder.Services.AddScoped(all => all.GetRequiredService<EddyDbs>().Global());
        builder.Services.AddDataProtection().SetApplicationName("eddy").PersistKeysToDbContext<EddyDb>();
        builder.Services.AddSingleton<FileStore>();
        builder.Services.AddSingleton<ProcessStore>();
        builder.Services.AddSingleton<ProcessListStore>().AddSingleton<ProcessStoryStore>();
        builder.Services.AddSingleton<RefusedStore>().AddSingleton<ApiKeyStore>().AddSingleton<TenantStore>();
        builder.Services.AddSingleton<EventStore>();
        builder.Services.AddSingleton<RunStore>();
        builder.Services.AddSingleton<CascadeStore>().AddSingleton<QuarantineStore>().AddSingleton<DeferredStore>().AddSingleton<RuleScheduleStore>();
        builder.Services.AddSingleton<PastStore>().AddSingleton<ReplayDesk>().AddSingleton<TrafficStore>().AddSingleton<MapReader>();
        builder.Services.AddSingleton<OutboxStore>().AddSingleton<UnsubscribedStore>().AddSingleton<UnsubscribeLinks>().AddSingleton<InboxStore>().AddSingleton<AttachmentKeys>().AddSingleton<MailboxStore>().AddSingleton<SecretKeeper>().AddSingleton<TenantMailboxes>();
        builder.Services.AddInbox();
        builder.Services.AddSingleton<CardStore>().AddSingleton<UploadStore>().AddSingleton<CardDesk>().AddSingleton(all => new CardSite(null, all.GetRequiredService<MailOptions>().Site)).AddSingleton<CardLinks>();
        builder.Services.AddSingleton<SecretStore>();
        builder.Services.AddSingleton<AccessStore>();
        builder.Services.AddSingleton<DripStore>();

        builder.Services.AddSingleton<PackageIndex>().AddSingleton<PackageResolver>();
        builder.Services.AddSingleton<FileKeeper>().AddSingleton<AppDesk>().AddSingleton<LanguageNames>().AddSingleton<TenantNamesReader>();
        builder.Services.AddSingleton<ProcessFinder>().AddSingleton(all => new RuleSandbox(
            all.GetRequiredService<SandboxOptions>(), TimeProvider.System, all.GetRequiredService<ILogger<RuleSandbox>>(), all.GetRequiredService<SecretKeeper>().SignAsync, all.GetRequiredService<ProcessFinder>(), all.GetRequiredService<FileStore>()));
        builder.Services.AddHostedService<SandboxStart>();
        builder.Services.AddGit();
        builder.Services.AddEndpoints();
        builder.Services.AddSingleton<WhyStore>().AddSingleton<WhyReader>().AddSingleton<DryRunner>().AddSingleton<RuleTester>().AddSingleton<TestMaker>().AddSingleton<TestDesk>().AddSingleton<BacktestStore>().AddSingleton<Backtester>().AddSingleton<Backtests>();
        builder.Services.AddSingleton<Backlog>().AddSingleton<DoorMeters>().AddSingleton<IdleProcessors>().AddSingleton<Door>().AddHostedService(all => all.GetRequiredService<Door>());
        builder.Services.AddSingleton<KeyRing>().AddHostedService<KeyUse>();
        builder.Services.AddSingleton(all => new Listener(all.GetRequiredService<NpgsqlDataSource>(), all.GetRequiredService<ILogger<Listener>>()))
            .AddHostedService(all => all.GetRequiredService<Listener>());
        builder.Services.AddFeed();
        builder.Services.AddTrace();
        builder.Services.AddIdentity(options.People);
        builder.Services.AddSingleton<Finder>();
        builder.Services.AddSingleton<PersonDoor>();
        builder.Services.AddSingleton<Readiness>();
        builder.Services.AddSites();
        builder.Services.AddPages();
        builder.Services.AddApiDocs();
        builder.Services.AddRazorComponents().AddInteractiveServerComponents();

        var app = builder.Build();
        app.UseProblems();
        // The tenants' hosts: what answers there is mapped here, and nothing below answers there.
        app.UseSites(site =>
        {
            site.MapEndpoints();
            site.MapSiteSignIn();
            site.MapCardPages();
            site.MapPages();
        });
        app.UseSecurityHeaders();
        app.UseOwnPages();
        app.UseRouting();
        // What a key opens ends here: what follows is about people's sessions and forms.
        app.UseMiddleware<KeyGate>();
        app.UseRateLimiter();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();

        var api = app.MapGroup("/api");
        api.MapMe();
        api.MapFiles();
        api.MapTree();
        api.MapApp();
        api.MapRules();
        api.MapSecrets();
        api.MapDrips();
        api.MapProcesses();
        api.MapPast();
        api.MapReplays();
        api.MapEvents();
        api.MapRuns();
        api.MapWhy();
        api.MapDryRun();
        api.MapTests();
        api.MapBacktests();
        api.MapQuarantine();
        api.MapOutbox();
        api.MapUnsubscribed();
        api.MapAttachmentAddresses();
        api.MapMailboxes();
        api.MapMail();
        api.MapCards();
        api.MapEndpointsList();
        api.MapUsage();
        api.MapAccess();
        app.MapIngest();
        app.MapGit();
        app.MapHealth();
        app.MapMetrics();
        app.MapApiDocs();
        app.MapHome();
        app.MapSignOut();
        app.MapWayToSites();
        app.MapPasskeys();
        app.MapExports();
        app.MapAttachments();
        app.MapUnsubscribe();
        // Files of this host are everybody's: nothing else is asked before they are sent, packed where the browser takes that.
        app.MapStaticAssets().ShortCircuit();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
        return app;
    }
}
