using System.Text.Json;
using Eddy.Bench.Load;
using Eddy.Bench.Report;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Playwright;

namespace Eddy.Bench.Cases;

/// <summary>
/// A public page of a tenant that shows what a rule has made of the last event: how long from the POST to one browser's screen, and to many viewers of the same page, and what those cost. They follow it
/// as the page's own script does.
/// </summary>
internal sealed class PagesCase : ICase
{
    private const int EventsPerSecond = 50;

    private const string Rule =
        """
        class show(Rule):
            listens_to = ["reading"]

            def action(self):
                self.shown = self.reading
        """;

    private const string Page =
        """
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><meta name="eddy-access" content="public"><title>Readings</title></head>
        <body><h1>Readings</h1><p>The last one is <b id="shown">{{ process.shown }}</b>.</p></body>
        </html>
        """;

    // How the browser tells what it shows: when the text became this, by the clock that the bench reads too.
    private const string Watch =
        """
        () => {
          const shown = document.getElementById("shown");
          window.seen = [];
          new MutationObserver(() => requestAnimationFrame(() => window.seen.push([shown.textContent, Date.now()])))
            .observe(shown, { childList: true, characterData: true, subtree: true });
        }
        """;

    private BenchSite? _site;
    private long _pid;

    public string Name => "pages";

    public void Measure(Stage stage) => MeasureAsync(stage).GetAwaiter().GetResult();

    private async Task MeasureAsync(Stage stage)
    {
        using var caller = new Caller(stage.Port);
        if (_site is null)
        {
            _site = BenchSite.Make(stage, [("scripts/show.py", Rule), ("pages/live.html", Page)], []);
            _pid = Readings.MakeProcess(caller, _site.Tenant.Key);
        }

        var readings = new Readings(caller, _site.Tenant.Key, _pid);
        await InBrowserAsync(stage, readings);
        await WatchAsync(stage, readings);
    }

    /// <summary>One browser, ten events a second.</summary>
    private async Task InBrowserAsync(Stage stage, Readings readings)
    {
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox", "--disable-gpu"] });
        var page = await browser.NewPageAsync();
        await page.GotoAsync($"http://{_site!.Host}:{stage.Port}/live?pid={_pid}");
        await page.WaitForSelectorAsync("[data-eddy=live]");
        readings.Send(stage, stage.Plan.WarmUp, 10);
        await page.EvaluateAsync(Watch);
        readings.Send(stage, stage.Plan.Latency, 10);
        await page.WaitForFunctionAsync("last => document.getElementById('shown').textContent === last", readings.Last);
        var took = readings.Took([.. (await page.EvaluateAsync<JsonElement>("() => window.seen")).EnumerateArray().Select(one => (one[0].GetString()!, one[1].GetDouble()))]);
        stage.Sheet.Line(Name, "event to screen, one browser, p50", Unit.Milliseconds, aim: new Aim.AtMost(150)).Add(took[took.Count / 2], readings.Errors);
        stage.Sheet.Line(Name, "event to screen, one browser, p99", Unit.Milliseconds).Add(took[took.Count * 99 / 100], readings.Errors);
    }

    private async Task WatchAsync(Stage stage, Readings readings)
    {
        var viewers = new List<(HubConnection Line, Readings.Watcher Watcher)>();
        try
        {
            // The first pays for what all share.
            await OpenAsync();
            var before = stage.Product.MemoryOf("web");
            while (viewers.Count < stage.Plan.Viewers)
            {
                await OpenAsync();
            }

            var memory = (stage.Product.MemoryOf("web") - before) / (viewers.Count - 1);
            readings.Send(stage, stage.Plan.WarmUp, EventsPerSecond);
            var cpu = CpuClock.Read(stage.Product, Environment.ProcessId);
            viewers.ForEach(viewer => viewer.Watcher.Count(readings));
            readings.Send(stage, stage.Plan.Latency, EventsPerSecond);
            var spent = CpuClock.Read(stage.Product, Environment.ProcessId).Since(cpu);
            foreach (var viewer in viewers)
            {
                await viewer.Watcher.AwaitLastAsync(stage.Cancel);
            }

            var took = viewers.SelectMany(viewer => viewer.Watcher.Took).Order().ToList();
            stage.Sheet.Line(Name, $"event to viewer, {viewers.Count} viewers, p50", Unit.Milliseconds).Add(took[took.Count / 2], readings.Errors);
            stage.Sheet.Line(Name, $"event to viewer, {viewers.Count} viewers, p99", Unit.Milliseconds).Add(took[took.Count * 99 / 100], readings.Errors);
            stage.Sheet.Line(Name, $"events a second while {viewers.Count} viewers look", Unit.PerSecond).Add(readings.Count / stage.Plan.Latency.TotalSeconds, readings.Errors);
            stage.Sheet.Line(Name, "memory of a viewer", Unit.Megabytes).Add(memory);
            stage.Sheet.Line(Name, $"CPU of the web, of a core, {viewers.Count} viewers", Unit.Times).Add(spent.Web / stage.Plan.Latency.TotalSeconds);
            stage.Sheet.CpuOf(Name, $"{viewers.Count} viewers").Add(spent.Per(readings.Count));
        }
        finally
        {
            foreach (var (line, watcher) in viewers)
            {
                await line.DisposeAsync();
                watcher.Dispose();
            }
        }

        async Task OpenAsync()
        {
            var (watcher, html) = (new Readings.Watcher(), "");
            var line = new HubConnectionBuilder().WithUrl($"http://127.0.0.1:{stage.Port}/_eddy/live", HttpTransportType.WebSockets, options =>
            {
                options.SkipNegotiation = true;
                options.Headers["Host"] = $"{_site!.Host}:{stage.Port}";
                options.Headers["Origin"] = $"http://{_site.Host}:{stage.Port}";
            }).Build();
            viewers.Add((line, watcher));
            line.On<long, int, int, string>("change", (_, prefix, suffix, middle) =>
            {
                html = string.Concat(html.AsSpan(0, prefix), middle, html.AsSpan(html.Length - suffix));
                watcher.See(html);
            });
            await line.StartAsync(stage.Cancel);
            html = (await line.InvokeAsync<JsonElement>("Follow", "/live", _pid, stage.Cancel)).GetProperty("html").GetString() ?? throw new BenchFault("The page can not be followed.");
        }
    }
}
