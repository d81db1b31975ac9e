using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>The attacks in the cells of a child of the host.</summary>
[Trait("Category", "Long")]
public sealed class ChildAttackTests(ChildAttackFixture cells) : AttackTests(cells), IClassFixture<ChildAttackFixture>;

/// <summary>The attacks in the cells of a service without privileges.</summary>
[Trait("Category", "Long")]
public sealed class NobodyAttackTests(NobodyAttackFixture cells) : AttackTests(cells), IClassFixture<NobodyAttackFixture>;

/// <summary>
/// Attacks from inside real cells. A group's attempts are arrivals of one slice, each followed by an honest run of the same tenant; a neighbour works
/// all the while. The output of each test says what stopped each attempt.
/// </summary>
public abstract class AttackTests(AttackFixture cells)
{
    /// <summary>Far beyond what any takes: a host that hangs fails the test instead of holding it for good.</summary>
    private const int Hang = 20 * 60_000;

    public static TheoryData<string> Groups => ["files", "sockets", "processes", "memory", "gates", "bombs", "frames"];

    private static readonly string[] Waits = ["waits"];

    [Fact]
    public void There_are_at_least_120_attempts()
    {
        var attempts = Groups.Select(row => row.Data).Concat(Waits).SelectMany(Attempt.In).ToList();

        attempts.Select(attempt => attempt.Name).Distinct().Count().ShouldBe(attempts.Count);
        attempts.Count.ShouldBeGreaterThanOrEqualTo(120);
    }

    [Theory(Timeout = Hang), MemberData(nameof(Groups))]
    public async Task Every_attempt_is_stopped_and_the_others_go_on(string group)
    {
        SkipElsewhere();
        var attempts = Attempt.In(group).ToList();
        var arrivals = attempts.SelectMany((attempt, i) => new[]
        {
            TestTenant.Arrival(1000 + i, ("attempt", JsonSerializer.Serialize(attempt.Name))), TestTenant.Arrival(5000 + i, ("works", $"{i}")),
        }).ToArray();
        var tenant = Attempt.Tenant(cells.Sandbox, group);
        tenant.Have(0, "sibling", await cells.NeighbourWorksAsync());
        tenant.Have(0, "host", $"{Environment.ProcessId}");

        var runs = await RunAsync(tenant, arrivals, TestContext.Current.CancellationToken, group == "bombs" ? 2 : int.MaxValue);

        (await tenant.LoadAsync()).Errors.ShouldBeEmpty();

        // Whatever a cell does, the host keeps the order, and what others do happens once.
        runs.Select(run => run.Pid).Distinct().ShouldBe(arrivals.Select(arrival => arrival.Pid));
        runs.Where(run => run.Pid >= 5000).ShouldAllBe(run => run.Outcome == RunOutcome.Ran);
        runs.Count(run => run.Pid >= 5000).ShouldBe(attempts.Count);
        var last = runs.GroupBy(run => run.Pid).ToDictionary(some => some.Key, some => some.Last());
        var wrong = new List<string>();
        for (var i = 0; i < attempts.Count; i++)
        {
            var outcome = Attempt.Outcome(last[1000 + i], tenant.Kvp(1000 + i, "stopped"));
            TestContext.Current.TestOutputHelper?.WriteLine($"{attempts[i].Name}: {outcome}");
            tenant.Kvp(5000 + i, "worked").ShouldBe($"{i}", attempts[i].Name);
            if (!attempts[i].Holds(outcome))
            {
                wrong.Add($"{attempts[i].Name}: {outcome}, and not {attempts[i].Stopped}. {last[1000 + i].Error}");
            }
        }

        wrong.ShouldBeEmpty();
        (await tenant.OneRunAsync(1, ("works", "1"))).Outcome.ShouldBe(RunOutcome.Ran);
        await cells.NeighbourWorksAsync();
        File.Exists("/tmp/eddy-escape").ShouldBeFalse();
    }

    [Fact(Timeout = Hang)]
    public async Task Every_wait_is_ended()
    {
        var limits = cells.Options;
        limits.WallTime = TimeSpan.FromSeconds(6);
        await using var sandbox = await CellFixture.StartAsync(limits);
        var attempts = Waits.SelectMany(Attempt.In).ToList();

        var wrong = await Task.WhenAll(attempts.Select(async attempt =>
        {
            var tenant = Attempt.Tenant(sandbox, attempt.Group);
            var run = (await RunAsync(tenant, [TestTenant.Arrival(1, ("attempt", JsonSerializer.Serialize(attempt.Name))), TestTenant.Arrival(2, ("works", "1"))], TestContext.Current.CancellationToken))[0];
            tenant.Kvp(2, "worked").ShouldBe("1");
            var outcome = Attempt.Outcome(run, tenant.Kvp(1, "stopped"));
            TestContext.Current.TestOutputHelper?.WriteLine($"{attempt.Name}: {outcome}");
            return attempt.Holds(outcome) ? null : $"{attempt.Name}: {outcome}, and not {attempt.Stopped}. {run.Error}";
        }));

        wrong.OfType<string>().ShouldBeEmpty();
        await cells.NeighbourWorksAsync();
    }

    [Fact(Timeout = Hang)]
    public Task Each_number_of_a_system_call_does_what_the_table_of_the_seal_says() =>
        TryNumbersAsync(Enumerable.Range(0, 461).Select(number => (long)number), TestContext.Current.CancellationToken);

    [Fact(Timeout = Hang)]
    public Task Numbers_of_the_x32_ABI_end_the_cell() => TryNumbersAsync(
        // That the filter ends each of them SealProgramTests shows.
        Enumerable.Range(0, 461).Where(number => number % 8 == 0).Append(520).Select(number => 0x40000000L + number), TestContext.Current.CancellationToken);

    private static void SkipElsewhere() =>
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "The numbers are those of x86-64.");

    /// <summary>All runs of the arrivals, in as many slices as the cells want.</summary>
    /// <param name="most">As many arrivals a slice at most: a rule that used up its CPU time is off for the rest of its slice.</param>
    private async Task<List<RunEnded>> RunAsync(TestTenant tenant, ArrivalSet[] arrivals, CancellationToken ct, int most = int.MaxValue)
    {
        var runs = new List<RunEnded>();
        var done = false;
        var neighbour = Task.Run(async () =>
        {
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
            while (!Volatile.Read(ref done) && await pace.WaitForNextTickAsync(ct))
            {
                await cells.NeighbourWorksAsync();
            }
        }, ct);
        try
        {
            for (var taken = 0; taken < arrivals.Length;)
            {
                var transcript = await tenant.RunAsync([.. arrivals.Skip(taken).Take(most)]);
                transcript.ArrivalsTaken.ShouldBeGreaterThan(0);
                taken += transcript.ArrivalsTaken;
                runs.AddRange(transcript.Steps.OfType<RunEnded>());
            }
        }
        finally
        {
            Volatile.Write(ref done, true);
            await neighbour;
        }

        return runs;
    }

    private async Task TryNumbersAsync(IEnumerable<long> numbers, CancellationToken ct)
    {
        SkipElsewhere();
        var table = await TableAsync();
        var arrivals = numbers.Select(number => TestTenant.Arrival(number + 1, ("number", $"{number}"))).ToArray();
        var tenant = TestTenant.WithRule(cells.Sandbox, Attempt.Source("number"));

        var runs = await RunAsync(tenant, arrivals, ct);

        runs.Count.ShouldBe(arrivals.Length);
        var wrong = new List<string>();
        foreach (var run in runs)
        {
            var number = run.Pid - 1;
            var expected = number >= 0x40000000 ? "seccomp" : table.GetValueOrDefault(number.ToString(CultureInfo.InvariantCulture), "EPERM");
            var outcome = Attempt.Outcome(run, tenant.Kvp(run.Pid, "answer"));
            TestContext.Current.TestOutputHelper?.WriteLine($"{number}: {outcome}");
            if (expected == "allowed" ? outcome is "EPERM" or "ENOSYS" || run.Outcome != RunOutcome.Ran : !expected.Split('|').Contains(outcome))
            {
                wrong.Add($"{number}: {outcome}, and not {expected}");
            }
        }

        wrong.ShouldBeEmpty();
        await cells.NeighbourWorksAsync();
    }

    /// <summary>What must come of each number of the seal's own tables with -1 as the first argument and 0 as the others.</summary>
    private static async Task<Dictionary<string, string>> TableAsync()
    {
        var (code, output) = await ZygoteService.PythonAsync("""
            import json, seal
            number = seal.NUMBERS["x86_64"]
            table = {number[name]: "allowed" for name in seal.PLAIN}
            table.update((number[name], "seccomp") for name in seal.KILLED if name in number)
            # With these arguments: those that are let depend on them.
            table.update((number[name], how) for name, how in dict(
                mmap="allowed", mprotect="allowed", sendto="allowed", madvise="EPERM", fcntl="EPERM", clone3="ENOSYS",
                clock_gettime="EPERM", clock_getres="EPERM", clock_nanosleep="EPERM",
                exit="exit 255", exit_group="exit 255", rt_sigreturn="crash").items())
            # uretprobe and uprobe: kernels that know them do not ask the filter, and take them from a trampoline of their own alone.
            table.update({335: "EPERM|signal 4", 336: "EPERM|ENXIO"})
            print(json.dumps(table))
            """);
        code.ShouldBe(0);
        return JsonSerializer.Deserialize<Dictionary<string, string>>(output)!;
    }
}
