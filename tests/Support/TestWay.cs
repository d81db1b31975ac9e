namespace Eddy.Tests;

/// <summary>A whole way in one process, on a database of its own: a web, a worker, real cells.</summary>
public class TestWay(TestDatabase database) : IAsyncLifetime
{
    private TestWorker? _worker;

    /// <summary>Further settings of both.</summary>
    protected virtual string[] Settings => [];

    public TestDatabase Database { get; private set; } = null!;

    public TestWeb Web { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Database = await database.OfItsOwnAsync();
        var settings = Settings;
        Web = await TestWeb.StartAsync(Database, settings);
        _worker = await TestWorker.StartAsync(Database, settings);
    }

    /// <summary>A fresh tenant with these files in force.</summary>
    public async Task<TestCaller> CallerAsync(params (string Path, string Text)[] files)
    {
        var tenant = await TestTenant.MakeAsync(Database);
        var caller = new TestCaller(tenant, tenant.Client(Web));
        foreach (var (path, text) in files)
        {
            await caller.SaveAsync(path, text);
        }

        return caller;
    }

    public async ValueTask DisposeAsync()
    {
        if (_worker is not null)
        {
            await _worker.DisposeAsync();
        }

        await Web.DisposeAsync();
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
