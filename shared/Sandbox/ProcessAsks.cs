using System.Globalization;
using System.Text.Json;
using Eddy.Processes;
using Eddy.Tenants;

namespace Eddy.Sandbox;

/// <summary>
/// Answers what a run asks of the tenant's processes, as they are for it: committed, and changed by the runs before it and by itself. What it was told of a process is what its
/// changes are made on, so the course learns it too.
/// </summary>
/// <param name="finder">Null where there is no database to ask.</param>
/// <param name="mostBelow">Of so many processes below one is told: no cascade has more runs.</param>
internal sealed class ProcessAsks(CellChannel channel, TenantId tenant, ProcessFinder? finder, SliceCourse course, HashSet<long> known, FrameReader reader, int mostBelow)
{
    /// <summary>However many processes a run may have to look at: each question costs the database more than the cell.</summary>
    private const int MostAsks = 10_000;

    /// <summary>As many numbers are drawn at once, at most.</summary>
    private const int MostNumbers = 64;

    /// <summary>Above all numbers that a door has drawn: what a look back makes takes none of them.</summary>
    public const long FirstApart = 1L << 52;

    private int _asks;
    private long _drawn = FirstApart;

    /// <summary>Where the run is one of the past: what processes were then. Null for what they are.</summary>
    public PastProcesses? Past { get; init; }

    public static bool Knows(string what) => what is "read" or "find" or "below" or "pids";

    /// <exception cref="CellLied">It asked what can not be asked.</exception>
    public async Task AnswerAsync(string what, ReadOnlyMemory<byte> frame, JsonElement ask, CancellationToken ct)
    {
        using var writer = new SliceWriter();
        course.LooksAround = true;
        if (finder is null)
        {
            writer.Refused("Refused", "There are no other processes here.");
        }
        else if (++_asks > MostAsks)
        {
            writer.Refused("Refused", $"A slice may ask for processes {MostAsks} times, and this was once more.");
        }
        else
        {
            await AnswerAsync(what, frame, ask, finder, writer, ct);
        }

        await channel.SendAsync(writer.Frames);
    }

    private async Task AnswerAsync(string what, ReadOnlyMemory<byte> frame, JsonElement ask, ProcessFinder processes, SliceWriter writer, CancellationToken ct)
    {
        switch (what)
        {
            case "read":
                var pid = ask[1].GetInt64();
                var kvps = course.Knows(pid) ? course.Replay().Kvps(pid) : Past is not null ? await Past.ReadAsync(pid, ct) : await processes.ReadAsync(tenant, pid, ct);
                if (kvps is not null)
                {
                    Learn(pid, kvps);
                }

                writer.Process(kvps);
                break;
            case "find":
                var question = ProcessQuestion.Read(ask[1]);
                var touched = course.Touched(reader.ReadSoFar(frame.Span, course));
                if (Past is not null && await Past.ChangedSinceAsync(ct) is { } changed)
                {
                    touched = new Dictionary<long, IReadOnlyDictionary<string, string>>(changed.Where(one => one.Key != 0 && !touched.ContainsKey(one.Key)).Concat(touched));
                }

                try
                {
                    if (question.IsCount)
                    {
                        writer.Found(await processes.CountAsync(tenant, question, touched, ct));
                        break;
                    }

                    var found = await processes.FindAsync(tenant, question, touched, ct);
                    foreach (var (one, along) in found)
                    {
                        if (along is not null)
                        {
                            Learn(one, along);
                        }
                    }

                    writer.Found(found);
                }
                catch (FormatException refusal)
                {
                    writer.Refused("Refused", refusal.Message);
                }

                break;
            case "below":
                var parent = ask[1].GetInt64();
                var children = await BelowAsync(processes, tenant, parent, course.Touched(reader.ReadSoFar(frame.Span, course)), mostBelow, ct);
                course.Below[parent] = children;
                writer.Found(children);
                break;
            default:
                var count = Math.Clamp(ask[1].GetInt32(), 1, MostNumbers);
                var first = Past is not null ? (_drawn += MostNumbers) : await processes.DrawAsync(tenant, count, ct);
                for (var i = 0; i < count; i++)
                {
                    Learn(first + i, new Dictionary<string, string>());
                }

                writer.Pids(first, count);
                break;
        }
    }

    /// <summary>The processes below another, as they are where these are changed.</summary>
    public static Task<List<long>> BelowAsync(
        ProcessFinder processes, TenantId tenant, long parent, IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>> touched, int most, CancellationToken ct) =>
        processes.PidsAsync(tenant, new ProcessQuestion(
            [new ProcessClause(false, [new ProcessCondition("PARENT", Comparison.Equal, [string.Create(CultureInfo.InvariantCulture, $"{{\"$process\":{parent}}}")])])], [], 0, most, false), touched, ct);

    private void Learn(long pid, IReadOnlyDictionary<string, string> kvps)
    {
        if (!course.Knows(pid))
        {
            course.Learn(pid, kvps);
        }

        known.Add(pid);
    }
}
