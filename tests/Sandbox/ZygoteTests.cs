using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
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
    public async Task A_fresh_zygote_takes_the_place_of_one_that_has_made_its_cells_and_nobody_notices()
    {
        var options = CellFixture.Limits();
        options.ZygoteForks = 6;
        await using var sandbox = await CellFixture.StartAsync(options);
        var first = TestTenant.WithRule(sandbox, Who + """

            class slow(Rule):
                listens_to = ["slow"]
                def action(self):
                    import time
                    time.sleep(1)
                    self.slow_zygote = os.getppid()
            """);
        var second = TestTenant.WithRule(sandbox, Who);
        await first.PostAsync(15, ("go", "1"));
        await second.PostAsync(15, ("go", "1"));
        using var zygote = Process.GetProcessById(int.Parse(first.Kvp(15, "zygote")!));
        var slow = first.PostAsync(15, ("slow", "1"));

        TestTenant other;
        do
        {
            other = TestTenant.WithRule(sandbox, Who);
            (await other.OneRunAsync(15, ("go", "1"))).Error.ShouldBeNull();
            sandbox.Health.Ready.ShouldBeTrue();
        }
        while (other.Kvp(15, "zygote") == $"{zygote.Id}");

        (await slow).Steps.OfType<RunEnded>().ShouldHaveSingleItem().Outcome.ShouldBe(RunOutcome.Ran);
        first.Kvp(15, "slow_zygote").ShouldBe($"{zygote.Id}");
        await zygote.WaitForExitAsync(Ct);
        await first.PostAsync(15, ("go", "2"));
        await second.PostAsync(15, ("go", "2"));
        first.Kvp(15, "zygote").ShouldNotBe($"{zygote.Id}");
        second.Kvp(15, "zygote").ShouldNotBe($"{zygote.Id}");
    }

    [Fact]
    public async Task A_zygote_makes_no_more_cells_than_it_may_and_blames_nobody_for_it()
    {
        await using var service = await ZygoteService.StartAsync(null, "--cells", "2");
        await using var sandbox = await CellFixture.StartAsync(service.Options);
        var tenants = Enumerable.Range(0, 3).Select(_ => TestTenant.WithRule(sandbox, Who)).ToList();
        await tenants[0].OneRunAsync(15, ("go", "1"));

        var refusals = new List<SandboxUnavailable>();
        foreach (var tenant in tenants.Skip(1))
        {
            try
            {
                (await tenant.OneRunAsync(15, ("go", "1"))).Outcome.ShouldBe(RunOutcome.Ran);
            }
            catch (SandboxUnavailable refusal)
            {
                refusals.Add(refusal);
            }
        }

        refusals.ShouldNotBeEmpty();
        refusals.ShouldAllBe(refusal => refusal.Message.Contains("2 cells, which is its limit"));
        (await tenants[0].OneRunAsync(15, ("go", "2"))).Outcome.ShouldBe(RunOutcome.Ran);
    }

    [Fact]
    public async Task A_service_ends_at_its_age_and_leaves_its_folder()
    {
        await using var service = await ZygoteService.StartAsync(null, "--hours", "0.0001");

        (await service.EndedAsync()).ShouldBe(0);

        File.Exists(service.Path).ShouldBeFalse();
        Directory.Exists(Path.GetDirectoryName(service.Path)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_service_that_was_told_to_end_is_found_again_when_it_is_back()
    {
        await using var service = await ZygoteService.StartAsync();
        await using var sandbox = await CellFixture.StartAsync(service.Options);
        sandbox.Health.Ready.ShouldBeTrue();

        using var term = Process.Start("kill", ["-TERM", $"{service.Pid}"]);
        (await service.EndedAsync()).ShouldBe(0);
        File.Exists(service.Path).ShouldBeFalse();
        await using var next = await ZygoteService.StartAgainAsync(service);
        var tenant = TestTenant.WithRule(sandbox, Who);
        while (true)
        {
            try
            {
                (await tenant.OneRunAsync(15, ("go", "1"))).Outcome.ShouldBe(RunOutcome.Ran);
                break;
            }
            catch (SandboxUnavailable)
            {
                Ct.ThrowIfCancellationRequested();
            }
        }

        tenant.Kvp(15, "zygote").ShouldBe($"{next.Pid}");
    }

    [Fact]
    public async Task Only_the_zygotes_own_user_may_connect_to_it()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root can be two other users.");
        await using var service = await ZygoteService.StartAsync();
        using var chmod = Process.Start("chmod", ["755", Path.GetDirectoryName(service.Path)!]);
        await chmod.WaitForExitAsync(Ct);
        const string connect = """
            import socket, sys
            try:
                socket.socket(socket.AF_UNIX).connect(sys.argv[1])
                print("connected")
            except PermissionError:
                print("refused")
            """;

        (await ConnectAsync(65534)).ShouldBe("connected");
        (await ConnectAsync(65533)).ShouldBe("refused");

        async Task<string> ConnectAsync(int user)
        {
            var start = new ProcessStartInfo("setpriv", [$"--reuid={user}", $"--regid={user}", "--clear-groups", "--bounding-set=-all", "/usr/bin/python3", "-c", connect, service.Path])
            {
                RedirectStandardOutput = true, WorkingDirectory = "/",
            };
            using var python = Process.Start(start)!;
            return (await python.StandardOutput.ReadToEndAsync(Ct)).Trim();
        }
    }

    [Fact]
    public async Task What_a_tenant_has_used_is_counted_whatever_its_cell_says()
    {
        var limits = CellFixture.Limits();
        limits.CpuTime = TimeSpan.FromSeconds(20);
        await using var sandbox = await CellFixture.StartAsync(limits);
        // Much more than a start takes, however busy the machine is: counted twice, it would be 2 s and more.
        var tenant = TestTenant.WithRule(sandbox, """
            import sys, time
            class go(Rule):
                listens_to = ["go"]
                def action(self):
                    f = sys._getframe(1).f_globals
                    f["clock"] = f["cpu_clock"] = lambda: 0
                    until = time.process_time() + 1
                    while time.process_time() < until:
                        pass
            """);

        (await tenant.OneRunAsync(15, ("go", "1"))).Cpu.ShouldBeLessThan(TimeSpan.FromMilliseconds(100));
        sandbox.Drop(tenant.Tree.Tenant);

        var used = TimeSpan.Zero;
        while (used < TimeSpan.FromSeconds(1))
        {
            used += sandbox.TakeCpu(tenant.Tree.Tenant);
            await Task.Delay(5, Ct);
        }

        used.ShouldBeLessThan(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task A_host_that_is_too_busy_to_read_for_a_while_hears_everything_later()
    {
        const int Asked = 5000;
        await using var service = await ZygoteService.StartAsync();
        using var control = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using var cell = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await control.ConnectAsync(new UnixDomainSocketEndPoint(service.Path), Ct);
        await control.SendAsync(Greeting('H'), Ct);
        using var lines = new StreamReader(new NetworkStream(control));
        while (!(await lines.ReadLineAsync(Ct))!.StartsWith("ready", StringComparison.Ordinal))
        {
        }

        await cell.ConnectAsync(new UnixDomainSocketEndPoint(service.Path), Ct);
        await cell.SendAsync(Greeting('C'), Ct);
        (await cell.ReceiveAsync(new byte[4], Ct)).ShouldBe(4);

        for (var i = 0; i < Asked; i++)
        {
            await control.SendAsync("cpu 0\n"u8.ToArray(), Ct);
        }

        for (var i = 0; i < Asked; i++)
        {
            (await lines.ReadLineAsync(Ct))!.ShouldStartWith("cpu 0 ");
        }

        static byte[] Greeting(char letter)
        {
            var greeting = new byte[68];
            greeting[0] = (byte)letter;
            greeting[4] = 15;
            BinaryPrimitives.WriteInt64LittleEndian(greeting.AsSpan(28), 64 << 20);
            "UTC"u8.CopyTo(greeting.AsSpan(36));
            return greeting;
        }
    }

    [Fact]
    public async Task Cells_run_below_their_zygote_and_in_its_session()
    {
        await using var sandbox = await CellFixture.StartAsync(CellFixture.Limits());
        var tenant = TestTenant.WithRule(sandbox, Who);
        await tenant.PostAsync(15, ("go", "1"));

        var (cell, zygote) = (await StatAsync(tenant.Kvp(15, "cell")!), await StatAsync(tenant.Kvp(15, "zygote")!));

        // The scheduler shares the CPU out between sessions without regard to nice.
        cell.Session.ShouldBe(zygote.Session);
        cell.Nice.ShouldBe(Math.Min(19, zygote.Nice + 10));
        cell.Group.ShouldBe(tenant.Kvp(15, "cell"));
        (await ScoreAsync(tenant.Kvp(15, "cell")!)).ShouldBe("1000");
        (await ScoreAsync(tenant.Kvp(15, "zygote")!)).ShouldNotBe("1000");

        // The kernel ends those first when the machine's memory runs out.
        async Task<string> ScoreAsync(string pid) => (await File.ReadAllTextAsync($"/proc/{pid}/oom_score_adj", Ct)).Trim();

        async Task<(string Group, string Session, int Nice)> StatAsync(string pid)
        {
            var fields = (await File.ReadAllTextAsync($"/proc/{pid}/stat", Ct)).Split(") ", 2)[1].Split(' ');
            return (fields[2], fields[3], int.Parse(fields[16]));
        }
    }

    [Fact]
    public async Task A_cell_that_was_kept_ready_has_seen_no_other_tenant()
    {
        await using var sandbox = await CellFixture.StartAsync(CellFixture.Limits());
        var tenants = Enumerable.Range(0, 12).Select(_ => TestTenant.WithRule(sandbox, """
            import builtins, os
            class go(Rule):
                listens_to = ["go"]
                def action(self):
                    self.seen = hasattr(builtins, "mark")
                    builtins.mark = True
                    self.cell = os.getpid()
            """)).ToList();

        foreach (var tenant in tenants)
        {
            await tenant.OneRunAsync(15, ("go", "1"));
        }

        tenants.ShouldAllBe(tenant => tenant.Kvp(15, "seen") == "false");
        tenants.Select(tenant => tenant.Kvp(15, "cell")).Distinct().Count().ShouldBe(12);
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
