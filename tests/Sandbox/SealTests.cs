using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>What a rule can not do, tried from inside by a rule, in cells of a zygote as root (where the tests are) and as an ordinary user.</summary>
public sealed class SealTests(CellFixture cells)
{
    private const string Attempts = """
        import _socket, ctypes, mmap, os, resource, signal, socket, subprocess, threading, multiprocessing
        libc = ctypes.CDLL(None, use_errno=True)

        def call(*arguments):
            answer = libc.syscall(*[ctypes.c_long(a) for a in arguments])
            if answer < 0:
                raise OSError(ctypes.get_errno(), "refused")
            return answer

        # Never let go of: its end would be the cell's.
        channel = _socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=3)

        attempts = {
            "open": lambda: open("/etc/passwd"),
            "own memory": lambda: open("/proc/self/mem", "rb"),
            "environment of the zygote": lambda: open(f"/proc/{os.getppid()}/environ"),
            "list": lambda: os.listdir("/"),
            "stat": lambda: os.stat("/"),
            "write": lambda: open("/tmp/eddy-escape", "w"),
            "chmod": lambda: os.chmod("/tmp", 0o777),
            "socket": lambda: _socket.socket(),
            "unix socket": lambda: _socket.socket(socket.AF_UNIX),
            "socketpair": lambda: _socket.socketpair(),
            "address": lambda: _socket.getaddrinfo("localhost", 80),
            "fork": lambda: os.fork(),
            "subprocess": lambda: subprocess.run(["true"]),
            "thread": lambda: threading.Thread(target=int).start(),
            "executable memory": lambda: mmap.mmap(-1, 4096, prot=7),
            "memfd": lambda: os.memfd_create("x"),
            "kill the zygote": lambda: os.kill(os.getppid(), 9),
            "kill everybody": lambda: os.kill(-1, 9),
            "kill the host": lambda: os.kill(1, 9),
            "setuid": lambda: os.setuid(0),
            "more memory": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
            "dup": lambda: os.dup(3),
            "pipe": lambda: os.pipe(),
            "sendmsg": lambda: channel.sendmsg([b"x"]),
            "clone": lambda: call(56, 0x11, 0, 0, 0, 0),
            "prctl": lambda: libc.prctl(4, 1, 0, 0, 0) and 1 / 0,
        }

        class go(Rule):
            listens_to = ["go"]
            def action(self):
                held = {}
                for name, attempt in attempts.items():
                    try:
                        attempt()
                        held[name] = "open"
                    except (OSError, RuntimeError, ValueError, ZeroDivisionError):
                        held[name] = "held"
                self.open = [name for name, how in held.items() if how != "held"]
                self.count = len(held)
                self.environment = sorted(os.environ)
                self.uid = os.getuid()
        """;

    private const string KillingCalls = """
        import ctypes
        class go(Rule):
            listens_to = ["go"]
            def action(self):
                ctypes.CDLL(None).syscall(ctypes.c_long(self.go), ctypes.c_long(0), ctypes.c_long(0), ctypes.c_long(0), ctypes.c_long(0))
        """;

    [Fact]
    public async Task Every_wall_holds_in_the_cells_of_a_child_zygote()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, Attempts);

        await TryWallsAsync(tenant);

        if (Environment.UserName == "root")
        {
            int.Parse(tenant.Kvp(15, "uid")!).ShouldBeGreaterThanOrEqualTo(200_000);
        }
    }

    [Fact]
    public async Task Every_wall_holds_in_the_cells_of_a_service_without_privileges()
    {
        await using var service = await ZygoteService.StartAsync();
        await using var sandbox = await CellFixture.StartAsync(service.Options);
        (sandbox.Health.Ready, sandbox.Health.Reason, sandbox.Health.IsUnsealed, sandbox.Health.LandlockAbi)
            .ShouldBe((true, null, false, (await cells.Sandbox).Health.LandlockAbi));
        sandbox.Health.Walls.Where(wall => wall.State == WallState.Held).Select(wall => wall.Name)
            .ShouldBe(["descriptors", "user", "lifeline", "dumpable", "privileges", "limits", "landlock", "seccomp", "environment", "all-together"]);

        var tenant = TestTenant.WithRule(sandbox, Attempts);
        await TryWallsAsync(tenant);

        if (Environment.UserName == "root")
        {
            tenant.Kvp(15, "uid").ShouldBe("65534");
        }
    }

    [Theory]
    [InlineData(101, "ptrace")]
    [InlineData(310, "process_vm_readv")]
    [InlineData(272, "unshare")]
    [InlineData(425, "io_uring_setup")]
    [InlineData(0x40000027, "the x32 ABI")]
    public async Task What_nothing_honest_calls_ends_the_cell(long number, string name)
    {
        Assert.SkipUnless(System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64, "The numbers are those of x86-64.");
        var tenant = TestTenant.WithRule(await cells.Sandbox, KillingCalls);

        var run = await tenant.OneRunAsync(15, ("go", $"{number}"));

        run.Outcome.ShouldBe(RunOutcome.Killed, name);
        run.Error!.Message.ShouldContain("system call");
    }

    [Fact]
    public async Task There_is_no_filter_for_an_architecture_whose_numbers_are_not_known()
    {
        var (code, output) = await ZygoteService.PythonAsync("""
            import seal
            try:
                seal.program("riscv64")
            except OSError as error:
                print(error.strerror)
            """);

        (code, output.Trim()).ShouldBe((0, "there is no seal for the architecture riscv64"));
    }

    private static async Task TryWallsAsync(TestTenant tenant)
    {
        (await tenant.OneRunAsync(15, ("go", "1"))).Error.ShouldBeNull();

        tenant.Kvp(15, "open").ShouldBe("[]");
        tenant.Kvp(15, "count").ShouldBe("26");
        tenant.Kvp(15, "environment").ShouldBe("""["TZ"]""");
        File.Exists("/tmp/eddy-escape").ShouldBeFalse();
    }
}
