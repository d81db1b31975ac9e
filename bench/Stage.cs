using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench;

/// <summary>
/// What a case has to work with: where figures go and, for those that need it, the running product and its database. The product comes up when it is
/// first asked for, by the thread that asks.
/// </summary>
internal sealed class Stage(string root, BenchPlan plan, CancellationToken cancel) : IDisposable
{
    private Product? _product;
    private BenchDb? _db;

    public BenchPlan Plan => plan;

    /// <summary>The product's folder.</summary>
    public string Root => root;

    public Sheet Sheet { get; } = new();

    public CancellationToken Cancel => cancel;

    public Product Product => _product ??= Product.Start(root, Path.Combine(root, "artifacts", $"bench-home-{Environment.ProcessId}"), [], cancel);

    public BenchDb Db => _db ??= new BenchDb(ConnectionString, cancel);

    public string ConnectionString => Product.Connection("eddy", cancel);

    public int Port => Product.Port;

    public string Folder => Product.Home;

    public IReadOnlyList<BenchTenant> Tenants(int count, string? rule = null) => BenchTenants.Make(Db.Source, count, rule);

    public void Pause(TimeSpan span)
    {
        Cancel.WaitHandle.WaitOne(span);
        Cancel.ThrowIfCancellationRequested();
    }

    public void Dispose()
    {
        _db?.Dispose();
        _product?.Dispose();
    }
}
