using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>Breaks each wall of the seal in a copy of the guest: the self-test must see it, name it, and let nothing run.</summary>
[Trait("Category", "Long")]
public sealed class SealFaultTests(CellFixture cells)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("descriptors", "os.closerange(4, 1 << 20)", "pass")]
    [InlineData("descriptors", "for descriptor in (0, 1, 2):", "for descriptor in (0, 2):")]
    [InlineData("lifeline", "_control(PR_SET_PDEATHSIG, signal.SIGKILL)", "pass")]
    [InlineData("dumpable", "_control(PR_SET_DUMPABLE, 0)", "_control(PR_SET_DUMPABLE, 1)")]
    [InlineData("privileges", "_control(PR_SET_NO_NEW_PRIVS, 1)", "pass")]
    [InlineData("limits", "_limit(self._addresses, self.vsz + memory)", "pass")]
    [InlineData("limits", "\"NPROC\": 0,", "")]
    [InlineData("limits", "\"NOFILE\": 16,", "")]
    [InlineData("limits", "\"FSIZE\": 0,", "")]
    [InlineData("limits", "\"CORE\": 0,", "")]
    [InlineData("limits", "\"MEMLOCK\": 0,", "")]
    [InlineData("limits", "\"MSGQUEUE\": 0,", "")]
    [InlineData("landlock", "if _syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0):", "if False:")]
    [InlineData("landlock", "(1 << rights) - 1", "1")]
    [InlineData("landlock", "3)  # bind and connect", "1)")]
    [InlineData("landlock", "3)  # abstract sockets and signals", "1)")]
    [InlineData("seccomp", "if _prctl(PR_SET_SECCOMP", "if False and _prctl(PR_SET_SECCOMP")]
    [InlineData("seccomp", "code.append(refuse)", "code.append(allow)")]
    [InlineData("seccomp", "_op(_JSET, 0, 1, PROT_EXEC), refuse", "_op(_JSET, 0, 1, PROT_EXEC), allow")]
    [InlineData("seccomp", "_op(_JSET, 1, 0, ~SENDING)", "_op(_JSET, 1, 0, 0)")]
    [InlineData("seccomp", "_op(_JSET, 0, 1, ~RECEIVING)", "_op(_JSET, 0, 1, 0)")]
    [InlineData("seccomp", "CLOCKS = 16", "CLOCKS = 0xFFFFFFFF")]
    [InlineData("seccomp", "SENDING, RECEIVING = 0x4040,", "SENDING, RECEIVING = 0x20004040,")]
    [InlineData("seccomp", "(\"fcntl\", 1, (1, 3))", "(\"fcntl\", 1, (0, 1, 3, 4))")]
    [InlineData("seccomp", "unshare setns", "setns")]
    [InlineData("seccomp", "0x40000000), kill]", "0x40000000), allow]")]
    [InlineData("seccomp", "[_op(_RET, 0, 0, ERRNO | errno.ENOSYS)]", "[allow]")]
    public async Task A_wall_that_is_broken_is_named_and_nothing_runs(string wall, string line, string broken)
    {
        Assert.SkipUnless(wall != "landlock" || (await cells.Sandbox).Health.LandlockAbi >= 6, "This kernel's Landlock knows nothing of what is broken here.");
        await using var service = await ZygoteService.StartAsync(new BrokenGuest("seal.py", line, broken));
        await SeeFaultAsync(service, wall);
    }

    [Theory]
    [InlineData("user", "os.setresuid(own, own, own)", "pass")]
    [InlineData("user", "os.setresgid(own, own, own)", "pass")]
    [InlineData("lifeline", "\"user\", \"lifeline\"", "\"lifeline\", \"user\"")]
    public async Task A_wall_that_is_broken_for_root_alone_is_named_and_nothing_runs(string wall, string line, string broken)
    {
        Assert.SkipUnless(Environment.UserName == "root", "Only root has cells of other users.");
        await using var service = await ZygoteService.StartAsync(new BrokenGuest("seal.py", line, broken) { AsRoot = true });
        await SeeFaultAsync(service, wall);
    }

    [Fact]
    public async Task An_environment_that_stays_in_memory_is_named_and_nothing_runs()
    {
        await using var service = await ZygoteService.StartAsync(new BrokenGuest("zygote.py", "if set(os.environ) - {\"LC_CTYPE\"}:", "if False:"));
        await SeeFaultAsync(service, "environment");
    }

    [Fact]
    public async Task A_service_forgets_the_environment_that_it_was_started_with()
    {
        await using var service = await ZygoteService.StartAsync();
        await using var sandbox = await CellFixture.StartAsync(service.Options);

        sandbox.Health.Ready.ShouldBeTrue();
        (await File.ReadAllTextAsync($"/proc/{service.Pid}/environ", Ct)).ShouldBe("");
    }

    [Fact]
    public async Task The_doctor_and_health_say_which_wall_does_not_hold()
    {
        await using var service = await ZygoteService.StartAsync(new BrokenGuest("seal.py", "if _prctl(PR_SET_SECCOMP", "if False and _prctl(PR_SET_SECCOMP"));
        await using var sandbox = await CellFixture.StartAsync(service.Options);

        var answer = SandboxAnswer.Of(sandbox.Health);
        (answer.Ready, answer.Seal, answer.Walls["seccomp"], answer.Walls["landlock"]).ShouldBe((false, "none", "failed", "held"));
        var findings = await new Eddy.Operator.Doctor("", null, service.Options, isDevelopment: false).LookAsync(Ct);

        var finding = findings.Where(one => one.Part == "seccomp").ShouldHaveSingleItem();
        finding.State.ShouldBe(Eddy.Operator.FindingState.Failed);
        finding.Sentence.ShouldContain("opening a file");
        finding.Mend.ShouldNotBeNull().ShouldContain("SECCOMP");
    }

    private static async Task SeeFaultAsync(ZygoteService service, string wall)
    {
        await using var sandbox = await CellFixture.StartAsync(service.Options);

        sandbox.Health.Ready.ShouldBeFalse();
        sandbox.Health.Reason.ShouldNotBeNull().ShouldContain($"{wall} (");
        sandbox.Health.Walls.Where(one => one.Name == wall).ShouldHaveSingleItem().State.ShouldBe(WallState.Failed);
        var refusal = await Should.ThrowAsync<SandboxUnavailable>(TestTenant.WithRule(sandbox, "class go(Rule):\n    listens_to = ['go']\n").PostAsync(15, ("go", "1")));
        refusal.Message.ShouldContain(wall);
    }
}
