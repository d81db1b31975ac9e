using System.Globalization;

namespace Eddy.Bench.Load;

/// <summary>Memory of the cells that this process has made, in megabytes (of 1,000,000 bytes).</summary>
/// <param name="Count">How many cells there are, with the one that is kept ready.</param>
/// <param name="Private">What only one of them has: Private_Clean and Private_Dirty of smaps_rollup, all together.</param>
/// <param name="Tables">Their page tables, all together, which no cell's own memory counts.</param>
internal sealed record CellMemory(int Count, double Private, double Tables)
{
    /// <summary>True where the kernel lets this process see how much memory others have: for root.</summary>
    public static bool CanBeRead => Environment.IsPrivilegedProcess;

    public static CellMemory Read()
    {
        var all = Directory.EnumerateDirectories("/proc").Select(path => int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(pid => pid != 0).ToLookup(ParentOf);
        var cells = all[Environment.ProcessId].Where(IsZygote).SelectMany(zygote => all[zygote])
            .Select(cell => (Private: Sum(cell, "smaps_rollup", "Private_"), Tables: Sum(cell, "status", "VmPTE"))).Where(cell => cell.Private > 0).ToList();
        return new CellMemory(cells.Count, cells.Sum(cell => cell.Private), cells.Sum(cell => cell.Tables));
    }

    /// <summary>What the kernel could still give out, in megabytes.</summary>
    public static double Available() => Sum("/proc/meminfo", "MemAvailable");

    /// <summary>Nothing where the process has ended: one that was dropped may be there a moment longer than it is missed.</summary>
    private static double Sum(int pid, string file, string field)
    {
        try
        {
            return Sum($"/proc/{pid}/{file}", field);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static double Sum(string file, string field) => File.ReadLines(file).Where(line => line.StartsWith(field, StringComparison.Ordinal))
        .Sum(line => double.Parse(line.Split(':')[1].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024 / 1e6);

    private static bool IsZygote(int pid) => File.ReadAllText($"/proc/{pid}/cmdline").Contains("zygote.py", StringComparison.Ordinal);

    private static int ParentOf(int pid)
    {
        try
        {
            // pid (name) state parent …, and the name may have anything in it.
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
