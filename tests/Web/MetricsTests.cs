using System.Net;
using System.Net.Http.Headers;
using Eddy.Telemetry;

namespace Eddy.Tests.Web;

/// <summary>Who may read the figures of web and worker.</summary>
public sealed class MetricsTests(TestDatabase database)
{
    private const string Token = "a-token-that-nobody-guesses";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.1", false, true)]
    [InlineData("::1", false, true)]
    [InlineData("::ffff:127.0.0.1", false, true)]
    [InlineData("127.0.0.1", true, false)]
    [InlineData("192.0.2.7", false, false)]
    [InlineData("::ffff:192.0.2.7", false, false)]
    [InlineData(null, false, false)]
    public void Without_a_token_they_are_for_callers_on_the_machine(string? caller, bool isForwarded, bool may) =>
        (new MetricsDoor("").Fault($"Bearer {Token}", caller is null ? null : IPAddress.Parse(caller), isForwarded) is null).ShouldBe(may);

    [Theory]
    [InlineData("Bearer " + Token, true)]
    [InlineData("bearer " + Token, true)]
    [InlineData("Bearer " + Token + "x", false)]
    [InlineData("Bearer a-token", false)]
    [InlineData("Bearer ", false)]
    [InlineData(Token, false)]
    [InlineData("", false)]
    public void With_one_they_are_for_who_shows_it_from_wherever(string authorization, bool may)
    {
        var door = new MetricsDoor(Token);

        (door.Fault(authorization, IPAddress.Parse("192.0.2.7"), true) is null).ShouldBe(may);
        (door.Fault(authorization, IPAddress.Loopback, false) is null).ShouldBe(may);
    }

    [Fact]
    public async Task Web_and_worker_ask_for_the_token()
    {
        await using var own = await database.OfItsOwnAsync();
        await using var web = await TestWeb.StartAsync(own, $"{MetricsDoor.Setting}={Token}");
        await using var worker = await TestWorker.StartAsync(own, $"{MetricsDoor.Setting}={Token}");

        foreach (var address in new[] { web.Address, worker.Address })
        {
            using var client = new HttpClient { BaseAddress = address };
            using var refused = await client.GetAsync("/metrics", Cancel);
            refused.Headers.WwwAuthenticate.ToString().ShouldStartWith("Bearer");
            (await Task.FromResult(refused).JsonAsync(HttpStatusCode.Unauthorized)).GetProperty("detail").GetString()!.ShouldContain(MetricsDoor.Setting);
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
            (await client.GetStringAsync("/metrics", Cancel)).ShouldContain("eddy_");
        }
    }

    [Fact]
    public async Task Without_a_token_nobody_is_answered_of_whom_a_proxy_says_that_they_are_elsewhere()
    {
        await using var own = await database.OfItsOwnAsync();
        await using var web = await TestWeb.StartAsync(own);
        await using var worker = await TestWorker.StartAsync(own);

        foreach (var address in new[] { web.Address, worker.Address })
        {
            using var client = new HttpClient { BaseAddress = address };
            (await client.GetAsync("/metrics", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
            client.DefaultRequestHeaders.Add("X-Forwarded-For", "127.0.0.1");
            (await client.GetAsync("/metrics", Cancel)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        }
    }

    [Fact]
    public void A_token_that_is_easily_guessed_is_a_wrong_setting()
    {
        var wrong = Should.Throw<OptionsFault>(() => WebProgram.Build(["--EDDY_APP_DB=Host=nowhere", $"--{MetricsDoor.Setting}=short"]));

        wrong.Message.ShouldContain($"{MetricsDoor.Setting} has 5 bytes");
        wrong.Message.ShouldNotContain("short");
    }
}
