using Hangfire.Server;

namespace Eddy.Jobs;

/// <summary>Hangfire's face of the pump: runs one for as long as the server runs, and another if it ends by a fault.</summary>
public sealed class PumpProcess(IServiceProvider services) : IBackgroundProcess
{
    /// <summary>The pump that runs now; null before the first.</summary>
    public Pump.Pump? Current { get; private set; }

    public void Execute(BackgroundProcessContext context)
    {
        using var pump = ActivatorUtilities.CreateInstance<Pump.Pump>(services);
        Current = pump;
        pump.RunAsync(context.StoppingToken).GetAwaiter().GetResult();
    }
}
