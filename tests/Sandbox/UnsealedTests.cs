using System.Net;
using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>The switch for developers' machines that can have no seal.</summary>
public sealed class UnsealedTests(TestDatabase database)
{
    private const string Look = """
        import os
        class go(Rule):
            listens_to = ["go"]
            def action(self):
                self.root = os.listdir("/")
                self.cell = os.getpid()
                self.zygote = os.getppid()
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    public void Web_and_worker_refuse_to_start_unsealed_outside_Development(string environment)
    {
        string[] settings = [$"--EDDY_APP_DB={database.AppConnection}", "--Sandbox:Unsealed=true", $"--environment={environment}"];

        Should.Throw<OptionsFault>(() => WebProgram.Build(settings)).Message.ShouldContain("developer's own machine");
        Should.Throw<InvalidOperationException>(() => WorkerProgram.Build(settings)).Message.ShouldContain("developer's own machine");
    }

    [Fact]
    public async Task Unsealed_a_rule_can_do_what_the_server_can_in_a_process_of_its_own()
    {
        var options = CellFixture.Limits();
        options.Unsealed = true;
        await using var sandbox = await CellFixture.StartAsync(options);
        var tenant = TestTenant.WithRule(sandbox, Look);

        (await tenant.OneRunAsync(15, ("go", "1"))).Error.ShouldBeNull();

        (sandbox.Health.Ready, sandbox.Health.IsUnsealed, SandboxAnswer.Of(sandbox.Health).Seal).ShouldBe((true, true, "unsealed"));
        tenant.Kvp(15, "root").ShouldNotBeNull().ShouldContain("tmp");
        tenant.Kvp(15, "cell").ShouldNotBe(tenant.Kvp(15, "zygote"));
    }

    [Fact]
    public async Task A_host_that_wants_a_seal_runs_nothing_in_a_service_without_one()
    {
        await using var service = await ZygoteService.StartAsync(null, "--unsealed");
        await using var sandbox = await CellFixture.StartAsync(service.Options);

        sandbox.Health.Ready.ShouldBeFalse();
        sandbox.Health.Reason.ShouldNotBeNull().ShouldContain("--unsealed");
        await Should.ThrowAsync<SandboxUnavailable>(TestTenant.WithRule(sandbox, Look).PostAsync(15, ("go", "1")));
    }

    [Fact]
    public async Task In_Development_every_page_warns_and_health_says_so()
    {
        await using var web = await TestWeb.StartAsync(database, "environment=Development", "Sandbox:Unsealed=true");
        var sealed_ = await database.WebAsync();
        using var client = new HttpClient();
        foreach (var page in (string[])["", "docs/problems", "docs/api"])
        {
            WebUtility.HtmlDecode(await client.GetStringAsync(new Uri(web.Address, page), Ct)).ShouldContain(SandboxOptions.UnsealedWarning);
            WebUtility.HtmlDecode(await client.GetStringAsync(new Uri(sealed_.Address, page), Ct)).ShouldNotContain(SandboxOptions.UnsealedWarning);
        }

        string? seal;
        do
        {
            using var answer = await client.GetAsync(new Uri(web.Address, "health/ready"), Ct);
            seal = (await Task.FromResult(answer).JsonAsync(answer.StatusCode)).GetProperty("sandbox").GetProperty("seal").GetString();
        }
        while (seal == "none");

        seal.ShouldBe("unsealed");
    }
}
