using System.Globalization;

namespace Eddy.Bench.Load;

/// <summary>CPU seconds that the parts of the product, the load beside it, and all processes of the machine have used so far.</summary>
internal sealed record CpuClock(double Web, double Worker, double Cells, double Postgres, double Load, double Machine)
{
    public static CpuClock Read(Product product, int load)
    {
        var guests = Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? OsProcess.Read(pid) : null)
            .OfType<OsProcess>()
            .ToLookup(process => process.Parent);
        var (web, worker, postgres) = (product.PidOf("web"), product.PidOf("worker"), product.PidOf("postgres"));
        return new CpuClock(
            Own(web),
            Own(worker),
            Below(guests, web) + Below(guests, worker),
            Own(postgres) + Below(guests, postgres),
            Own(load),
            MachineCpu.Read().Busy);
    }

    public CpuClock Since(CpuClock earlier) => new(
        Web - earlier.Web, Worker - earlier.Worker, Cells - earlier.Cells, Postgres - earlier.Postgres, Load - earlier.Load, Machine - earlier.Machine);

    /// <summary>Microseconds for each of so many events.</summary>
    public CpuClock Per(double events)
    {
        var each = 1e6 / events;
        return new CpuClock(Web * each, Worker * each, Cells * each, Postgres * each, Load * each, Machine * each);
    }

    private static double Own(int pid) => OsProcess.Read(pid)?.Seconds ?? 0;

    private static double Below(ILookup<int, OsProcess> all, int parent) => all[parent].Sum(child => child.Seconds + Below(all, child.Pid));

    /// <summary>A process, with the time of children of its that have ended.</summary>
    private sealed record OsProcess(int Pid, int Parent, double Seconds)
    {
        public static OsProcess? Read(int pid)
        {
            string text;
            try
            {
                text = File.ReadAllText($"/proc/{pid}/stat");
            }
            catch (IOException)
            {
                return null;
            }

            // The name, in parentheses, may itself hold any character.
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return new OsProcess(
                pid,
                int.Parse(fields[1], CultureInfo.InvariantCulture),
                fields[11..15].Sum(ticks => long.Parse(ticks, CultureInfo.InvariantCulture)) / MachineCpu.Ticks);
        }
    }
}
