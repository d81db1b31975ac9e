using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Eddy.Bench.Load;

/// <summary>The rule of the sandbox's cases in Python processes that nothing seals: their floor.</summary>
internal static class BarePython
{
    private const string Python = "/usr/bin/python3";

    /// <summary>Runs a second of so many processes together, each in a loop of its own.</summary>
    public static double Loops(int processes, TimeSpan span, CancellationToken cancel)
    {
        var loops = new List<Tool>();
        try
        {
            for (var i = 0; i < processes; i++)
            {
                loops.Add(Tool.Start(Python, Arguments("loop", span.TotalSeconds.ToString(CultureInfo.InvariantCulture)), cancel));
            }

            return loops.Sum(loop => double.Parse(loop.Await(), CultureInfo.InvariantCulture));
        }
        finally
        {
            loops.ForEach(loop => loop.Dispose());
        }
    }

    /// <summary>How long a fork took until it had the rule, each time.</summary>
    public static Spans Ready(int count, CancellationToken cancel) => Times("ready", count, cancel);

    /// <summary>How long it took from the kill of an endless fork until a fresh one had run the rule, each time.</summary>
    public static Spans Stop(int count, CancellationToken cancel) => Times("stop", count, cancel);

    /// <summary>How long a temperature and its answer took, over a Unix socket, each time.</summary>
    public static Spans Answers(string folder, TimeSpan span, CancellationToken cancel)
    {
        var path = Path.Combine(folder, "floor");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        using var python = Tool.Start(Python, Arguments("answer", path), cancel);
        var spans = new Spans();
        using (var channel = listener.Accept())
        {
            TalkAsync(channel, spans, span, cancel).GetAwaiter().GetResult();
        }

        python.Await();
        File.Delete(path);
        return spans;
    }

    private static async Task TalkAsync(Socket channel, Spans spans, TimeSpan span, CancellationToken cancel)
    {
        var clock = TimeProvider.System;
        var (started, answer) = (clock.GetTimestamp(), new byte[4096]);
        for (var i = 0; clock.GetElapsedTime(started) < span; i++)
        {
            var asked = clock.GetTimestamp();
            await channel.SendAsync(Encoding.ASCII.GetBytes($"{1000 + i}"), cancel);
            if (await channel.ReceiveAsync(answer, cancel) == 0)
            {
                throw new BenchFault("The bare Python process ended before it was told to.");
            }

            spans.Add(clock.GetElapsedTime(asked));
        }
    }

    private static Spans Times(string what, int count, CancellationToken cancel)
    {
        var spans = new Spans();
        foreach (var line in Tool.Run(Python, Arguments(what, count.ToString(CultureInfo.InvariantCulture)), cancel).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            spans.Add(TimeSpan.FromMilliseconds(double.Parse(line, CultureInfo.InvariantCulture)));
        }

        return spans;
    }

    private static string[] Arguments(string what, string how) =>
        ["-sSE", "-B", Path.Combine(AppContext.BaseDirectory, "Load", "floor.py"), what, how, BenchRules.Heat];
}
