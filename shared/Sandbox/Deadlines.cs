using System.Collections.Concurrent;

namespace Eddy.Sandbox;

/// <summary>
/// Ends cells that go over their time. The clock of a run starts at the last frame of its cell; the CPU time is the zygote's
/// word, first asked for at the first tick after that frame, and again at each tick from where the limit can be reached: a run may have two ticks
/// more than its limit, which is less than a hundredth of the usual one.
/// </summary>
internal sealed class Deadlines : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<CellChannel, bool> _watched = new();
    private readonly SandboxOptions _options;
    private readonly ITimer _timer;

    public Deadlines(SandboxOptions options, TimeProvider time)
    {
        _options = options;
        var least = options.WallTime < options.CpuTime ? options.WallTime : options.CpuTime;
        var tick = TimeSpan.FromMilliseconds(Math.Clamp(least.TotalMilliseconds / 40, 5, 20));
        _timer = time.CreateTimer(_ => Look(), null, tick, tick);
    }

    public void Watch(CellChannel cell)
    {
        cell.Deadlines = this;
        _watched.TryAdd(cell, true);
    }

    public void Forget(CellChannel cell) => _watched.TryRemove(cell, out _);

    /// <summary>There is news of the cell's CPU time.</summary>
    public void Judge(CellChannel cell)
    {
        if (cell is { Waiting: not null, Overrun: null, HasCpuBase: true } && cell.Cpu >= _options.CpuTime)
        {
            cell.Kill("CpuTime");
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        foreach (var (cell, _) in _watched)
        {
            if (cell.Waiting is not { } waiting)
            {
                continue;
            }

            if (cell.Overrun is not null)
            {
                if (waiting > _options.WallTime + Grace && waiting > _options.CpuTime + Grace)
                {
                    cell.Abandon();
                }
            }
            else if (waiting >= _options.WallTime)
            {
                cell.Kill("WallTime");
            }
            else if (!cell.HasCpuBase || waiting >= _options.CpuTime)
            {
                cell.AskCpu();
            }
        }
    }
}
