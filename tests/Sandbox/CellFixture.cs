using Eddy.Sandbox;
using Microsoft.Extensions.Logging.Abstractions;

[assembly: AssemblyFixture(typeof(Eddy.Tests.Sandbox.CellFixture))]

namespace Eddy.Tests.Sandbox;

/// <summary>One running sandbox with small limits for all tests that do not harm it; started by the first that asks.</summary>
public sealed class CellFixture : IAsyncDisposable
{
    private readonly Lazy<Task<RuleSandbox>> _sandbox = new(() => StartAsync(Limits()));

    public Task<RuleSandbox> Sandbox => _sandbox.Value;

    public static SandboxOptions Limits() => new()
    {
        // Cells are niced: on a busy machine their CPU time may take long.
        WallTime = TimeSpan.FromMinutes(2),
        CpuTime = TimeSpan.FromSeconds(0.4),
        MemoryMiB = 64,
        LogBytes = 4096,
        Changes = 50,
        ValueBytes = 64 << 10,
        ProcessKvps = 100,
        ProcessBytes = 256 << 10,
        CascadeRuns = 200,
    };

    public static async Task<RuleSandbox> StartAsync(SandboxOptions options)
    {
        var sandbox = new RuleSandbox(options, TimeProvider.System, NullLogger<RuleSandbox>.Instance);
        await sandbox.StartAsync(TestContext.Current.CancellationToken);
        return sandbox;
    }

    public async ValueTask DisposeAsync()
    {
        if (_sandbox.IsValueCreated)
        {
            await (await _sandbox.Value).DisposeAsync();
        }
    }
}
