namespace Eddy.Tests;

/// <summary>
/// A whole way in one process: a web, a worker, real cells. All tests that need nothing special of it share one, as tenants do; where <see cref="IsShared"/> says no it is
/// the class's own.
/// </summary>
public class TestWay(TestDatabase database) : IAsyncLifetime
{
    private RunningWay _way = null!;

    /// <summary>Further settings of both.</summary>
    protected virtual string[] Settings => [];

    /// <summary>Whether other tests' tenants may be there too.</summary>
    protected virtual bool IsShared => Settings.Length == 0;

    public TestDatabase Database => _way.Database;

    public TestWeb Web => _way.Web;

    public async ValueTask InitializeAsync() => _way = IsShared ? await database.WayAsync() : await RunningWay.StartAsync(database, Settings);

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
        if (!IsShared)
        {
            await _way.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }
}

/// <summary>A web and a worker on a database of their own.</summary>
public sealed record RunningWay(TestDatabase Database, TestWeb Web, TestWorker Worker) : IAsyncDisposable
{
    public static async Task<RunningWay> StartAsync(TestDatabase database, params string[] settings)
    {
        var own = await database.OfItsOwnAsync();
        return new RunningWay(own, await TestWeb.StartAsync(own, settings), await TestWorker.StartAsync(own, settings));
    }

    public async ValueTask DisposeAsync()
    {
        await Worker.DisposeAsync();
        await Web.DisposeAsync();
        await Database.DisposeAsync();
    }
}
