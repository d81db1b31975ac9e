using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Eddy.Bench.Load;

/// <summary>Events of one process that bring its <c>reading</c>, a number that goes up by one, at a given pace; and when each was sent.</summary>
internal sealed partial class Readings(Caller caller, string apiKey, long pid)
{
    private const int First = 1_000_000;

    private readonly ConcurrentDictionary<int, long> _sent = new();

    // The first of those that were sent last, and the next to be sent: what was sent to warm up is shown later at times, and is none of those that are counted.
    private int _begun = First, _next = First;

    /// <summary>How many were sent.</summary>
    public int Count => _sent.Count;

    /// <summary>How many of them were refused.</summary>
    public long Errors { get; private set; }

    /// <summary>The last that was sent, as a page shows it.</summary>
    public string Last => _sent.Keys.Max().ToString(CultureInfo.InvariantCulture);

    /// <summary>For each event, the milliseconds until this or a later one was seen.</summary>
    /// <param name="seen">What was shown, one after another, and when, in milliseconds of the Unix clock.</param>
    public IReadOnlyList<double> Took(IReadOnlyList<(string Shown, double At)> seen)
    {
        var (clock, took, next) = (TimeProvider.System, new List<double>(), _begun);
        var (now, stamp) = ((clock.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalMilliseconds, clock.GetTimestamp());
        foreach (var (shown, at) in seen)
        {
            for (; int.TryParse(shown, CultureInfo.InvariantCulture, out var number) && next <= number && _sent.TryGetValue(next, out var sent); next++)
            {
                took.Add(at - (now - clock.GetElapsedTime(sent, stamp).TotalMilliseconds));
            }
        }

        took.Sort();
        return took;
    }

    /// <summary>A process that has a reading; gives its number.</summary>
    public static long MakeProcess(Caller caller, string apiKey) =>
        caller.Post(apiKey, """{"reading":0}""", settled: true) == 200 && Pid().Match(caller.Body) is { Success: true } found
            ? long.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new BenchFault($"The first event was not taken: {caller.Body}");

    public void Send(Stage stage, TimeSpan span, int perSecond)
    {
        _sent.Clear();
        (Errors, _begun) = (0, _next);
        var clock = TimeProvider.System;
        var started = clock.GetTimestamp();
        for (var n = 0; clock.GetElapsedTime(started) < span; n++)
        {
            if (TimeSpan.FromSeconds((double)n / perSecond) - clock.GetElapsedTime(started) is { Ticks: > 0 } early)
            {
                stage.Pause(early);
            }

            var reading = _next++;
            _sent[reading] = clock.GetTimestamp();
            Errors += caller.Post(apiKey, $$"""{"reading":{{reading}}}""", settled: false, string.Create(CultureInfo.InvariantCulture, $"/in?pid={pid}")) == 202 ? 0 : 1;
        }
    }

    [GeneratedRegex("\"pid\": ?(\\d+)")]
    private static partial Regex Pid();

    [GeneratedRegex("1\\d{6}")]
    private static partial Regex Number();

    /// <summary>One who watches, and for each event how long it took until this or a later one was seen. What is seen is told by one thread at a time.</summary>
    public sealed class Watcher : IDisposable
    {
        private readonly List<double> _took = [];
        private readonly SemaphoreSlim _seen = new(0);
        private Readings? _readings;
        private int _last;

        /// <summary>Milliseconds; one for each event.</summary>
        public IReadOnlyList<double> Took => _took;

        /// <summary>What is seen from now on is counted.</summary>
        public void Count(Readings readings) => (_last, _readings) = (readings._next - 1, readings);

        /// <summary>Waits until the last one is seen.</summary>
        public async Task AwaitLastAsync(CancellationToken cancel)
        {
            var last = _readings!._sent.Keys.Max();
            while (_last < last)
            {
                if (!await _seen.WaitAsync(TimeSpan.FromSeconds(30), cancel))
                {
                    throw new BenchFault($"A watcher saw {_last} and never {last}.");
                }
            }
        }

        /// <param name="text">What came; a reading somewhere in it.</param>
        public void See(string text)
        {
            if (_readings is not { } readings)
            {
                return;
            }

            var now = TimeProvider.System.GetTimestamp();
            var newest = 0;
            foreach (var one in Number().EnumerateMatches(text))
            {
                var number = int.Parse(text.AsSpan(one.Index, one.Length), CultureInfo.InvariantCulture);
                newest = readings._sent.ContainsKey(number) ? Math.Max(newest, number) : newest;
            }

            for (var number = _last + 1; number <= newest; number++)
            {
                _took.Add(TimeProvider.System.GetElapsedTime(readings._sent[number], now).TotalMilliseconds);
            }

            _last = Math.Max(_last, newest);
            _seen.Release();
        }

        public void Dispose() => _seen.Dispose();
    }
}
