using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

public sealed class BlameTests(CellFixture cells)
{
    private const string Rules = """
        import os, time
        class bad(Rule):
            listens_to = ["go"]
            def action(self):
                if self.go == "spin":
                    while True: pass
                if self.go == "sleep": time.sleep(60)
                if self.go == "exit": os._exit(1)
                if self.go == "memory": self.x = "x" * (1 << 28)
                if self.go == "lists":
                    a = []
                    while True: a.append(bytearray(1 << 20))
                if self.go == "number": 10 ** 10_000_000_000
                if self.go == "lie": os.write(3, b"\x05\0\0\0[1,5]")
                if self.go == "giant": os.write(3, b"\xff\xff\xff\x7f")
                if self.go == "syscall":
                    import ctypes
                    ctypes.CDLL(None).ptrace(0, 0, 0, 0)
                self.good = True
        class count(Rule):
            listens_to = ["go"]
            def action(self): shared.count = (shared.count or 0) + 1
        """;

    [Theory]
    [InlineData("spin", "CpuTime", "more than 0.4 s of CPU time")]
    [InlineData("memory", "Memory", "64 MiB")]
    [InlineData("lists", "Memory", "64 MiB")]
    [InlineData("number", "CpuTime|Memory", "limit|MiB")]
    [InlineData("exit", "Died", "exit 1")]
    [InlineData("lie", "Died", "telling what can not be")]
    [InlineData("giant", "Died", "2147483647 bytes, and 8388608 is the limit")]
    [InlineData("syscall", "Died", "system call")]
    public async Task A_run_that_ends_its_cell_is_blamed_and_the_others_run_once(string how, string kind, string message) =>
        await BlameAsync(await cells.Sandbox, how, kind, message);

    [Fact, Trait("Category", "Long")]
    public async Task A_run_that_sleeps_is_ended_at_its_limit()
    {
        var limits = CellFixture.Limits();
        limits.WallTime = TimeSpan.FromSeconds(5);
        limits.CpuTime = TimeSpan.FromSeconds(60);
        await using var sandbox = await CellFixture.StartAsync(limits);

        await BlameAsync(sandbox, "sleep", "WallTime", "longer than 5 s");
    }

    private static async Task BlameAsync(RuleSandbox sandbox, string how, string kind, string message)
    {
        var tenant = TestTenant.WithRule(sandbox, Rules);

        // The rule is known to the cell, so that no marker tells of the run that will end it.
        await tenant.PostAsync(1, ("go", "\"well\""));
        var transcript = await tenant.RunAsync(
            [.. Enumerable.Range(2, 9).Select(pid => TestTenant.Arrival(pid, ("go", pid == 5 ? $"\"{how}\"" : "\"well\"")))]);

        var runs = transcript.Steps.OfType<RunEnded>().ToList();
        var blamed = runs.Where(run => run.Outcome != RunOutcome.Ran).ShouldHaveSingleItem();
        (blamed.Pid, blamed.Rule, blamed.Outcome).ShouldBe((5, "scripts/rule.py:bad", RunOutcome.Killed));
        kind.Split('|').ShouldContain(blamed.Error!.Kind);
        message.Split('|').ShouldContain(part => blamed.Error.Message.Contains(part));
        // A rule that used up its CPU time is switched off at once.
        var off = transcript.Steps.OfType<RunPutAside>().ToList();
        off.ShouldAllBe(aside => aside.Why == Aside.Off && aside.Run.Rule == "scripts/rule.py:bad");
        off.Count.ShouldBe(blamed.Error.Kind == "CpuTime" ? 5 : 0);
        (runs.Count + off.Count).ShouldBe(18);
        transcript.ArrivalsTaken.ShouldBe(9);
        tenant.Kvp(0, "count").ShouldBe("10");
        tenant.Kvp(5, "good").ShouldBeNull();
    }

    [Fact]
    public async Task A_death_in_the_middle_of_a_cascade_leaves_what_was_owed_in_its_order()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            import os
            class first(Rule):
                listens_to = ["go"]
                def action(self): self.a = 1; self.b = 2
            class second(Rule):
                listens_to = ["a"]
                def action(self): self.c = [event.value, event.previous, event.id]
            class third(Rule):
                listens_to = ["b"]
                def action(self): os._exit(0)
            class fourth(Rule):
                listens_to = ["b", "c"]
                def action(self): self.d = (self.d or []) + [[e.key, e.value, e.id] for e in events]
            """);

        await tenant.PostAsync(15, ("go", "1"));

        tenant.Kvp(15, "c").ShouldBe("[1,null,2]");
        tenant.Kvp(15, "d").ShouldBe("""[["b",2,3],["c",[1,null,2],4]]""");
    }

    [Fact]
    public async Task A_cell_that_somebody_killed_is_replaced_and_nobody_is_blamed()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            import os, signal
            class go(Rule):
                listens_to = ["go"]
                def action(self): self.pid_of_cell = os.getpid()
            """);
        await tenant.PostAsync(15, ("go", "1"));
        using var cell = System.Diagnostics.Process.GetProcessById(int.Parse(tenant.Kvp(15, "pid_of_cell")!));

        cell.Kill();
        await cell.WaitForExitAsync(TestContext.Current.CancellationToken);
        var run = await tenant.OneRunAsync(15, ("go", "2"));

        run.Outcome.ShouldBe(RunOutcome.Ran);
    }

    [Fact]
    public async Task What_a_module_keeps_does_not_make_the_next_run_fail_for_want_of_memory()
    {
        var limits = CellFixture.Limits();
        limits.CpuTime = TimeSpan.FromSeconds(60);
        await using var sandbox = await CellFixture.StartAsync(limits);
        var tenant = TestTenant.WithRule(sandbox, """
            hoard = []
            class go(Rule):
                listens_to = ["go"]
                def action(self):
                    while self.go == 1: hoard.append(bytearray(1 << 16))
                    bytearray(40 << 20)
            """);

        var runs = (await tenant.RunAsync(TestTenant.Arrival(1, ("go", "1")), TestTenant.Arrival(2, ("go", "2")))).Steps.OfType<RunEnded>();

        runs.Select(run => run.Outcome).ShouldBe([RunOutcome.Killed, RunOutcome.Ran]);
    }

    [Fact]
    public async Task A_tenant_that_is_stopped_is_told_so_and_its_cell_is_gone()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, "import time\nclass go(Rule):\n    listens_to = ['go']\n    def action(self): time.sleep(60)\n");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        await tenant.LoadAsync();
        var slice = new Slice(0, TestTenant.Now, [], [TestTenant.Arrival(1, ("go", "1"))], new Dictionary<long, IReadOnlyDictionary<string, string>>(), 10, TimeSpan.FromMinutes(1));

        var running = tenant.Sandbox.RunAsync(tenant.Tree, slice, stop.Token);
        await stop.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(running);
    }
}
