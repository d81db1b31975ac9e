using System.Globalization;
using System.Text.RegularExpressions;

namespace Eddy.Tests.Sandbox;

/// <summary>The seccomp program of each architecture, interpreted: what it says of every number and of the arguments that count.</summary>
public sealed partial class SealProgramTests
{
    private const string X64 = "x86_64";
    private const string Arm64 = "aarch64";
    private const ulong High = 1UL << 32;

    private static readonly Dictionary<string, uint> Arch = new() { [X64] = 0xC000003E, [Arm64] = 0xC00000B7 };

    [Theory]
    [InlineData(X64)]
    [InlineData(Arm64)]
    public async Task Every_number_is_allowed_refused_or_the_end_as_the_kernels_table_has_it(string machine)
    {
        var filter = await FilterAsync(machine);
        var names = KernelCalls.Of(machine).ToDictionary(pair => (uint)pair.Value, pair => pair.Key);
        var (allowed, judged, killed) = (KernelCalls.Words(KernelCalls.Allowed), KernelCalls.Words(KernelCalls.Judged), KernelCalls.Words(KernelCalls.Killed));

        for (var number = 0u; number <= 460; number++)
        {
            var name = names.GetValueOrDefault(number, "");
            if (!judged.Contains(name))
            {
                var expected = allowed.Contains(name) ? FilterMachine.Allow : killed.Contains(name) ? FilterMachine.Kill : name == "clone3" ? FilterMachine.NotThere : FilterMachine.Refuse;
                filter.Judge(Arch[machine], number, ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, ulong.MaxValue).ShouldBe(expected, $"{number} {name}");
                filter.Judge(Arch[machine], number).ShouldBe(expected, $"{number} {name}");
            }
        }

        names.Count.ShouldBeGreaterThan(70);
        filter.Judge(Arch[machine], 100_000).ShouldBe(FilterMachine.Refuse);
    }

    [Theory]
    [InlineData(X64, "mmap")]
    [InlineData(X64, "mprotect")]
    [InlineData(Arm64, "mmap")]
    [InlineData(Arm64, "mprotect")]
    public async Task Memory_is_never_executable(string machine, string call)
    {
        var judge = await JudgeAsync(machine, call);

        for (var protection = 0UL; protection < 8; protection++)
        {
            var expected = protection >= 4 ? FilterMachine.Refuse : FilterMachine.Allow;
            judge([0, 4096, protection]).ShouldBe(expected);
            judge([ulong.MaxValue, ulong.MaxValue, protection | (High * 7), ulong.MaxValue]).ShouldBe(expected);
        }

        // The kernel reads the low half alone.
        judge([0, 4096, High * 4]).ShouldBe(FilterMachine.Allow);
        judge([0, 4096, ulong.MaxValue]).ShouldBe(FilterMachine.Refuse);
    }

    [Theory]
    [InlineData(X64)]
    [InlineData(Arm64)]
    public async Task Advice_and_descriptors_are_judged_by_what_is_asked(string machine)
    {
        var madvise = await JudgeAsync(machine, "madvise");
        var fcntl = await JudgeAsync(machine, "fcntl");

        for (var what = 0UL; what < 2000; what++)
        {
            madvise([0, 4096, what]).ShouldBe(what is 4 or 8 or 9 or 14 or 15 ? FilterMachine.Allow : FilterMachine.Refuse, $"madvise {what}");
            fcntl([3, what, 1]).ShouldBe(what is 1 or 3 ? FilterMachine.Allow : FilterMachine.Refuse, $"fcntl {what}");
        }
    }

    [Theory]
    [InlineData(X64)]
    [InlineData(Arm64)]
    public async Task Nothing_is_sent_to_an_address_and_no_send_connects(string machine)
    {
        var sendto = await JudgeAsync(machine, "sendto");
        const ulong fastOpen = 0x20000000;

        sendto([3, 1, 1, 0, 0, 0]).ShouldBe(FilterMachine.Allow);
        sendto([3, 1, 1, 0x4000, 0, 16]).ShouldBe(FilterMachine.Allow);
        sendto([3, 1, 1, 0, 0x7FFF_0000, 16]).ShouldBe(FilterMachine.Refuse);
        sendto([3, 1, 1, 0, High, 16]).ShouldBe(FilterMachine.Refuse);
        sendto([3, 1, 1, 0, 1, 16]).ShouldBe(FilterMachine.Refuse);
        sendto([3, 1, 1, fastOpen, 0, 0]).ShouldBe(FilterMachine.Refuse);
        sendto([3, 1, 1, ulong.MaxValue, 0, 0]).ShouldBe(FilterMachine.Refuse);
        sendto([3, 1, 1, fastOpen | 0x4000, High, 0]).ShouldBe(FilterMachine.Refuse);
    }

    [Theory]
    [InlineData(X64)]
    [InlineData(Arm64)]
    public async Task Only_what_came_in_order_is_received_and_no_clock_of_another_process_is_read(string machine)
    {
        var (recvfrom, recvmsg) = (await JudgeAsync(machine, "recvfrom"), await JudgeAsync(machine, "recvmsg"));
        const ulong outOfBand = 1;
        const ulong errorQueue = 0x2000;

        foreach (var flags in (ulong[])[0, 2, 0x40, 0x100, 0x40000000])
        {
            recvfrom([3, 1, 1, flags, 0, 0]).ShouldBe(FilterMachine.Allow, $"{flags:x}");
            recvmsg([3, 1, flags]).ShouldBe(FilterMachine.Allow, $"{flags:x}");
        }

        foreach (var flags in (ulong[])[outOfBand, errorQueue, outOfBand | 0x40, ulong.MaxValue])
        {
            recvfrom([3, 1, 1, flags, 0, 0]).ShouldBe(FilterMachine.Refuse, $"{flags:x}");
            recvmsg([3, 1, flags]).ShouldBe(FilterMachine.Refuse, $"{flags:x}");
        }

        foreach (var call in (string[])["clock_gettime", "clock_getres", "clock_nanosleep"])
        {
            var clock = await JudgeAsync(machine, call);
            for (var which = 0UL; which < 16; which++)
            {
                clock([which, 1]).ShouldBe(FilterMachine.Allow, $"{call} {which}");
            }

            // A process's own clock is 2; another's is made of the complement of its number.
            foreach (var which in (ulong[])[16, 0xFFFF_FFF6, (~4321u << 3) | 2])
            {
                clock([which, 1]).ShouldBe(FilterMachine.Refuse, $"{call} {which}");
            }
        }
    }

    [Fact]
    public async Task Another_architectures_calls_are_the_end()
    {
        foreach (var machine in (string[])[X64, Arm64])
        {
            var filter = await FilterAsync(machine);
            foreach (var arch in (uint[])[0x40000003, 0x40000028, 0, 0xC00000F3, Arch[machine == X64 ? Arm64 : X64]])
            {
                for (var number = 0u; number <= 460; number++)
                {
                    filter.Judge(arch, number).ShouldBe(FilterMachine.Kill, $"{machine} {arch:x} {number}");
                }
            }
        }
    }

    [Fact]
    public async Task The_x32_calls_are_the_end()
    {
        var filter = await FilterAsync(X64);

        for (var number = 0u; number <= 600; number++)
        {
            filter.Judge(Arch[X64], 0x40000000 | number).ShouldBe(FilterMachine.Kill);
        }

        filter.Judge(Arch[X64], 0x3FFFFFFF).ShouldBe(FilterMachine.Refuse);
        filter.Judge(Arch[X64], uint.MaxValue).ShouldBe(FilterMachine.Kill);
    }

    [Theory]
    [InlineData(X64, "/usr/include/x86_64-linux-gnu/asm/unistd_64.h")]
    [InlineData(Arm64, "/usr/include/asm-generic/unistd.h")]
    public void The_numbers_are_those_of_the_kernels_headers(string machine, string header)
    {
        Assert.SkipUnless(File.Exists(header), $"{header} comes with linux-libc-dev.");
        var numbers = new Dictionary<string, int>();
        foreach (var line in Definition().Matches(File.ReadAllText(header)).Cast<Match>())
        {
            numbers.TryAdd(line.Groups[1].Value, int.Parse(line.Groups[2].Value, CultureInfo.InvariantCulture));
        }

        foreach (var name in KernelCalls.Words($"{KernelCalls.Allowed} {KernelCalls.Judged} {KernelCalls.Killed} clone3"))
        {
            KernelCalls.Of(machine).GetValueOrDefault(name, -1).ShouldBe(numbers.GetValueOrDefault(name, -1), name);
        }
    }

    [GeneratedRegex(@"^#define __NR(?:3264)?_(\w+)\s+(\d+)", RegexOptions.Multiline)]
    private static partial Regex Definition();

    private static async Task<Func<ulong[], uint>> JudgeAsync(string machine, string call)
    {
        var filter = await FilterAsync(machine);
        var number = (uint)KernelCalls.Of(machine)[call];
        return arguments => filter.Judge(Arch[machine], number, arguments);
    }

    private static async Task<FilterMachine> FilterAsync(string machine)
    {
        var (code, output) = await ZygoteService.PythonAsync($"import seal; print(seal.program('{machine}')[0].hex())");
        code.ShouldBe(0);
        return new FilterMachine(Convert.FromHexString(output.Trim()));
    }
}
