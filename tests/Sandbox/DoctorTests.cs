using System.Net;
using System.Text.Json;
using Eddy.Operator;
using Npgsql;

namespace Eddy.Tests.Sandbox;

/// <summary>What operators are told: by the doctor, and by the health of web and worker.</summary>
public sealed class DoctorTests(TestDatabase database)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Where_all_is_well_the_doctor_says_so_of_each_part()
    {
        var findings = await new Doctor(database.SuperuserConnection, database.AppConnection, CellFixture.Limits(), isDevelopment: false).LookAsync(Ct);

        findings.Where(finding => finding.State == FindingState.Failed).ShouldBeEmpty();
        findings.Select(finding => finding.Part).ShouldBe([
            "database", "roles", "schema", "login", "python",
            "descriptors", "user", "lifeline", "dumpable", "privileges", "limits", "landlock", "seccomp", "environment", "all-together"]);
        var table = new StringWriter();
        DoctorCommand.Tell(findings, table).ShouldBe(0);
        table.ToString().ShouldContain("no system call but the few that Python needs");
        table.ToString().ShouldContain("Python 3.");
    }

    [Fact]
    public async Task What_is_wrong_is_said_with_how_to_mend_it_and_the_exit_code_is_1()
    {
        var options = CellFixture.Limits();
        options.Python = "/nonexistent/python3";

        var findings = await new Doctor("Host=127.0.0.1;Port=1;Database=eddy;Username=postgres", null, options, isDevelopment: false).LookAsync(Ct);

        findings.Where(finding => finding.State == FindingState.Failed).Select(finding => finding.Part).ShouldContain("database");
        findings.Select(finding => finding.Part).ShouldBe(["database", "python"]);
        findings[1].Mend.ShouldNotBeNull().ShouldContain("/nonexistent/python3");
        DoctorCommand.Tell(findings, TextWriter.Null).ShouldBe(1);
    }

    [Fact]
    public async Task A_database_without_its_schema_and_a_login_that_may_too_much_are_found()
    {
        var name = "eddy_bare_" + Guid.NewGuid().ToString("N")[..8];
        await using (var make = database.Superuser.CreateCommand($"create database {name}"))
        {
            await make.ExecuteNonQueryAsync(Ct);
        }

        var bare = new NpgsqlConnectionStringBuilder(database.SuperuserConnection) { Database = name, Pooling = false }.ConnectionString;
        var findings = await new Doctor(bare, bare, CellFixture.Limits(), isDevelopment: false).LookAsync(Ct);

        findings.ShouldContain(finding => finding.Part == "schema" && finding.State == FindingState.Failed && finding.Mend == "Run ./eddy migrate.");
        findings.ShouldContain(finding => finding.Part == "login" && finding.State == FindingState.Failed && finding.Sentence.Contains("superuser"));
        await using var drop = database.Superuser.CreateCommand($"drop database {name} with (force)");
        await drop.ExecuteNonQueryAsync(Ct);
    }

    [Fact]
    public async Task Unsealed_is_a_fault_for_the_doctor_outside_Development()
    {
        var options = CellFixture.Limits();
        options.Unsealed = true;

        (await SealAsync(false)).ShouldBe(FindingState.Failed);
        (await SealAsync(true)).ShouldBe(FindingState.Warning);

        async Task<FindingState> SealAsync(bool isDevelopment) =>
            (await new Doctor("", null, options, isDevelopment).LookAsync(Ct)).Where(finding => finding.Part == "seal").ShouldHaveSingleItem().State;
    }

    [Fact]
    public async Task Web_and_worker_are_not_ready_with_a_broken_wall_and_name_it()
    {
        await using var service = await ZygoteService.StartAsync(new BrokenGuest("seal.py", "\"NPROC\": 0,", ""));
        await using var web = await TestWeb.StartAsync(database, $"Sandbox:Socket={service.Path}");
        await using var worker = await TestWorker.StartAsync(database, $"Sandbox:Socket={service.Path}");

        foreach (var address in (Uri[])[web.Address, worker.Address])
        {
            var sandbox = await SandboxAsync(address);
            while (!sandbox.GetProperty("walls").EnumerateObject().Any())
            {
                sandbox = await SandboxAsync(address);
            }

            sandbox.GetProperty("ready").GetBoolean().ShouldBeFalse();
            sandbox.GetProperty("reason").GetString().ShouldNotBeNull().ShouldContain("limits (fork)");
            sandbox.GetProperty("walls").GetProperty("limits").GetString().ShouldBe("failed");
            sandbox.GetProperty("walls").GetProperty("seccomp").GetString().ShouldBe("held");
        }

        static async Task<JsonElement> SandboxAsync(Uri address)
        {
            using var client = new HttpClient { BaseAddress = address };
            return (await client.GetAsync("/health/ready", Ct).JsonAsync(HttpStatusCode.ServiceUnavailable)).GetProperty("sandbox");
        }
    }
}
