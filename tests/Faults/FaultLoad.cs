using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Eddy.Tests.Faults;

/// <summary>
/// Senders that post numbered events in every way there is, and know which were acknowledged. Rules count each event in its process, in the shared bag and in one process that takes
/// many, take some of them through a chain of ten, and call a web site for some.
/// </summary>
internal sealed class FaultLoad(TestProduct product, TestSite site, TestTenant tenant, TestTenant bystander) : IDisposable
{
    private const string Rules = """
        class count(Rule):
            listens_to = ["n"]
            def action(self):
                self.counted = (self.counted or 0) + 1
                shared.total = (shared.total or 0) + 1

        class tick(Rule):
            listens_to = ["tick"]
            def action(self):
                self.ticks = (self.ticks or 0) + 1
                self.sum = (self.sum or 0) + self.tick

        class ask(Rule):
            listens_to = ["ask"]
            def action(self):
                http.get("SITE/echo?" + str(self.ask))
                self.asked = (self.asked or 0) + 1
                shared.asks = (shared.asks or 0) + 1

        """;

    private const string Probe = """
        class probe(Rule):
            listens_to = ["probe"]
            def action(self):
                self.works = True
        """;

    private readonly HttpClient _http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromSeconds(5) }) { BaseAddress = product.Address, Timeout = TimeSpan.FromSeconds(30) };
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<long, Fate> _fates = new();
    private readonly ConcurrentBag<string> _complaints = [];
    private readonly List<Task> _senders = [];
    private readonly Lock _gate = new();
    private long _last;
    private long _acknowledged;
    private long _wanted;
    private TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _ticker;

    private enum Fate
    {
        /// <summary>It may be there, once.</summary>
        Unknown,

        /// <summary>It must be there, once.</summary>
        Acknowledged,
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async Task PrepareAsync()
    {
        using var http = tenant.Client(product.Address);
        var caller = new TestCaller(tenant, http);
        await new TestCaller(bystander, bystander.Client(product.Address)).SaveAsync("scripts/probe.py", Probe);
        await caller.SaveAsync("scripts/count.py", Rules.Replace("SITE", site.Address, StringComparison.Ordinal));
        var (path, text) = Way.OrderTests.Chain(10);
        await caller.SaveAsync(path, text);
        _ticker = (await caller.SettleAsync("""{"ticks": 0}""")).GetProperty("pid").GetInt64();
    }

    public void Start(int seed)
    {
        Func<Random, Task>[] ways = [SingleAsync, ListAsync, KeyedAsync, KeyedListAsync, WaitedAsync, TickAsync, ChainAsync, AskAsync];
        _senders.AddRange(ways.Select((way, i) => Task.Run(() => SendAsync(way, new Random(seed + i)))));
    }

    /// <summary>Waits until so many more were acknowledged.</summary>
    public Task AcknowledgedAsync(int more, TimeSpan within)
    {
        lock (_gate)
        {
            _wanted = _acknowledged + more;
            _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _reached.Task.WaitAsync(within, Cancel);
        }
    }

    /// <summary>Waits until an event of another tenant, who does not wait behind all this, goes all the way.</summary>
    public Task WorksAsync(TimeSpan within) => Patience.UntilAsync("an event goes all the way", within, async () =>
    {
        var (status, answer) = await PostAsync("""{"probe": 1}""", "", bystander, ("Prefer", "wait=1"));
        return status == HttpStatusCode.OK && answer!.Value.GetProperty("kvps").TryGetProperty("works", out _);
    });

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_senders).WaitAsync(TimeSpan.FromSeconds(60), Cancel);
    }

    /// <summary>However much waits and however slow the machine is, it becomes less.</summary>
    private async Task<TimeSpan> EmptyAsync(TestLog log)
    {
        var started = Stopwatch.GetTimestamp();
        var (runs, since) = (-1L, started);
        while (await log.CountAsync(tenant.Id, "arrivals") + await log.CountAsync(tenant.Id, "wakings") is var left and > 0)
        {
            if (await log.CountAsync(tenant.Id, "runs") is var now && now != runs)
            {
                (runs, since) = (now, Stopwatch.GetTimestamp());
            }

            if (Stopwatch.GetElapsedTime(since) > Patience.Long)
            {
                Assert.Fail($"{left} wait, and nothing is run any more; the worker said last: {string.Join('\n', product.Log("worker").Split('\n').TakeLast(30))}");
            }

            await Task.Delay(50, Cancel);
        }

        return Stopwatch.GetElapsedTime(started);
    }

    /// <summary>Looks at what is there now that everything has ended.</summary>
    public async Task<string> CheckAsync()
    {
        product.Database.Superuser.Clear();
        var log = new TestLog(product.Database);
        var rest = await EmptyAsync(log);
        await log.ShouldBeSoundAsync(tenant.Id);

        _complaints.ShouldBeEmpty();
        (await log.CountAsync(tenant.Id, "refused")).ShouldBe(0);
        (await log.TextsAsync(tenant.Id, "select rule || ' ' || coalesce(error::text, '') from runs where tenant_id = $1 and outcome > 1 limit 5")).ShouldBeEmpty();

        // What came in, by its number: the n of single events, the tick of those of one process, the k0 of chains, the ask of those that call out.
        var stored = (await log.TextsAsync(tenant.Id, "select value::text from events where tenant_id = $1 and source = 'post' and key in ('n', 'tick', 'k0', 'ask')"))
            .CountBy(value => long.Parse(value, CultureInfo.InvariantCulture)).ToDictionary();
        stored.Where(one => one.Value > 1).Select(one => one.Key).ShouldBeEmpty("no event is there twice");
        _fates.Where(fate => fate.Value == Fate.Acknowledged && !stored.ContainsKey(fate.Key)).Select(fate => fate.Key).ShouldBeEmpty("no acknowledged event is lost");
        stored.Keys.Where(number => !_fates.ContainsKey(number)).ShouldBeEmpty("nothing is there that was not sent");

        // What the rules made of it.
        (await log.TextsAsync(tenant.Id, """
            select 'process ' || n.pid || ': n ' || n.value::text || ', counted ' || coalesce(c.value::text, 'never') from kvps n
            left join kvps c on c.tenant_id = n.tenant_id and c.pid = n.pid and c.key = 'counted'
            where n.tenant_id = $1 and n.key = 'n' and c.value is distinct from '1'
            """)).ShouldBeEmpty();
        (await log.TextsAsync(tenant.Id, "select (select count(*) from kvps where tenant_id = $1 and key = 'n') - (value::text)::bigint from kvps where tenant_id = $1 and pid = 0 and key = 'total'")).ShouldBe(["0"]);
        (await log.TextsAsync(tenant.Id, """
            select 'process ' || n.pid || ': ask ' || n.value::text || ', asked ' || coalesce(c.value::text, 'never') from kvps n
            left join kvps c on c.tenant_id = n.tenant_id and c.pid = n.pid and c.key = 'asked'
            where n.tenant_id = $1 and n.key = 'ask' and c.value is distinct from '1'
            """)).ShouldBeEmpty();
        (await log.TextsAsync(tenant.Id, "select (select count(*) from kvps where tenant_id = $1 and key = 'ask') - (value::text)::bigint from kvps where tenant_id = $1 and pid = 0 and key = 'asks'")).ShouldBe(["0"]);
        (await log.TextsAsync(tenant.Id, $"""
            select (k.value::text)::bigint - (select count(*) from events e where e.tenant_id = $1 and e.key = 'tick') from kvps k
            where k.tenant_id = $1 and k.pid = {_ticker} and k.key = 'ticks'
            """)).ShouldBe(["0"]);
        (await log.TextsAsync(tenant.Id, """
            select 'chain ' || a.value::text || ' came to ' || coalesce(z.value::text, 'nothing') from kvps a
            left join kvps z on z.tenant_id = a.tenant_id and z.pid = a.pid and z.key = 'k10'
            where a.tenant_id = $1 and a.key = 'k0' and (z.value is null or (z.value::text)::bigint <> (a.value::text)::bigint + 10)
            """)).ShouldBeEmpty();
        (await log.TextsAsync(tenant.Id, """
            select 'cascade ' || root || ' had ' || count(*) || ' runs' from runs where tenant_id = $1 and rule like 'scripts/chain.py:%' group by root having count(*) <> 10
            """)).ShouldBeEmpty();
        var acknowledged = _fates.Values.Count(fate => fate == Fate.Acknowledged);
        return $"{_fates.Count} events sent, {acknowledged} acknowledged, {stored.Count} there, {await log.CountAsync(tenant.Id, "runs")} runs, empty after {rest.TotalSeconds:F1} s";
    }

    public void Dispose()
    {
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task SendAsync(Func<Random, Task> way, Random random)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(60));
        while (!_stop.IsCancellationRequested)
        {
            await way(random);
            await pace.WaitForNextTickAsync(Cancel);
        }
    }

    private async Task SingleAsync(Random random)
    {
        var n = Number();
        var (status, _) = await PostAsync($$"""{"n": {{n}}}""");
        Note(status == HttpStatusCode.Accepted, n);
    }

    private async Task ListAsync(Random random)
    {
        var numbers = Enumerable.Range(0, random.Next(2, 10)).Select(_ => Number()).ToArray();
        var (status, answer) = await PostAsync($"[{string.Join(',', numbers.Select(n => $$"""{"n": {{n}}}"""))}]");
        Note(status == HttpStatusCode.Accepted && answer!.Value.GetArrayLength() == numbers.Length, numbers);
    }

    private Task KeyedAsync(Random random)
    {
        var n = Number();
        return UntilAcknowledgedAsync($$"""{"n": {{n}}}""", $"key-{n}", n);
    }

    private Task KeyedListAsync(Random random)
    {
        var numbers = Enumerable.Range(0, random.Next(2, 10)).Select(_ => Number()).ToArray();
        return UntilAcknowledgedAsync($"[{string.Join(',', numbers.Select(n => $$"""{"n": {{n}}}"""))}]", $"key-{numbers[0]}", numbers);
    }

    private async Task WaitedAsync(Random random)
    {
        var n = Number();
        var (status, answer) = await PostAsync($$"""{"n": {{n}}}""", ("Prefer", "wait=10"));
        Note(status is HttpStatusCode.OK or HttpStatusCode.Accepted, n);
        if (status == HttpStatusCode.OK && !(answer!.Value.GetProperty("kvps").TryGetProperty("counted", out var counted) && counted.GetInt32() == 1 && answer.Value.GetProperty("runs").GetArrayLength() == 1))
        {
            _complaints.Add($"{n} was said to be settled as {answer}");
        }
    }

    private async Task TickAsync(Random random)
    {
        var n = Number();
        var (status, _) = await PostAsync($$"""{"tick": {{n}}}""", "?pid=" + _ticker, tenant);
        Note(status == HttpStatusCode.Accepted, n);
    }

    private Task ChainAsync(Random random)
    {
        var n = Number();
        return UntilAcknowledgedAsync($$"""{"k0": {{n}}}""", $"chain-{n}", n);
    }

    private async Task AskAsync(Random random)
    {
        var n = Number();
        var (status, _) = await PostAsync($$"""{"ask": {{n}}}""");
        Note(status == HttpStatusCode.Accepted, n);
    }

    /// <summary>Sends it again and again under one key, and sometimes once more.</summary>
    private async Task UntilAcknowledgedAsync(string body, string key, params long[] numbers)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (string? first = null; ;)
        {
            var (status, answer) = await PostAsync(body, ("Idempotency-Key", key));
            if (status == HttpStatusCode.Accepted)
            {
                if (first is not null && first != answer.ToString())
                {
                    _complaints.Add($"{key} was answered {first}, then {answer}");
                }

                if (first is null)
                {
                    Note(true, numbers);
                    first = answer.ToString();
                    if (numbers[0] % 5 == 0)
                    {
                        continue;
                    }
                }

                return;
            }

            if (status is not (null or HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError))
            {
                _complaints.Add($"{key} was answered {status}: {answer}");
                return;
            }

            await pause.WaitForNextTickAsync(Cancel);
        }
    }

    private Task<(HttpStatusCode? Status, JsonElement? Answer)> PostAsync(string body, params (string Name, string Value)[] headers) => PostAsync(body, "", tenant, headers);

    /// <summary>No status where there was no answer.</summary>
    private async Task<(HttpStatusCode? Status, JsonElement? Answer)> PostAsync(string body, string query, TestTenant sender, params (string Name, string Value)[] headers)
    {
        try
        {
            using var response = await new TestCaller(sender, _http).PostAsync(body, query, "application/json", [("Authorization", "Bearer " + sender.Key), .. headers]);
            var text = await response.Content.ReadAsStringAsync(Cancel);
            return (response.StatusCode, text.Length > 0 ? JsonDocument.Parse(text).RootElement : null);
        }
        catch (Exception gone) when (gone is HttpRequestException or IOException or JsonException || (gone is TaskCanceledException && !Cancel.IsCancellationRequested))
        {
            return (null, null);
        }
    }

    private long Number()
    {
        var number = Interlocked.Increment(ref _last);
        _fates[number] = Fate.Unknown;
        return number;
    }

    private void Note(bool isAcknowledged, params long[] numbers)
    {
        if (!isAcknowledged)
        {
            return;
        }

        foreach (var number in numbers)
        {
            _fates[number] = Fate.Acknowledged;
        }

        lock (_gate)
        {
            _acknowledged += numbers.Length;
            if (_acknowledged >= _wanted)
            {
                _reached.TrySetResult();
            }
        }
    }
}
