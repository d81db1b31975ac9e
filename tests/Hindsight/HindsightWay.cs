namespace Eddy.Tests.Hindsight;

/// <summary>A way for all tests of hindsight, whose rules may call a site.</summary>
public sealed class HindsightWay(TestDatabase database) : IAsyncLifetime
{
    private WithSite _way = null!;

    public TestSite Site { get; private set; } = null!;

    public TestDatabase Database => _way.Database;

    public TestWeb Web => _way.Web;

    public async ValueTask InitializeAsync()
    {
        Site = await TestSite.StartAsync();
        _way = new WithSite(database, [.. Site.Held, "Sandbox:CpuTime=00:05:00"]);
        await _way.InitializeAsync();
    }

    public Task<TestCaller> CallerAsync(params (string Path, string Text)[] files) => _way.CallerAsync(files);

    public async ValueTask DisposeAsync()
    {
        await _way.DisposeAsync();
        await Site.DisposeAsync();
    }

    private sealed class WithSite(TestDatabase database, string[] settings) : TestWay(database)
    {
        protected override string[] Settings => settings;
    }
}

[CollectionDefinition(nameof(HindsightWay))]
public sealed class HindsightTests : ICollectionFixture<HindsightWay>;
