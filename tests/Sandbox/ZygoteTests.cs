using System.Diagnostics;
using Eddy.Sandbox;
using Microsoft.Extensions.Logging.Abstractions;

namespace Eddy.Tests.Sandbox;

public sealed class ZygoteTests
{
    private const string Who = """
        import os
        class go(Rule):
            listens_to = ["go"]
            def action(self):
                self.cell = os.getpid()
                self.zygote = os.getppid()
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_zygote_that_dies_is_started_again_and_blames_nobody()
    {
        await using var sandbox = await CellFixture.StartAsync(CellFixture.Limits());
        var tenant = TestTenant.WithRule(sandbox, Who);
        await tenant.PostAsync(15, ("go", "1"));
        using var zygote = Process.GetProcessById(int.Parse(tenant.Kvp(15, "zygote")!));
        using var cell = Process.GetProcessById(int.Parse(tenant.Kvp(15, "cell")!));

        zygote.Kill();
        await zygote.WaitForExitAsync(Ct);
        await cell.WaitForExitAsync(Ct);
        Transcript? transcript = null;
        while (transcript is null)
        {
            try
            {
                transcript = await tenant.PostAsync(15, ("go", "2"));
            }
            catch (SandboxUnavailable)
            {
            }
        }

        transcript.Steps.OfType<RunEnded>().ShouldHaveSingleItem().Outcome.ShouldBe(RunOutcome.Ran);
        tenant.Kvp(15, "zygote").ShouldNotBe(zygote.Id.ToString());
        sandbox.Health.Ready.ShouldBeTrue();
    }

    [Fact]
    public async Task A_zygote_that_dies_while_a_rule_runs_makes_it_nobodys_run()
    {
        await using var sandbox = await CellFixture.StartAsync(CellFixture.Limits());
        var tenant = TestTenant.WithRule(sandbox, Who + """

            class nap(Rule):
                listens_to = ["nap"]
                def action(self):
                    import time
                    time.sleep(60)
            """);
        await tenant.PostAsync(15, ("go", "1"));
        using var zygote = Process.GetProcessById(int.Parse(tenant.Kvp(15, "zygote")!));

        var running = tenant.PostAsync(15, ("nap", "1"));
        zygote.Kill();

        await Should.ThrowAsync<SandboxUnavailable>(running);
    }

    [Fact]
    public async Task The_end_of_the_host_is_the_end_of_the_zygote_and_its_cells()
    {
        var sandbox = await CellFixture.StartAsync(CellFixture.Limits());
        var tenant = TestTenant.WithRule(sandbox, Who);
        await tenant.PostAsync(15, ("go", "1"));
        using var zygote = Process.GetProcessById(int.Parse(tenant.Kvp(15, "zygote")!));
        using var cell = Process.GetProcessById(int.Parse(tenant.Kvp(15, "cell")!));

        await sandbox.DisposeAsync();

        await zygote.WaitForExitAsync(Ct);
        await cell.WaitForExitAsync(Ct);
        sandbox.Health.Ready.ShouldBeFalse();
    }

    [Fact]
    public async Task A_service_outlives_its_hosts_and_ends_the_cells_of_the_one_that_left()
    {
        await using var service = await ZygoteService.StartAsync();
        await using var one = await CellFixture.StartAsync(service.Options);
        var two = await CellFixture.StartAsync(service.Options);
        var tenant = TestTenant.WithRule(one, Who);
        var other = TestTenant.WithRule(two, Who);
        await tenant.PostAsync(15, ("go", "1"));
        await other.PostAsync(15, ("go", "1"));
        using var cell = Process.GetProcessById(int.Parse(other.Kvp(15, "cell")!));

        await two.DisposeAsync();
        await cell.WaitForExitAsync(Ct);
        var before = tenant.Kvp(15, "cell");
        await tenant.PostAsync(15, ("go", "2"));

        tenant.Kvp(15, "cell").ShouldBe(before);
    }

    [Fact]
    public async Task Without_an_interpreter_nothing_runs_and_health_says_why()
    {
        var options = CellFixture.Limits();
        options.Python = "/nonexistent/python3";
        await using var sandbox = await CellFixture.StartAsync(options);

        sandbox.Health.Ready.ShouldBeFalse();
        sandbox.Health.Reason!.ShouldContain("/nonexistent/python3");
        await Should.ThrowAsync<SandboxUnavailable>(TestTenant.WithRule(sandbox, Who).PostAsync(15, ("go", "1")));
    }

    [Fact]
    public void Wrong_settings_are_all_told_at_once()
    {
        var options = new SandboxOptions { Cells = 0, MemoryMiB = 1, Python = " " };

        var wrong = Should.Throw<ArgumentException>(() => new RuleSandbox(options, TimeProvider.System, NullLogger<RuleSandbox>.Instance));

        wrong.Message.ShouldContain("Cells is 0");
        wrong.Message.ShouldContain("MemoryMiB is 1");
        wrong.Message.ShouldContain("Python names");
    }

    [Fact]
    public async Task More_tenants_than_cells_take_turns()
    {
        var options = CellFixture.Limits();
        options.Cells = 2;
        await using var sandbox = await CellFixture.StartAsync(options);
        var tenants = Enumerable.Range(0, 12).Select(_ => TestTenant.WithRule(sandbox, Who)).ToList();

        for (var round = 0; round < 3; round++)
        {
            await Task.WhenAll(tenants.Select(tenant => tenant.OneRunAsync(15, ("go", "1"))));
        }

        tenants.ShouldAllBe(tenant => tenant.Head >= 5);
        tenants.Select(tenant => tenant.Kvp(15, "zygote")).Distinct().ShouldHaveSingleItem();
    }
}
