using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Eddy.Postgres;
using Eddy.Problems;
using Eddy.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;
using Serilog.Events;
using Serilog.Parsing;

namespace Eddy.Tests.Web;

/// <summary>The web as operators and browsers see it.</summary>
public sealed class HostTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private const string Secret = "eddy_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void All_that_is_wrong_with_the_settings_is_told_at_once()
    {
        var fault = Should.Throw<OptionsFault>(() => WebProgram.Build(["--EDDY_APP_DB=nonsense", "--Web:FileBytes=0", "--Door:Flush=0", "--Sandbox:Cells=0"]));

        fault.Faults.Count.ShouldBe(4);
        fault.Message.ShouldNotContain("nonsense");
    }

    [Fact]
    public async Task The_application_login_may_start_it_and_a_superuser_may_not()
    {
        (await AppRole.FaultAsync(database.App, Cancel)).ShouldBeNull();
        (await AppRole.FaultAsync(database.Superuser, Cancel)).ShouldNotBeNull().ShouldContain("superuser");
        await using var owner = NpgsqlDataSource.Create(Migrations.Migrator.AsOwner(database.SuperuserConnection));
        (await AppRole.FaultAsync(owner, Cancel)).ShouldNotBeNull().ShouldContain("eddy_owner");
    }

    [Fact]
    public void Keys_are_struck_out_of_log_lines_wherever_they_stand()
    {
        var line = new StringWriter();
        new StruckJson().Format(
            new LogEvent(
                DateTimeOffset.UnixEpoch, LogEventLevel.Error, new InvalidOperationException($"POST /in/{Secret} failed"), new MessageTemplateParser().Parse("Failed {Path}"),
                [new LogEventProperty("Path", new ScalarValue("/IN/half-a-key")), new LogEventProperty("RequestPath", new ScalarValue($"/in/{Secret}?pid=3")), new LogEventProperty("Key", new ScalarValue(Secret))]),
            line);

        line.ToString().ShouldNotContain(Secret);
        line.ToString().ShouldNotContain("half-a-key");
        line.ToString().ShouldContain("/in/***?pid=3");
    }

    [Fact]
    public async Task Keys_are_struck_out_of_exported_traces()
    {
        var exported = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        await using var collector = builder.Build();
        collector.MapPost("/v1/traces", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var text = Encoding.UTF8.GetString(body.ToArray());
            if (text.Contains("/in/", StringComparison.Ordinal))
            {
                exported.TrySetResult(text);
            }
        });
        await collector.StartAsync(Cancel);
        await using (var web = await TestWeb.StartAsync(
            database, "Telemetry:TraceRatio=1", $"OTEL_EXPORTER_OTLP_ENDPOINT={collector.Urls.Single()}", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"))
        {
            using var client = new HttpClient { BaseAddress = web.Address };
            (await client.PostAsync($"/in/{Secret}", new StringContent("{}"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        }

        var trace = await exported.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        trace.ShouldContain("/in/***");
        trace.ShouldNotContain(Secret);
    }

    [Fact]
    public async Task Health_tells_of_each_part()
    {
        using var client = new HttpClient { BaseAddress = shared.Web.Address };

        (await client.GetAsync("/health/live", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var answer = await client.GetAsync("/health/ready", Cancel);
        var json = await Task.FromResult(answer).JsonAsync(answer.StatusCode);
        var ready = json.GetProperty("ready").GetBoolean();
        answer.StatusCode.ShouldBe(ready ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable);
        json.GetProperty("database").GetProperty("ready").GetBoolean().ShouldBeTrue();
        json.GetProperty("pump").GetProperty("lagSeconds").GetDouble().ShouldBeGreaterThanOrEqualTo(0);
        var sandbox = json.GetProperty("sandbox");
        (sandbox.GetProperty("ready").GetBoolean() == (sandbox.GetProperty("reason").GetString() is null)).ShouldBeTrue();
    }

    [Fact]
    public async Task Without_its_database_it_is_not_ready_and_refuses_politely()
    {
        var (superuser, app) = await database.CopyAsync("eddy_gone_" + Guid.NewGuid().ToString("N")[..8]);
        var name = new NpgsqlConnectionStringBuilder(app).Database!;
        await using var web = await TestWeb.StartAsync(database, $"EDDY_APP_DB={app}");
        using var client = new HttpClient { BaseAddress = web.Address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", Secret);
        NpgsqlConnection.ClearAllPools();
        await using (var server = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(superuser) { Database = "postgres" }.ConnectionString))
        {
            await using var drop = server.CreateCommand($"drop database {name} with (force)");
            await drop.ExecuteNonQueryAsync(Cancel);
        }

        var ready = await client.GetAsync("/health/ready", Cancel).JsonAsync(HttpStatusCode.ServiceUnavailable);
        ready.GetProperty("database").GetProperty("ready").GetBoolean().ShouldBeFalse();
        (await client.GetAsync("/api/files", Cancel).ProblemAsync(HttpStatusCode.ServiceUnavailable)).ShouldBe("unavailable");
        using var home = await client.GetAsync("/", Cancel);
        (await home.Content.ReadAsStringAsync(Cancel)).ShouldContain("The database does not answer.");
    }

    [Fact]
    public async Task Metrics_are_there_for_Prometheus()
    {
        using var client = new HttpClient { BaseAddress = shared.Web.Address };
        await client.GetAsync("/", Cancel);

        (await client.GetStringAsync("/metrics", Cancel)).ShouldContain("http_server_request_duration_seconds_count");
    }

    [Fact]
    public async Task What_the_door_answers_is_data_that_no_page_frames_or_guesses_at()
    {
        using var client = new HttpClient { BaseAddress = shared.Web.Address };

        using var answer = await client.PostAsync("/in", new StringContent("{}"), Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        answer.Headers.GetValues("Content-Security-Policy").ShouldBe(["default-src 'none'; frame-ancestors 'none'"]);
    }

    [Fact]
    public async Task The_home_page_says_what_this_is_and_how_to_send_the_first_event()
    {
        using var client = new HttpClient { BaseAddress = shared.Web.Address };

        using var answer = await client.GetAsync("/", Cancel);
        var page = await answer.Content.ReadAsStringAsync(Cancel);

        page.ShouldContain("Event-driven automation in Python");
        page.ShouldContain($"curl</b> {shared.Web.Address}in");
        page.ShouldNotContain("demo.json");
        answer.Headers.Contains("Server").ShouldBeFalse();
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        answer.Headers.GetValues("Content-Security-Policy").Single().ShouldStartWith("default-src 'none'");
        foreach (var part in Regex.Matches(page, "(?:href|src)=\"([^\"#]+)\"").Select(match => match.Groups[1].Value).Distinct())
        {
            part.ShouldStartWith("/");
            // /health/ready is 503 while a part is missing.
            (await client.GetAsync(part, Cancel)).StatusCode.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable);
        }
    }

    [Fact]
    public async Task The_address_of_each_problem_leads_to_its_description()
    {
        using var client = new HttpClient { BaseAddress = shared.Web.Address };

        var page = await client.GetStringAsync("/docs/problems", Cancel);

        foreach (var type in ProblemType.All)
        {
            page.ShouldContain($"id=\"{type.Slug}\"");
        }
    }

    [Fact]
    public async Task The_API_is_described_in_OpenAPI_3_1_with_its_scopes_and_problems()
    {
        using var client = new HttpClient { BaseAddress = shared.Web.Address };

        var document = await client.GetAsync("/openapi/v1.json", Cancel).JsonAsync();

        document.GetProperty("openapi").GetString()!.ShouldStartWith("3.1");
        document.GetProperty("components").GetProperty("securitySchemes").GetProperty("key").GetProperty("scheme").GetString().ShouldBe("bearer");
        document.GetProperty("paths").GetProperty("/api/processes/{pid}/{key}").GetProperty("put").GetProperty("requestBody").GetProperty("content").GetProperty("application/json")
            .GetProperty("example").GetInt32().ShouldBe(72);
        document.GetProperty("paths").GetProperty("/api/files/{path}/check").GetProperty("post").GetProperty("operationId").GetString().ShouldBe("CheckFile");
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            path.Name.ShouldMatch("^/(api|in)");
            foreach (var operation in path.Value.EnumerateObject())
            {
                operation.Value.GetProperty("summary").GetString().ShouldNotBeNullOrEmpty();
                operation.Value.GetProperty("description").GetString()!.ShouldContain(path.Name == "/api/me" ? "Takes a key, whatever its scopes" : "Takes a key with the scope");
                operation.Value.GetProperty("responses").GetProperty("401").GetProperty("content").GetProperty("application/problem+json").GetProperty("schema").ShouldNotBe(default);
            }
        }
    }
}
