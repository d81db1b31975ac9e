using System.CommandLine;
using Eddy.Sandbox;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Eddy.Operator;

/// <summary><c>eddy doctor</c>: what is wrong with this machine, and how to mend it. Its exit code is 1 where something is.</summary>
public static class DoctorCommand
{
    public static Command Make(string database)
    {
        var doctor = new Command("doctor", "Look whether database, roles, Python and each wall of the seal are as they should be.");
        doctor.SetAction(async (_, cancel) =>
        {
            var settings = new ConfigurationBuilder().AddEnvironmentVariables().Build();
            var sandbox = settings.GetSection("Sandbox").Get<SandboxOptions>() ?? new SandboxOptions();
            var isDevelopment = settings["ASPNETCORE_ENVIRONMENT"] == "Development";
            return Tell(await new Doctor(database, App(database, settings), sandbox, isDevelopment).LookAsync(cancel), Console.Out);
        });
        return doctor;
    }

    /// <summary>Writes the findings as a table; gives the exit code.</summary>
    public static int Tell(IReadOnlyList<Finding> findings, TextWriter output)
    {
        var width = findings.Max(finding => finding.Part.Length);
        foreach (var finding in findings)
        {
            var state = finding.State switch
            {
                FindingState.Ok => "ok",
                FindingState.Warning => "warning",
                _ => "FAILED",
            };
            output.WriteLine($"{state,-7}  {finding.Part.PadRight(width)}  {finding.Sentence}");
            if (finding.Mend is not null)
            {
                output.WriteLine($"{"",-7}  {"".PadRight(width)}  {finding.Mend}");
            }
        }

        return findings.Any(finding => finding.State == FindingState.Failed) ? 1 : 0;
    }

    /// <summary>As web and worker log in: by <c>EDDY_APP_DB</c>, or as <c>./run</c> makes it of the migrator's connection.</summary>
    private static string? App(string database, IConfiguration settings)
    {
        if (settings["EDDY_APP_DB"] is { Length: > 0 } app)
        {
            return app;
        }

        return settings["EDDY_APP_PASSWORD"] is { Length: > 0 } password && database.Length > 0
            ? new NpgsqlConnectionStringBuilder(database) { Username = "eddy_app", Password = password, Options = null }.ConnectionString
            : null;
    }
}
