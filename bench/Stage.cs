using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench;

/// <summary>What a case has to work with: the running product, its database, and where figures go.</summary>
internal sealed record Stage(Product Product, BenchDb Db, string ConnectionString, BenchPlan Plan, Sheet Sheet, CancellationToken Cancel)
{
    public int Port => Product.Port;

    public string Folder => Product.Home;

    public IReadOnlyList<BenchTenant> Tenants(int count, string? rule = null) => BenchTenants.Make(Db.Source, count, rule);

    public void Pause(TimeSpan span)
    {
        Cancel.WaitHandle.WaitOne(span);
        Cancel.ThrowIfCancellationRequested();
    }
}
