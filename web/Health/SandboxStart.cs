using Eddy.Sandbox;

namespace Eddy.Health;

/// <summary>Starts the sandbox beside everything else: without it the web takes events and shows what happened, and says that no file can be compiled.</summary>
public sealed class SandboxStart(RuleSandbox sandbox, ILogger<SandboxStart> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await sandbox.StartAsync(stoppingToken);
        }
        catch (SandboxUnavailable unavailable)
        {
            log.LogError("No rule can run: {Reason}", unavailable.Message);
        }
    }
}
