using System.Globalization;

namespace Eddy.Bench.Report;

/// <summary>Where and on what it was measured.</summary>
/// <param name="Postgres">Its version; null where no case needed it.</param>
/// <param name="BusyBefore">Which part of the machine, 0 to 1, others kept busy before it began.</param>
internal sealed record Machine(
    DateTimeOffset At, string Commit, string Cpu, int Cores, double MemoryGiB, string Kernel, double BusyBefore, string? Postgres, string DotNet, string Python)
{
    public static Machine Read(string root, double busyBefore, CancellationToken cancel) => new(
        TimeProvider.System.GetUtcNow(),
        CommitOf(root, cancel),
        FirstOf("/proc/cpuinfo", "model name"),
        Environment.ProcessorCount,
        double.Parse(FirstOf("/proc/meminfo", "MemTotal").Split(' ')[0], CultureInfo.InvariantCulture) / (1 << 20),
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        busyBefore,
        null,
        Environment.Version.ToString(),
        Tool.Run("/usr/bin/python3", ["--version"], cancel).Trim().Replace("Python ", "", StringComparison.Ordinal));

    private static string CommitOf(string root, CancellationToken cancel)
    {
        try
        {
            var commit = Tool.Run("git", ["-C", root, "rev-parse", "--short", "HEAD"], cancel).Trim();
            return Tool.Run("git", ["-C", root, "status", "--porcelain", "--untracked-files=no"], cancel).Trim().Length > 0 ? commit + "-changed" : commit;
        }
        catch (Exception fault) when (fault is BenchFault or System.ComponentModel.Win32Exception)
        {
            return "unknown";
        }
    }

    private static string FirstOf(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "0 unknown";
}
