using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Eddy.Tests.Secrets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Eddy.Tests.Rules;

/// <summary>A web, a worker with a master key, and the site that the examples of <c>docs/rules.md</c> call, in the place of theirs.</summary>
public sealed class ExampleWay(TestDatabase database) : IAsyncLifetime
{
    private TestDatabase _own = null!;
    private WebApplication _site = null!;
    private X509Certificate2 _certificate = null!;
    private TestWeb _web = null!;
    private TestWorker _worker = null!;

    public string Address => _site.Urls.First();

    /// <summary>The rates that the site gives, each once; it is not ready while there is none.</summary>
    public ConcurrentQueue<string> Rates { get; } = new();

    /// <summary>What it was asked to charge, and by whom.</summary>
    public ConcurrentQueue<string> Charges { get; } = new();

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = DateTimeOffset.UtcNow;
        _certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(_certificate)));
        _site = builder.Build();
        _site.MapPost("/v1/charges", (HttpRequest request) =>
        {
            Charges.Enqueue($"{request.Headers.Authorization} {request.Form["amount"]}");
            return new { id = "ch_1" };
        });
        _site.MapGet("/latest", (string to) => Rates.TryDequeue(out var rate) ? Results.Text($$"""{"rate": {{rate}}, "to": "{{to}}"}""", "application/json") : Results.StatusCode(503));
        await _site.StartAsync(TestContext.Current.CancellationToken);
        var roots = Path.Combine(Directory.CreateTempSubdirectory("eddy-test-roots-").FullName, "roots.pem");
        await File.WriteAllTextAsync(roots, _certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
        string[] settings = [$"Egress:TrustedRoots={roots}", "Secrets:MasterKeyFile=" + TestSecrets.File(TestSecrets.Line("one")), $"Egress:Allow:0={new Uri(Address).Authority}"];
        _own = await database.OfItsOwnAsync();
        _web = await TestWeb.StartAsync(_own, settings);
        _worker = await TestWorker.StartAsync(_own, settings);
    }

    /// <summary>A fresh tenant with the block of the page in force that this line is in.</summary>
    public async Task<TestCaller> CallerAsync(string line)
    {
        var tenant = await TestTenant.MakeAsync(_own);
        var caller = new TestCaller(tenant, tenant.Client(_web));
        var text = RulesPage.BlockWith(line).Replace("https://rates.example", Address, StringComparison.Ordinal).Replace("https://api.stripe.com", Address, StringComparison.Ordinal);
        await caller.SaveAsync("scripts/example.py", text);
        return caller;
    }

    public async ValueTask DisposeAsync()
    {
        await _worker.DisposeAsync();
        await _web.DisposeAsync();
        await _site.DisposeAsync();
        _certificate.Dispose();
        await _own.DisposeAsync();
    }
}

/// <summary>The examples of <c>docs/rules.md</c> that call other hosts or are put off, as they stand there but for the host.</summary>
public sealed class CallExampleTests(ExampleWay way) : IClassFixture<ExampleWay>
{
    private const string Secret = "sk_test_0123456789abcdef";

    [Fact]
    public async Task A_charge_carries_the_secret_to_its_host_alone()
    {
        var caller = await way.CallerAsync("class charge(Rule):");
        await KeepAsync(caller, "STRIPE");

        var answer = await caller.SettleAsync("""{"amount_due": 5}""");

        answer.GetProperty("runs").EnumerateArray().ShouldHaveSingleItem().GetProperty("outcome").GetString().ShouldBe("ran", answer.ToString());
        way.Charges.ShouldBe([$"Bearer {Secret} 5"]);
        answer.GetProperty("kvps").GetProperty("charge").GetString().ShouldBe("ch_1");
    }

    [Fact]
    public async Task A_hook_is_accepted_by_its_signature()
    {
        var caller = await way.CallerAsync("class hook(Rule):");
        await KeepAsync(caller, "GITHUB");
        const string Payload = "{\"action\": \"opened\"}";
        var signature = "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(Payload)));

        var good = await caller.SettleAsync(JsonSerializer.Serialize(new { payload = Payload, signature }));
        var bad = await caller.SettleAsync(JsonSerializer.Serialize(new { payload = Payload + " ", signature }));

        good.GetProperty("kvps").GetProperty("accepted").GetBoolean().ShouldBeTrue();
        bad.GetProperty("kvps").TryGetProperty("accepted", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Convert_currency_asks_for_the_rate()
    {
        var caller = await way.CallerAsync("class convert_currency(Rule):");
        way.Rates.Enqueue("0.92");

        var answer = await caller.SettleAsync("""{"amount": 100}""");

        answer.GetProperty("kvps").GetProperty("euros").GetDouble().ShouldBe(92.0);
    }

    [Fact]
    public async Task Fetch_rate_is_tried_again_while_the_rates_are_not_ready()
    {
        var caller = await way.CallerAsync("class fetch_rate(Rule):");

        var pid = (await caller.SettleAsync("""{"currency": "EUR"}""")).GetProperty("pid").GetInt64();
        (await caller.ProcessAsync(pid)).TryGetProperty("rate", out _).ShouldBeFalse();
        way.Rates.Enqueue("0.92");

        await DueAsync(caller, pid, "rate");
        (await caller.ProcessAsync(pid)).GetProperty("rate").GetDouble().ShouldBe(0.92);
    }

    [Fact]
    public async Task Summary_runs_once_for_each_room_when_it_is_quiet()
    {
        var caller = await way.CallerAsync("class summary(Rule):");

        var pid = (await caller.SettleAsync("""{"room": "hall", "motion": 1}""")).GetProperty("pid").GetInt64();
        var last = (await caller.SettleAsync("""{"room": "hall", "motion": 2}""")).GetProperty("pid").GetInt64();
        (await caller.ProcessAsync(last)).TryGetProperty("last_motion", out _).ShouldBeFalse();

        await DueAsync(caller, last, "last_motion");
        (await caller.ProcessAsync(pid)).TryGetProperty("last_motion", out _).ShouldBeFalse();
        (await caller.GetAsync("/api/runs?rule=summary")).GetProperty("runs").GetArrayLength().ShouldBe(1);
    }

    /// <summary>What is put off is due now; returns once it has set the key.</summary>
    private static async Task DueAsync(TestCaller caller, long pid, string key)
    {
        await caller.Tenant.PrepareAsync("update deferred set due = now() where tenant_id = $1");
        await Patience.UntilAsync($"{key} is set", Patience.Long, async () => (await caller.ProcessAsync(pid)).TryGetProperty(key, out _));
    }

    private async Task KeepAsync(TestCaller caller, string name)
    {
        using var kept = await caller.PutAsync($"/api/secrets/{name}", $$"""{"value": "{{Secret}}", "hosts": ["{{new Uri(way.Address).Authority}}"]}""");
        kept.IsSuccessStatusCode.ShouldBeTrue(await kept.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
