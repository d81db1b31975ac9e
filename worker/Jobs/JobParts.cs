using Hangfire;
using Hangfire.PostgreSql;
using Hangfire.Server;
using Npgsql;

namespace Eddy.Jobs;

/// <summary>Hangfire, which hosts the pump, the clock and the courier, and ticks what recurs. Its tables are made by the migrator.</summary>
internal static class JobParts
{
    public static void AddJobs(this IServiceCollection services, string connectionString)
    {
        // No LISTEN connections: every NOTIFY of the way would wake them all.
        var storage = new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = "eddy-jobs" };
        storage.MaxPoolSize = Math.Min(storage.MaxPoolSize, 10);
        services.AddHangfire(hangfire => hangfire
            .SetDataCompatibilityLevel(CompatibilityLevel.Version_180)
            .UseSimpleAssemblyNameTypeSerializer()
            .UseRecommendedSerializerSettings()
            .UsePostgreSqlStorage(
                postgres => postgres.UseNpgsqlConnection(storage.ConnectionString),
                new PostgreSqlStorageOptions
                {
                    SchemaName = "hangfire",
                    PrepareSchemaIfNecessary = false,
                    QueuePollInterval = TimeSpan.FromSeconds(2),
                }));
        services.AddSingleton<PumpProcess>().AddSingleton<IBackgroundProcess>(all => all.GetRequiredService<PumpProcess>());
        services.AddSingleton<IBackgroundProcess, ClockProcess>();
        services.AddSingleton<IBackgroundProcess, CourierProcess>();
        services.AddHangfireServer(server =>
        {
            server.WorkerCount = 2;
            server.SchedulePollingInterval = TimeSpan.FromSeconds(5);
            server.StopTimeout = TimeSpan.FromSeconds(10);
            server.ShutdownTimeout = TimeSpan.FromSeconds(15);
        });
    }

    public static void ScheduleJobs(this IServiceProvider services) =>
        services.GetRequiredService<IRecurringJobManager>().AddOrUpdate<UpkeepJob>("upkeep", job => job.RunAsync(CancellationToken.None), Cron.Hourly());
}
