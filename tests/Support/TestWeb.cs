using Eddy.Sandbox;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests;

/// <summary>The real web on a port of its own.</summary>
public sealed class TestWeb : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestWeb(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    public IServiceProvider Services => _app.Services;

    /// <param name="settings">Further settings, as in <c>Web:FileBytes=10</c>.</param>
    public static async Task<TestWeb> StartAsync(TestDatabase database, params string[] settings)
    {
        var app = WebProgram.Build(
            ["--urls=http://127.0.0.1:0", "--environment=Production", "--People:FormsPerMinute=100000", "--Sites:Domain=localhost", "--Sites:AddressRequests=100000", "--Sites:TenantRequests=100000", "--Serilog:MinimumLevel:Override:Microsoft.Hosting.Lifetime=Warning", "--Serilog:MinimumLevel:Override:Eddy.Sites.SiteStart=Warning", $"--EDDY_APP_DB={database.AppConnection}", .. settings.Select(setting => "--" + setting)]);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new TestWeb(app);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }
}

/// <summary>One web for all tests that need nothing special of it.</summary>
public sealed class SharedWeb(TestDatabase database) : IAsyncLifetime
{
    public TestWeb Web { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Web = await TestWeb.StartAsync(database);
        var sandbox = Web.Services.GetRequiredService<RuleSandbox>();
        await Patience.UntilAsync("files can be checked", () => sandbox.Health.Ready);
    }

    public ValueTask DisposeAsync() => Web.DisposeAsync();
}
