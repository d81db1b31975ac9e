using System.Globalization;

namespace Eddy.Bench.Load;

/// <summary>CPU seconds of all cores together since the machine came up.</summary>
internal sealed record MachineCpu(double Busy, double Idle)
{
    /// <summary>What /proc counts in: USER_HZ, 100 on every Linux that runs .NET.</summary>
    public const double Ticks = 100;

    public static MachineCpu Read()
    {
        // cpu user nice system idle iowait irq softirq steal
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(8)
            .Select(ticks => long.Parse(ticks, CultureInfo.InvariantCulture) / Ticks).ToArray();
        var idle = fields[3] + fields[4];
        return new MachineCpu(fields.Sum() - idle, idle);
    }

    /// <summary>Which part of the machine, 0 to 1, is busy while the bench does nothing yet: what will disturb it.</summary>
    public static double BusyNow(CancellationToken cancel)
    {
        var before = Read();
        cancel.WaitHandle.WaitOne(TimeSpan.FromSeconds(2));
        var after = Read();
        return (after.Busy - before.Busy) / Math.Max(0.01, after.Busy - before.Busy + after.Idle - before.Idle);
    }
}
