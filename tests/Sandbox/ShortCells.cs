using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>A sandbox in which no run may take longer than two seconds.</summary>
public sealed class ShortCells : IAsyncLifetime
{
    public RuleSandbox Sandbox { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var options = CellFixture.Limits();
        options.WallTime = TimeSpan.FromSeconds(2);
        Sandbox = await CellFixture.StartAsync(options);
    }

    public ValueTask DisposeAsync() => Sandbox.DisposeAsync();
}
