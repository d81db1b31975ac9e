using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>A sandbox in which no run may take longer than six seconds.</summary>
public sealed class ShortCells : IAsyncLifetime
{
    public RuleSandbox Sandbox { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var options = CellFixture.Limits();
        options.WallTime = TimeSpan.FromSeconds(6);
        Sandbox = await CellFixture.StartAsync(options);
    }

    public ValueTask DisposeAsync() => Sandbox.DisposeAsync();
}
