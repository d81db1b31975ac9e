using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench.Cases;

/// <summary>Many screens that watch one process of a tenant while it takes events: how long until they show what came in, and what they cost.</summary>
internal sealed partial class CircuitsCase : ICase
{
    private const int EventsPerSecond = 200;
    private const int First = 1_000_000;

    private Visitor? _visitor;
    private long _pid;

    public string Name => "circuits";

    public void Measure(Stage stage) => MeasureAsync(stage).GetAwaiter().GetResult();

    private async Task MeasureAsync(Stage stage)
    {
        var cancel = stage.Cancel;
        using var caller = new Caller(stage.Port);
        if (_visitor is null)
        {
            _visitor = await Visitor.EnterAsync(stage.Root, stage.Product, cancel);
            _pid = NewProcess(caller, _visitor);
        }

        var page = new Uri($"http://localhost:{stage.Port}/t/{_visitor.Slug}/processes/{_pid}");
        var screens = new List<Watched>();
        try
        {
            // The first pays for what all share.
            screens.Add(await Watched.OpenAsync(page, _visitor, cancel));
            var before = MemoryOf(stage.Product.PidOf("web"));
            while (screens.Count < stage.Plan.Circuits)
            {
                screens.Add(await Watched.OpenAsync(page, _visitor, cancel));
            }

            var memory = (MemoryOf(stage.Product.PidOf("web")) - before) / (screens.Count - 1);
            Send(stage, caller, stage.Plan.WarmUp * 5, []);
            var cpu = CpuClock.Read(stage.Product, Environment.ProcessId);
            var sent = new ConcurrentDictionary<int, long>();
            screens.ForEach(screen => screen.Count(sent));
            var errors = Send(stage, caller, stage.Plan.Latency, sent);
            var spent = CpuClock.Read(stage.Product, Environment.ProcessId).Since(cpu);
            foreach (var screen in screens)
            {
                await screen.SeenAsync(sent.Keys.Max(), cancel);
            }

            var took = screens.SelectMany(screen => screen.Took).Order().ToList();
            stage.Sheet.Line(Name, $"event to screen, {screens.Count} screens, p50", Unit.Milliseconds, aim: new Aim.AtMost(150)).Add(took[took.Count / 2], errors);
            stage.Sheet.Line(Name, $"event to screen, {screens.Count} screens, p99", Unit.Milliseconds).Add(took[took.Count * 99 / 100], errors);
            stage.Sheet.Line(Name, $"events a second while {screens.Count} screens watch", Unit.PerSecond).Add(sent.Count / stage.Plan.Latency.TotalSeconds, errors);
            stage.Sheet.Line(Name, "memory of a circuit", Unit.Megabytes).Add(memory);
            stage.Sheet.Line(Name, $"CPU of the web, of a core, {screens.Count} screens", Unit.Times).Add(spent.Web / stage.Plan.Latency.TotalSeconds);
            stage.Sheet.CpuOf(Name, $"{screens.Count} screens").Add(spent.Per(sent.Count));
        }
        finally
        {
            foreach (var screen in screens)
            {
                await screen.DisposeAsync();
            }
        }
    }

    /// <summary>Posts at the given pace until the time is up; the number of refusals.</summary>
    /// <param name="sent">Filled with what was sent and when.</param>
    private long Send(Stage stage, Caller caller, TimeSpan span, ConcurrentDictionary<int, long> sent)
    {
        var (clock, errors) = (TimeProvider.System, 0L);
        var started = clock.GetTimestamp();
        for (var n = 0; clock.GetElapsedTime(started) < span; n++)
        {
            if (TimeSpan.FromSeconds((double)n / EventsPerSecond) - clock.GetElapsedTime(started) is { Ticks: > 0 } early)
            {
                stage.Pause(early);
            }

            sent[First + n] = clock.GetTimestamp();
            errors += caller.Post(_visitor!.ApiKey, $$"""{"reading":{{First + n}}}""", settled: false, string.Create(CultureInfo.InvariantCulture, $"/in?pid={_pid}")) == 202 ? 0 : 1;
        }

        return errors;
    }

    private static long NewProcess(Caller caller, Visitor visitor) =>
        caller.Post(visitor.ApiKey, """{"reading":0}""", settled: true) == 200 && Pid().Match(caller.Body) is { Success: true } found
            ? long.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new BenchFault($"The first event was not taken: {caller.Body}");

    /// <summary>Megabytes of memory that the process has for itself.</summary>
    private static double MemoryOf(int pid) =>
        File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal)).Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries) is [_, var kilobytes, ..]
            ? long.Parse(kilobytes, CultureInfo.InvariantCulture) / 1000.0
            : 0;

    [GeneratedRegex("\"pid\": ?(\\d+)")]
    private static partial Regex Pid();

    /// <summary>A screen, and for each event how long it took until this or a later one was drawn.</summary>
    private sealed class Watched : IAsyncDisposable
    {
        private readonly List<double> _took = [];
        private readonly SemaphoreSlim _drawn = new(0);
        private Circuit? _circuit;
        private ConcurrentDictionary<int, long>? _sent;
        private int _last;

        /// <summary>Milliseconds; one for each event.</summary>
        public IReadOnlyList<double> Took => _took;

        public static async Task<Watched> OpenAsync(Uri page, Visitor visitor, CancellationToken cancel)
        {
            var watched = new Watched();
            watched._circuit = await Circuit.OpenAsync(page, visitor.Cookies, watched.Draw, cancel);
            return watched;
        }

        /// <summary>What is drawn from now on is counted.</summary>
        public void Count(ConcurrentDictionary<int, long> sent) => (_last, _sent) = (First - 1, sent);

        /// <summary>Waits until this one is drawn.</summary>
        public async Task SeenAsync(int number, CancellationToken cancel)
        {
            while (_last < number)
            {
                if (!await _drawn.WaitAsync(TimeSpan.FromSeconds(30), cancel))
                {
                    throw new BenchFault($"A screen showed {_last} and never {number}.");
                }
            }
        }

        public ValueTask DisposeAsync()
        {
            _drawn.Dispose();
            return _circuit!.DisposeAsync();
        }

        private void Draw(ReadOnlyMemory<byte> batch)
        {
            if (_sent is not { } sent)
            {
                return;
            }

            var now = TimeProvider.System.GetTimestamp();
            var newest = Newest(Encoding.Latin1.GetString(batch.Span), sent);
            for (var number = _last + 1; number <= newest; number++)
            {
                _took.Add(TimeProvider.System.GetElapsedTime(sent[number], now).TotalMilliseconds);
            }

            _last = Math.Max(_last, newest);
            _drawn.Release();
        }

        private static int Newest(string text, ConcurrentDictionary<int, long> sent)
        {
            var newest = 0;
            foreach (var one in Reading().EnumerateMatches(text))
            {
                var number = int.Parse(text.AsSpan(one.Index, one.Length), CultureInfo.InvariantCulture);
                newest = sent.ContainsKey(number) ? Math.Max(newest, number) : newest;
            }

            return newest;
        }
    }

    [GeneratedRegex("1\\d{6}")]
    private static partial Regex Reading();
}
