using System.Globalization;
using System.Text.RegularExpressions;
using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench.Cases;

/// <summary>How much a tenant's other events notice of a rule of its own that calls out and waits for 200 ms, on 50 processes.</summary>
internal sealed class BesideCase : ICase
{
    private const int Processes = 50;

    private BenchTenant? _tenant;

    public string Name => "beside";

    public void Measure(Stage stage)
    {
        _tenant ??= stage.Tenants(1, BenchRules.HeatAndCall(stage.Product.Site.Address))[0];
        var (key, port) = (_tenant.Key, stage.Port);
        Latencies.OfSettled(port, _tenant, stage.Plan.WarmUp / 4, stage.Cancel);
        var alone = Latencies.OfSettled(port, _tenant, stage.Plan.Latency, stage.Cancel);

        using var over = CancellationTokenSource.CreateLinkedTokenSource(stage.Cancel);
        var before = stage.Product.Site.Answers;
        var (orders, errors) = (0, 0L);
        var sender = new Thread(() =>
        {
            using var caller = new Caller(port);
            var pids = new List<string>();
            while (!over.IsCancellationRequested)
            {
                var path = pids.Count < Processes ? "/in" : "/in?pid=" + pids[orders % Processes];
                errors += caller.Post(key, string.Create(CultureInfo.InvariantCulture, $$"""{"order":{{++orders}}}"""), settled: false, path) == 202 ? 0 : 1;
                if (pids.Count < Processes)
                {
                    pids.Add(Regex.Match(caller.Body, "\"pid\":(\\d+)").Groups[1].Value);
                }

                over.Token.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(15));
            }
        });
        sender.Start();
        stage.Pause(TimeSpan.FromSeconds(1));
        var beside = Latencies.OfSettled(port, _tenant, stage.Plan.Latency, stage.Cancel);
        over.Cancel();
        sender.Join();
        stage.Db.Drain();

        var called = stage.Product.Site.Answers - before;
        stage.Sheet.Line(Name, "POST to settled alone, p50", Unit.Milliseconds).Add(alone.P50Ms, alone.Errors);
        stage.Sheet.Line(Name, "POST to settled alone, p99", Unit.Milliseconds).Add(alone.P99Ms, alone.Errors);
        stage.Sheet.Line(Name, "the same while 50 processes wait for calls, p50", Unit.Milliseconds).Add(beside.P50Ms, beside.Errors);
        stage.Sheet.Line(Name, "the same while 50 processes wait for calls, p99", Unit.Milliseconds).Add(beside.P99Ms, beside.Errors);
        stage.Sheet.Line(Name, "calls that were made for an event", Unit.Times).Add((double)called / orders, errors);
    }
}
