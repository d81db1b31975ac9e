using System.Diagnostics;

namespace Eddy.Tests;

/// <summary>Waits for what gives no sign of its own.</summary>
internal static class Patience
{
    /// <summary>Generous, for the machine may be busy.</summary>
    public static readonly TimeSpan Long = TimeSpan.FromMinutes(2);

    /// <summary>Asks again and again, and fails where it did not come true in time.</summary>
    public static async Task UntilAsync(string what, TimeSpan within, Func<Task<bool>> isSo)
    {
        var started = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await isSo())
        {
            Stopwatch.GetElapsedTime(started).ShouldBeLessThan(within, what);
            await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    public static Task UntilAsync(string what, Func<bool> isSo) => UntilAsync(what, Long, () => Task.FromResult(isSo()));
}
