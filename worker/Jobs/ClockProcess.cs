using Eddy.Schedules;
using Hangfire.Server;

namespace Eddy.Jobs;

/// <summary>Hangfire's face of the clock: runs it for as long as the server runs, and again if it ends by a fault.</summary>
public sealed class ClockProcess(Clock clock) : IBackgroundProcess
{
    public void Execute(BackgroundProcessContext context) => clock.RunAsync(context.StoppingToken).GetAwaiter().GetResult();
}
