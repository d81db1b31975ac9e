using Eddy.Mail;
using Hangfire.Server;

namespace Eddy.Jobs;

/// <summary>Hangfire's face of the courier: runs it for as long as the server runs, and again if it ends by a fault.</summary>
public sealed class CourierProcess(Courier courier) : IBackgroundProcess
{
    public void Execute(BackgroundProcessContext context) => courier.RunAsync(context.StoppingToken).GetAwaiter().GetResult();
}
