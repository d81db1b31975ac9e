using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using Eddy.Sandbox;

namespace Eddy.Packages;

/// <summary>What the cell that resolves wants to know: the files of a project, or the metadata of one of them.</summary>
internal sealed record ResolutionQuestion(string Project, string? File);

/// <summary>What it is told.</summary>
internal abstract record ResolutionAnswer
{
    /// <summary>The files of the project; null where there is no such project.</summary>
    public sealed record Files(IReadOnlyList<IndexFile>? All) : ResolutionAnswer;

    public sealed record Metadata(string Text) : ResolutionAnswer;

    /// <summary>It can not be had, and resolving ends.</summary>
    public sealed record Fault(string Message) : ResolutionAnswer;
}

/// <summary>What a requirements.txt comes to, in the cell's words: nothing of it has been checked but its form.</summary>
internal sealed record ResolvedPackages(
    IReadOnlyList<(string Project, string Version, string File)> Packages, IReadOnlyList<(string Project, string Version)> Platform, IReadOnlyList<(int? Line, string Message)> Faults);

/// <summary>The conversation with a cell that resolves requirements and ends with that.</summary>
internal sealed class Resolution(CellChannel channel, Deadlines deadlines, SandboxOptions options, TimeProvider time)
{
    /// <exception cref="SandboxUnavailable">The zygote is gone.</exception>
    /// <exception cref="PackageFault">The cell ended before it had an answer.</exception>
    public async Task<ResolvedPackages> RunAsync(
        string requirements, IReadOnlyDictionary<string, string> locked, Func<ResolutionQuestion, CancellationToken, Task<ResolutionAnswer>> answer, CancellationToken ct)
    {
        await using var stop = ct.Register(() => channel.Kill(null));
        deadlines.Watch(channel);
        try
        {
            var next = Frame(json =>
            {
                json.WriteStringValue("resolve");
                json.WriteStringValue(requirements);
                JsonSerializer.Serialize(json, locked);
            });
            while (true)
            {
                channel.StartWaiting();
                using var heard = await channel.SendAsync(next) ? await HearAsync() : null;
                channel.StopWaiting();
                ct.ThrowIfCancellationRequested();
                if (heard is null)
                {
                    channel.Kill(null);
                    var ending = await CellEnding.OfAsync(channel, options, time);
                    throw new PackageFault($"The requirements could not be resolved. {ending.Message}");
                }

                var said = heard.RootElement;
                switch (said[0].GetString())
                {
                    case "want":
                        next = Answer(await answer(new ResolutionQuestion(said[2].GetString()!, said[1].GetString() == "metadata" ? said[3].GetString() : null), ct));
                        break;
                    case "resolved":
                        return Resolved(said);
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IndexOutOfRangeException or CellLied)
        {
            throw new PackageFault($"The requirements could not be resolved. Its cell was ended for telling what can not be. {e.Message}");
        }
        finally
        {
            channel.StopWaiting();
            deadlines.Forget(channel);
        }
    }

    /// <summary>The next frame that is not the cell's greeting; null if the cell is gone.</summary>
    private async Task<JsonDocument?> HearAsync()
    {
        while (await channel.ReceiveAsync() is { } frame)
        {
            var heard = JsonDocument.Parse(frame.ToArray());
            if (heard.RootElement[0].GetString() != "hello")
            {
                return heard;
            }

            heard.Dispose();
        }

        return null;
    }

    private byte[] Answer(ResolutionAnswer answer)
    {
        var frame = Frame(json =>
        {
            json.WriteStringValue("have");
            switch (answer)
            {
                case ResolutionAnswer.Files { All: { } files }:
                    json.WriteStartArray();
                    foreach (var file in files)
                    {
                        json.WriteStartArray();
                        json.WriteStringValue(file.Name);
                        json.WriteStringValue(file.RequiresPython);
                        json.WriteBooleanValue(file.Yanked);
                        json.WriteEndArray();
                    }

                    json.WriteEndArray();
                    break;
                case ResolutionAnswer.Metadata metadata:
                    json.WriteStringValue(metadata.Text);
                    break;
                default:
                    json.WriteNullValue();
                    break;
            }

            json.WriteStringValue((answer as ResolutionAnswer.Fault)?.Message);
        });
        return frame.Length - 4 <= options.FrameBytes ? frame : Answer(new ResolutionAnswer.Fault("The index has more files of a project than can be looked at."));
    }

    private static ResolvedPackages Resolved(JsonElement said) => new(
        [.. said[1].EnumerateArray().Select(one => (one[0].GetString()!, one[1].GetString()!, one[2].GetString()!))],
        [.. said[2].EnumerateArray().Select(one => (one[0].GetString()!, one[1].GetString()!))],
        [.. said[3].EnumerateArray().Select(one => (one[0].ValueKind == JsonValueKind.Null ? null : (int?)one[0].GetInt32(), one[1].GetString()!))]);

    private static byte[] Frame(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        buffer.GetSpan(4);
        buffer.Advance(4);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            write(json);
            json.WriteEndArray();
        }

        var frame = buffer.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(frame, frame.Length - 4);
        return frame;
    }
}
