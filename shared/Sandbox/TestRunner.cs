using System.Globalization;
using System.Text.Json;
using Eddy.Kvps;
using Eddy.Mail;
using Eddy.Processes;
using Eddy.Schedules;

namespace Eddy.Sandbox;

/// <summary>
/// Has a cell run tests. They have no tenant's data: the processes are those that they make, which the host holds against their questions and forgets. Whatever else they ask for is refused.
/// </summary>
internal sealed class TestRunner(Deadlines deadlines, ProcessFinder? finder, SandboxOptions options, TimeProvider time)
{
    private const int MostAsks = 100_000;
    private const int MostTold = 8 << 20;

    // What is asked of more costs the database more than a test is worth.
    private const int MostProcesses = 2000;
    private const int MostMoments = 1000;
    private const int MostText = 300_000;

    /// <returns>Why the cell did not come to the end; null where it did.</returns>
    public async Task<CellEnding?> RunAsync(Cell cell, IReadOnlyList<CellFile> files, TestReader told, CancellationToken ct)
    {
        var channel = cell.Channel;
        var zone = TimeZoneInfo.FindSystemTimeZoneById(cell.Tree.TimeZone);
        told.Begin();
        using var writer = new SliceWriter();
        writer.Tests(files, told.Ended);
        await using var stop = ct.Register(() => channel.Kill(null));
        channel.StartWaiting();
        deadlines.Watch(channel);
        try
        {
            if (await channel.SendAsync(writer.Frames))
            {
                var (asks, size) = (0, 0L);
                while (await channel.ReceiveAsync() is { } frame)
                {
                    using var json = Parse(frame);
                    if (json.RootElement[0].ValueEquals("find") || json.RootElement[0].ValueEquals("print") || json.RootElement[0].ValueEquals("due"))
                    {
                        if (++asks > MostAsks)
                        {
                            throw new CellLied($"Tests ask {MostAsks} times at the most.");
                        }

                        await AnswerAsync(channel, zone, json.RootElement, ct);
                        continue;
                    }

                    if ((size += frame.Length) > MostTold)
                    {
                        throw new CellLied($"Tests tell {MostTold} bytes at the most.");
                    }

                    if (told.Read(json.RootElement))
                    {
                        return null;
                    }

                    // Each test has as long as any other.
                    channel.StartWaiting();
                }
            }

            ct.ThrowIfCancellationRequested();
            channel.Kill(null);
            return await CellEnding.OfAsync(channel, options, time);
        }
        catch (CellLied lie)
        {
            return CellEnding.Of(lie);
        }
        finally
        {
            channel.StopWaiting();
            channel.SampleCpu();
            deadlines.Forget(channel);
        }
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> frame)
    {
        try
        {
            var json = JsonDocument.Parse(frame);
            return json.RootElement is { ValueKind: JsonValueKind.Array } root && root.GetArrayLength() > 0 && root[0].ValueKind == JsonValueKind.String ? json : throw new CellLied("It told what can not be read.");
        }
        catch (JsonException e)
        {
            throw new CellLied("It told what can not be read: " + e.Message);
        }
    }

    private async Task AnswerAsync(CellChannel channel, TimeZoneInfo zone, JsonElement ask, CancellationToken ct)
    {
        using var writer = new SliceWriter();
        try
        {
            switch (ask[0].GetString())
            {
                case "find" when finder is null:
                    writer.Refused("Refused", "There is no database here to look for processes with.");
                    break;
                case "find":
                    var question = ProcessQuestion.Read(ask[1]);
                    if (ask[2].GetPropertyCount() > MostProcesses)
                    {
                        throw new FormatException($"A test looks among {MostProcesses} processes at the most.");
                    }

                    var found = await finder.FindAmongAsync(question with { Limit = question.IsCount ? int.MaxValue : question.Limit }, Processes(ask[2]), ct);
                    if (question.IsCount)
                    {
                        writer.Found(found.Count);
                    }
                    else
                    {
                        writer.Found(found);
                    }

                    break;
                case "print":
                    var values = new MailValues(ask[2].GetInt64(), Texts(ask[3]), Texts(ask[4]), ask[5].GetString() ?? "", zone, static (name, _) => $"[card {name}]");
                    writer.Texts("printed", ask[1].EnumerateArray().Take(2).Select(text => MailTemplate.Parse(text.GetString() ?? "").Print((_, name) => values.Of(name), MostText, out _)));
                    break;
                default:
                    writer.Texts("moments", Due(zone, ask[1].GetString() ?? "", ask[2].GetDateTimeOffset(), ask[3].GetDateTimeOffset()));
                    break;
            }
        }
        catch (FormatException refusal)
        {
            writer.Clear();
            writer.Refused("Refused", refusal.Message);
        }
        catch (ArgumentOutOfRangeException)
        {
            writer.Clear();
            writer.Refused("Refused", "That is beyond what a clock can say.");
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or KeyNotFoundException or IndexOutOfRangeException or OverflowException or JsonException)
        {
            throw new CellLied("It asked what can not be read: " + e.Message);
        }

        await channel.SendAsync(writer.Frames);
    }

    private static List<string> Due(TimeZoneInfo zone, string text, DateTimeOffset after, DateTimeOffset until)
    {
        if (!Cadence.TryParse(text, out var cadence, out var fault))
        {
            throw new FormatException(fault.Detail);
        }

        var due = new List<string>();
        for (var at = cadence.NextAfter(zone, after); at <= until && due.Count <= MostMoments; at = cadence.NextAfter(zone, at.Value))
        {
            due.Add(at.Value.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture));
        }

        return due;
    }

    private static Dictionary<long, IReadOnlyDictionary<string, string>> Processes(JsonElement json) =>
        json.EnumerateObject().ToDictionary(process => long.Parse(process.Name, CultureInfo.InvariantCulture), process => (IReadOnlyDictionary<string, string>)Texts(process.Value));

    private static Dictionary<string, string> Texts(JsonElement json)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var kvp in json.EnumerateObject())
        {
            texts[kvp.Name] = KvpKey.Fault(kvp.Name) is null && kvp.Value.GetString() is { } text && KvpValue.TryCanonical(System.Text.Encoding.UTF8.GetBytes(text), out var canonical, out _, int.MaxValue)
                ? canonical : throw new CellLied("A KVP of a test is none.");
        }

        return texts;
    }
}
