using System.Collections.Concurrent;
using System.Globalization;
using System.Net;

namespace Eddy.Tests.Faults;

/// <summary>Whatever is killed when, a request to an API script that was answered is in force once, and one that was not at most once.</summary>
[Trait("Category", "Long")]
public sealed class EndpointFaultTests
{
    private const int Callers = 4;

    private const string Counter = """
        def up(request):
            Process.objects.create(kind="call", n=int(request.GET.n))
            shared.calls = (shared.calls or 0) + 1
            return shared.calls
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_counter_that_requests_raise_is_right_while_parts_are_killed()
    {
        await using var product = await TestProduct.StartAsync("Sites__Domain=localhost", "Sites__Platform=http://127.0.0.1");
        var tenant = await TestTenant.MakeAsync(product.Database);
        using var http = tenant.Client(product.Address);
        var caller = new TestCaller(tenant, http);
        await caller.SaveAsync("api/count.py", Counter);
        using var load = new Load(product, tenant);
        var calling = Enumerable.Range(0, Callers).Select(_ => Task.Run(load.CallAsync, Cancel)).ToList();

        foreach (var victim in new[] { "web", "worker", "postgres", "cell", "web", "worker", "postgres" })
        {
            await load.AnsweredAsync(20);
            product.Kill(victim);
        }

        await load.AnsweredAsync(20);
        await load.StopAsync();
        await Task.WhenAll(calling).WaitAsync(Patience.Long, Cancel);

        product.Database.Superuser.Clear();
        var log = new TestLog(product.Database);
        await Patience.UntilAsync("nothing waits", Patience.Long, async () => await log.CountAsync(tenant.Id, "arrivals") == 0);
        await log.ShouldBeSoundAsync(tenant.Id);
        load.Complaints.ShouldBeEmpty();
        var there = (await log.TextsAsync(tenant.Id, "select value::text from events where tenant_id = $1 and key = 'n'")).Select(n => int.Parse(n, CultureInfo.InvariantCulture)).ToList();
        there.ShouldBeUnique();
        load.Answered.Keys.Except(there).ShouldBeEmpty("no request that was answered is lost");
        there.ShouldAllBe(n => n <= load.Sent);
        (await log.TextsAsync(tenant.Id, "select value::text from kvps where tenant_id = $1 and pid = 0 and key = 'calls'")).ShouldBe([there.Count.ToString(CultureInfo.InvariantCulture)]);
        // Each was told a number of its own, and none that the counter did not come to.
        load.Answered.Values.ShouldBeUnique();
        load.Answered.Values.ShouldAllBe(count => count > 0 && count <= there.Count);
    }

    /// <summary>Calls one after another, each with a number of its own, and knows which were answered with what.</summary>
    private sealed class Load(TestProduct product, TestTenant tenant) : IDisposable
    {
        private readonly HttpClient _http = new() { BaseAddress = product.Address, Timeout = TimeSpan.FromSeconds(30) };
        private readonly CancellationTokenSource _stop = new();
        private int _last;

        public ConcurrentDictionary<int, int> Answered { get; } = new();

        public ConcurrentBag<string> Complaints { get; } = [];

        public int Sent => _last;

        public async Task CallAsync()
        {
            // So that a part that is away is not asked all the time.
            using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (!_stop.IsCancellationRequested)
            {
                var n = Interlocked.Increment(ref _last);
                try
                {
                    using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/count/up?n={n}");
                    request.Headers.Host = $"{tenant.Slug}.localhost:{product.Address.Port}";
                    using var answer = await _http.SendAsync(request, Cancel);
                    var text = await answer.Content.ReadAsStringAsync(Cancel);
                    if (answer.StatusCode == HttpStatusCode.OK)
                    {
                        Answered[n] = int.Parse(text, CultureInfo.InvariantCulture);
                    }
                    else if (answer.StatusCode is not (HttpStatusCode.InternalServerError or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout or HttpStatusCode.TooManyRequests))
                    {
                        Complaints.Add($"{n} was answered {answer.StatusCode}: {text}");
                    }
                }
                catch (Exception gone) when (gone is HttpRequestException or IOException || (gone is TaskCanceledException && !Cancel.IsCancellationRequested))
                {
                    // It may be in force, or not.
                }

                await pause.WaitForNextTickAsync(Cancel);
            }
        }

        /// <summary>Waits until so many more were answered.</summary>
        public Task AnsweredAsync(int more)
        {
            var so = Answered.Count + more;
            return Patience.UntilAsync($"{so} are answered", () => Answered.Count >= so);
        }

        public Task StopAsync() => _stop.CancelAsync();

        public void Dispose()
        {
            _http.Dispose();
            _stop.Dispose();
        }
    }
}
