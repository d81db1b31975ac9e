using Eddy.Migrations;
using Eddy.Postgres;
using Eddy.Sandbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Eddy.Operator;

/// <summary>Looks whether this machine has what Eddy stands on: the database and its roles, Python, each wall of the seal.</summary>
/// <param name="database">As <c>EDDY_DB</c>; empty where it is not set.</param>
/// <param name="app">As <c>EDDY_APP_DB</c>; null where the login can not be tried.</param>
public sealed class Doctor(string database, string? app, SandboxOptions sandbox, bool isDevelopment)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public async Task<IReadOnlyList<Finding>> LookAsync(CancellationToken cancel)
    {
        var findings = new List<Finding>();
        await LookAtDatabaseAsync(findings, cancel);
        await LookAtSandboxAsync(findings, cancel);
        return findings;
    }

    private async Task LookAtDatabaseAsync(List<Finding> findings, CancellationToken cancel)
    {
        if (string.IsNullOrWhiteSpace(database))
        {
            findings.Add(new("database", FindingState.Failed, "EDDY_DB is not set.", "Set it to the connection string of whoever may make roles, or start ./run."));
            return;
        }

        try
        {
            await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database) { Timeout = 5 });
            await using var connection = await source.OpenConnectionAsync(cancel);
            var version = connection.PostgreSqlVersion;
            findings.Add(version.Major >= 15
                ? new("database", FindingState.Ok, $"PostgreSQL {version} answers.", null)
                : new("database", FindingState.Failed, $"PostgreSQL {version} is too old.", "Use PostgreSQL 15 or later."));
            await LookAtRolesAsync(findings, connection, cancel);
        }
        catch (Exception e) when (e is NpgsqlException or ArgumentException or TimeoutException)
        {
            findings.Add(new("database", FindingState.Failed, $"It can not be reached: {e.Message}", "Look whether PostgreSQL runs, and whether EDDY_DB names it."));
            return;
        }

        await LookAtSchemaAsync(findings, cancel);
        await LookAtLoginAsync(findings, cancel);
    }

    private static async Task LookAtRolesAsync(List<Finding> findings, NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            """
            select name, rolname is not null, coalesce(rolsuper, false), coalesce(rolbypassrls, false), coalesce(rolcanlogin, false)
            from unnest(array['eddy_app', 'eddy_owner', 'eddy_system']) name left join pg_roles on rolname = name order by 1
            """, connection);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        var faults = new List<string>();
        while (await rows.ReadAsync(cancel))
        {
            var name = rows.GetString(0);
            var (isThere, isSuper, bypasses, mayLogIn) = (rows.GetBoolean(1), rows.GetBoolean(2), rows.GetBoolean(3), rows.GetBoolean(4));
            var fault = !isThere ? "is not there"
                : isSuper ? "is a superuser"
                : bypasses != (name == "eddy_system") ? bypasses ? "may bypass row-level security" : "may not bypass row-level security"
                : mayLogIn != (name == "eddy_app") ? mayLogIn ? "may log in" : "may not log in"
                : null;
            if (fault is not null)
            {
                faults.Add($"{name} {fault}");
            }
        }

        findings.Add(faults.Count == 0
            ? new("roles", FindingState.Ok, "eddy_app, eddy_owner and eddy_system are as they should be.", null)
            : new("roles", FindingState.Failed, $"{string.Join(", ", faults)}.", "Run ./eddy migrate; what it does not mend is in migrations/Sql/roles.sql."));
    }

    private async Task LookAtSchemaAsync(List<Finding> findings, CancellationToken cancel)
    {
        const string mend = "Run ./eddy migrate.";
        try
        {
            await using var db = new EddyDb(Migrator.Options(database));
            var pending = (await db.Database.GetPendingMigrationsAsync(cancel)).ToList();
            findings.Add(pending.Count == 0
                ? new("schema", FindingState.Ok, "It is at this version.", null)
                : new("schema", FindingState.Failed, $"Migrations are missing: {string.Join(", ", pending)}.", mend));
        }
        catch (NpgsqlException e)
        {
            findings.Add(new("schema", FindingState.Failed, $"It can not be read: {e.Message}", mend));
        }
    }

    private async Task LookAtLoginAsync(List<Finding> findings, CancellationToken cancel)
    {
        if (app is null)
        {
            findings.Add(new("login", FindingState.Warning, "It was not tried.", "Set EDDY_APP_DB as web and worker have it."));
            return;
        }

        try
        {
            await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(app) { Timeout = 5 });
            var fault = await AppRole.FaultAsync(source, cancel);
            findings.Add(fault is null
                ? new("login", FindingState.Ok, "Web and worker can log in, and row-level security holds them.", null)
                : new("login", FindingState.Failed, fault, "Let EDDY_APP_DB name the login eddy_app."));
        }
        catch (Exception e) when (e is NpgsqlException or ArgumentException or TimeoutException)
        {
            findings.Add(new("login", FindingState.Failed, $"Web and worker can not log in: {e.Message}", "Run ./eddy migrate with EDDY_APP_PASSWORD as EDDY_APP_DB has it."));
        }
    }

    private async Task LookAtSandboxAsync(List<Finding> findings, CancellationToken cancel)
    {
        var faults = sandbox.Faults();
        if (faults.Count > 0)
        {
            findings.Add(new("sandbox", FindingState.Failed, string.Join(' ', faults), "Mend the settings Sandbox:…"));
            return;
        }

        await using var rules = new RuleSandbox(sandbox, TimeProvider.System, NullLogger<RuleSandbox>.Instance);
        try
        {
            await rules.StartAsync(cancel).WaitAsync(Patience, cancel);
        }
        catch (TimeoutException)
        {
            findings.Add(new("sandbox", FindingState.Failed, $"It did not answer within {Patience.TotalSeconds:0} s.", "Look into the log of the sandbox."));
            return;
        }

        var health = rules.Health;
        if (health.Zygote is { } zygote)
        {
            findings.Add(new("python", FindingState.Ok, zygote + (sandbox.Socket is null ? "." : $", at {sandbox.Socket}."), null));
        }
        else
        {
            findings.Add(new("python", FindingState.Failed, health.Reason ?? "There is no zygote.", sandbox.Socket is null
                ? $"Install Python 3.11 or later as {sandbox.Python}, or set Sandbox:Python."
                : $"Start the sandbox's service, and look whether this user may reach {sandbox.Socket}."));
        }

        foreach (var wall in health.Walls)
        {
            var version = wall.Name == "landlock" && health.LandlockAbi > 0 ? $" (version {health.LandlockAbi})" : "";
            findings.Add(wall.State switch
            {
                WallState.Held => new(wall.Name, FindingState.Ok, $"Holds{version}: {wall.Meaning}.", null),
                WallState.Absent => new(wall.Name, FindingState.Warning, $"This kernel has none: {wall.Meaning}. The other walls hold without it.", wall.Mend),
                _ => new(wall.Name, FindingState.Failed, $"Let through {wall.Why}.", wall.Mend),
            });
        }

        if (health.IsUnsealed)
        {
            findings.Add(new("seal", isDevelopment ? FindingState.Warning : FindingState.Failed, "There is none: rules can do whatever this user can.", "Take Sandbox:Unsealed away."));
        }
        else if (health is { Ready: false, Zygote: not null } && !health.Walls.Any(wall => wall.State == WallState.Failed))
        {
            findings.Add(new("seal", FindingState.Failed, health.Reason ?? "It is not ready.", "See docs/operations.md, The seal."));
        }
    }
}

/// <summary>What the doctor found of one part.</summary>
/// <param name="Mend">What to do about it; null where nothing is to be done.</param>
public sealed record Finding(string Part, FindingState State, string Sentence, string? Mend);

public enum FindingState
{
    Ok,
    Warning,
    Failed,
}
