namespace Eddy.Bench.Load;

/// <summary>A stretch of time well within a run of wrk, and what the log, the line and the processes' CPU clocks did in it.</summary>
/// <param name="Events">By how much the tenants' logs grew.</param>
/// <param name="Lag">The longest that an arrival had waited at any look.</param>
/// <param name="Cpu">CPU seconds used.</param>
internal sealed record LoadWindow(WrkResult Wrk, double Seconds, long Events, TimeSpan Lag, CpuClock Cpu)
{
    private static readonly TimeSpan Edge = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);

    public static LoadWindow Measure(Stage stage, Targets targets, int connections, int seconds)
    {
        var clock = TimeProvider.System;
        using var wrk = Load.Wrk.Start(stage.Port, targets, connections, seconds, stage.Cancel);
        var begun = clock.GetTimestamp();
        stage.Pause(Edge);
        var (from, logBefore, cpuBefore) = (clock.GetTimestamp(), stage.Db.Log(targets.Tenants), CpuClock.Read(stage.Product, wrk.Pid));
        var lag = TimeSpan.Zero;
        while (TimeSpan.FromSeconds(seconds) - Edge - clock.GetElapsedTime(begun) is var left && left > TimeSpan.Zero)
        {
            stage.Pause(left < BetweenLooks ? left : BetweenLooks);
            var now = stage.Db.Lag();
            lag = now > lag ? now : lag;
        }

        var logAfter = stage.Db.Log(targets.Tenants);
        var span = clock.GetElapsedTime(from).TotalSeconds;
        var cpu = CpuClock.Read(stage.Product, wrk.Pid).Since(cpuBefore);
        return new LoadWindow(wrk.Await(), span, logAfter.Events - logBefore.Events, lag, cpu);
    }
}
