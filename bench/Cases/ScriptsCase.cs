using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench.Cases;

/// <summary>API scripts on a tenant's host: a GET that answers with a shared KVP, and a POST that raises one, each for itself and all of them at once.</summary>
internal sealed class ScriptsCase : ICase
{
    private const string Script =
        """
        def read(request):
            return {"company": shared.company}

        def note(request):
            Process.objects.create(kind="note", text=request.POST.text)
            return "noted"

        def count(request):
            shared.count = (shared.count or 0) + 1
            return shared.count
        """;

    private string? _host;

    public string Name => "scripts";

    public void Measure(Stage stage)
    {
        _host ??= BenchSite.Make(stage, [("api/bench.py", Script)], [("company", "\"Acme\"")]).Host;
        Wrk.Run(stage.Port, _host, "GET", "/api/v1/bench/read", 16, stage.Plan.Approach, stage.Cancel);
        Of(stage, "GET", "read", 1, "GET of a KVP, 1 connection", p50: new Aim.AtMost(3));
        Of(stage, "GET", "read", 16, "GET of a KVP, 16 connections", perSecond: new Aim.AtLeast(1500));
        Of(stage, "POST", "note", 1, "POST that makes a process, 1 connection");
        Of(stage, "POST", "note", 16, "POST that makes a process, 16 connections");
        Of(stage, "POST", "count", 16, "POSTs that raise one KVP, 16 connections");
    }

    private void Of(Stage stage, string method, string function, int connections, string what, Aim? p50 = null, Aim? perSecond = null)
    {
        using var wrk = Wrk.Start(stage.Port, _host!, method, $"/api/v1/bench/{function}", connections, stage.Plan.Short, stage.Cancel);
        var before = CpuClock.Read(stage.Product, wrk.Pid);
        stage.Pause(TimeSpan.FromSeconds(stage.Plan.Short) - TimeSpan.FromMilliseconds(200));
        var cpu = CpuClock.Read(stage.Product, wrk.Pid).Since(before);
        var took = wrk.Await();
        stage.Sheet.Line(Name, what, Unit.PerSecond, aim: perSecond).Add(took.AcceptedPerSecond, took.Errors);
        stage.Sheet.Line(Name, $"p50, {what}", Unit.Milliseconds, aim: p50).Add(took.P50Ms);
        stage.Sheet.Line(Name, $"p99, {what}", Unit.Milliseconds).Add(took.P99Ms);
        stage.Sheet.CpuOf(Name, what).Add(cpu.Per(took.AcceptedPerSecond * (stage.Plan.Short - 0.2)));
    }
}
