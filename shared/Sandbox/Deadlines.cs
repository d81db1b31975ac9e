using System.Collections.Concurrent;

namespace Eddy.Sandbox;

/// <summary>
/// Ends cells that go over their time. The clock of a run starts at the last frame of its cell; the CPU time is the zygote's
/// word, first asked for at the first tick after that frame, so that a run may have a tick more than its limit.
/// </summary>
internal sealed class Deadlines : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<CellChannel, bool> _watched = new();
    private readonly SandboxOptions _options;
    private readonly Zygote _zygote;
    private readonly ITimer _timer;

    public Deadlines(SandboxOptions options, Zygote zygote, TimeProvider time)
    {
        (_options, _zygote) = (options, zygote);
        var least = options.WallTime < options.CpuTime ? options.WallTime : options.CpuTime;
        var tick = TimeSpan.FromMilliseconds(Math.Clamp(least.TotalMilliseconds / 8, 5, 50));
        _timer = time.CreateTimer(_ => Look(), null, tick, tick);
    }

    public void Watch(CellChannel cell) => _watched.TryAdd(cell, true);

    public void Forget(CellChannel cell) => _watched.TryRemove(cell, out _);

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
                    _zygote.Abandon();
                }
            }
            else if (waiting >= _options.WallTime)
            {
                cell.Kill("WallTime");
            }
            else if (cell.HasCpuBase && cell.Cpu >= _options.CpuTime)
            {
                cell.Kill("CpuTime");
            }
            else if (!cell.HasCpuBase || waiting >= _options.CpuTime)
            {
                cell.AskCpu();
            }
        }
    }
}
