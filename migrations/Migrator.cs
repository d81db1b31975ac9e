using Eddy.Postgres;
using Hangfire.PostgreSql;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Eddy.Migrations;

/// <summary>
/// Brings a database to the schema of this version: the roles, then EF's migrations (which own tables, functions, policies and partitions), then
/// Hangfire's own tables. Can be run again at any time; two at once wait for each other. Connects as whoever may make roles
/// (<c>EDDY_DB</c>) and makes everything as <c>eddy_owner</c>.
/// </summary>
public sealed class Migrator(string connectionString)
{
    /// <summary>Why this database can not be brought to this version, in a sentence; null where it can. Until 28 November 2026 the first migration itself grew.</summary>
    public async Task<string?> FaultAsync(CancellationToken cancel)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var look = source.CreateCommand("select to_regclass('public.migrations') is not null and to_regclass('public.arrivals') is not null and to_regclass('public.acl_versions') is null");
        return (bool)(await look.ExecuteScalarAsync(cancel))!
            ? "This database was made by a version of Eddy from before 28 November 2026, whose tables this one does not know. Begin anew with another database (./run: another EDDY_HOME), and bring the files over: that version tells each by GET /api/files/PATH."
            : null;
    }

    public async Task MigrateAsync(string? appPassword, CancellationToken cancel)
    {
        await using (var source = NpgsqlDataSource.Create(connectionString))
        {
            await using var roles = source.CreateCommand(Sql("roles"));
            await roles.ExecuteNonQueryAsync(cancel);
            if (appPassword is not null)
            {
                await SetAppPasswordAsync(source, appPassword, cancel);
            }
        }

        await using (var db = new EddyDb(Options(connectionString)))
        {
            await db.Database.MigrateAsync(cancel);
        }

        await using var owner = NpgsqlDataSource.Create(AsOwner(connectionString));
        await using var connection = await owner.OpenConnectionAsync(cancel);
        PostgreSqlObjectsInstaller.Install(connection, "hangfire");
        await using var grants = new NpgsqlCommand(Sql("hangfire"), connection);
        await grants.ExecuteNonQueryAsync(cancel);
    }

    public static DbContextOptions<EddyDb> Options(string connectionString) =>
        EddyDb.Options()
            .UseNpgsql(AsOwner(connectionString), npgsql => npgsql.MigrationsAssembly(typeof(Migrator).Assembly.GetName().Name).MigrationsHistoryTable("migrations"))
            .Options;

    /// <summary>A script of <c>migrations/Sql</c>.</summary>
    public static string Sql(string name)
    {
        using var stream = typeof(Migrator).Assembly.GetManifestResourceStream($"Eddy.Sql.{name}.sql")
            ?? throw new InvalidOperationException($"There is no script {name}.sql in this assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>The same login, acting as the owner of the schema.</summary>
    public static string AsOwner(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Options = "-c role=eddy_owner" }.ConnectionString;

    private static async Task SetAppPasswordAsync(NpgsqlDataSource source, string password, CancellationToken cancel)
    {
        // ALTER ROLE takes no parameters; the server quotes the text itself.
        await using var quote = source.CreateCommand("select format('alter role eddy_app password %L', $1)");
        quote.Parameters.Add(new() { Value = password });
        var statement = (string)(await quote.ExecuteScalarAsync(cancel))!;
        await using var alter = source.CreateCommand(statement);
        await alter.ExecuteNonQueryAsync(cancel);
    }
}
