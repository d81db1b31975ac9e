using Eddy.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests;

/// <summary>The real worker, with its pump, its jobs and a zygote of its own.</summary>
public sealed class TestWorker : IAsyncDisposable
{
    private readonly WebApplication _app;
    private bool _isStopped;

    private TestWorker(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    /// <summary>How many shards it holds.</summary>
    public int Shards => _app.Services.GetRequiredService<PumpProcess>().Current?.Shards.Count ?? 0;

    /// <summary>It has leases that are good.</summary>
    public bool IsAlive => _app.Services.GetRequiredService<PumpProcess>().Current?.IsAlive ?? false;

    /// <param name="settings">Further settings, as in <c>Pump:Runs=3</c>.</param>
    public static async Task<TestWorker> StartAsync(TestDatabase database, params string[] settings)
    {
        var app = WorkerProgram.Build(
            ["--urls=http://127.0.0.1:0", "--environment=Production", "--Serilog:MinimumLevel:Override:Microsoft.Hosting.Lifetime=Warning", $"--EDDY_APP_DB={database.AppConnection}", .. settings.Select(setting => "--" + setting)]);
        await WorkerProgram.StartedAsync(app.Services, TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new TestWorker(app);
    }

    /// <summary>As TERM does: what is under way is finished, and the shards are given back.</summary>
    public async Task StopAsync()
    {
        if (!_isStopped)
        {
            _isStopped = true;
            await _app.StopAsync(CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _app.DisposeAsync();
    }
}
