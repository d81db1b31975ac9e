using System.Buffers;
using System.Text.Json;
using Eddy.Egress;
using Eddy.Tenants;

namespace Eddy.Sandbox;

/// <summary>Makes an outgoing call of a run. What goes wrong is part of the answer, and not thrown.</summary>
public delegate Task<CallAnswer> MakeCall(CallRequest request, CancellationToken ct);

/// <summary>Signs bytes with a tenant's secret, which is named by its placeholder; gives the signature, or why there is none.</summary>
public delegate Task<(byte[]? Signature, string? Refusal)> SignForTenant(
    TenantId tenant, string secret, string algorithm, ReadOnlyMemory<byte> data, CancellationToken ct);

/// <summary>Hears what a cell asks in the middle of a run, and answers it. Believes nothing of it: what is asked may be anything.</summary>
internal sealed class CellAsks(CellChannel channel, TenantId tenant, MakeCall? call, SignForTenant? sign, ProcessAsks processes, FileAsks files, SandboxOptions options)
{
    /// <summary>However many calls a run may make: signing costs the host more than the cell.</summary>
    private const int MostSignatures = 10_000;

    private readonly ArrayBufferWriter<byte> _parts = new();
    private int _signatures;

    /// <summary>Frames that tell of steps begin with a number, those that ask with a word.</summary>
    public static bool IsAsk(ReadOnlySpan<byte> frame) => frame is [(byte)'[', (byte)'"', ..];

    /// <summary>Where the cell is gone, the next frame that is not there tells so.</summary>
    /// <exception cref="CellLied">It asked what can not be asked.</exception>
    public async ValueTask AnswerAsync(ReadOnlyMemory<byte> frame, CancellationToken ct)
    {
        string what;
        List<string> words = [];
        List<KeyValuePair<string, string>> headers = [];
        TimeSpan? patience = null;
        try
        {
            using var json = JsonDocument.Parse(frame);
            var ask = json.RootElement;
            what = ask[0].GetString() ?? "";
            if (what == "part")
            {
                Take(ask[1].GetBytesFromBase64());
                return;
            }

            if (ProcessAsks.Knows(what))
            {
                await processes.AnswerAsync(what, frame, ask, ct);
                return;
            }

            words.AddRange([ask[1].GetString() ?? "", ask[2].GetString() ?? ""]);
            if (what == "call")
            {
                var flat = ask[3];
                for (var i = 0; i + 1 < flat.GetArrayLength(); i += 2)
                {
                    headers.Add(new(flat[i].GetString() ?? "", flat[i + 1].GetString() ?? ""));
                }

                patience = ask[4].ValueKind == JsonValueKind.Null ? null : TimeSpan.FromSeconds(Math.Clamp(ask[4].GetDouble(), 0.001, 3600));
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or IndexOutOfRangeException or KeyNotFoundException)
        {
            throw new CellLied("It asked what can not be read: " + e.Message);
        }

        var body = _parts.WrittenSpan.ToArray();
        _parts.ResetWrittenCount();
        using var writer = new SliceWriter();
        switch (what)
        {
            case "call" when call is not null:
                var answer = await call(new CallRequest(words[0], words[1], headers, body) { Patience = patience }, ct);
                if (answer.Fault is { } fault)
                {
                    writer.Refused(fault.Kind, fault.Message);
                }
                else
                {
                    writer.Answered(answer);
                }

                break;
            case "sign" when sign is not null && ++_signatures <= MostSignatures:
                var (signature, refusal) = await sign(tenant, words[0], words[1], body, ct);
                if (signature is null)
                {
                    writer.Refused("Refused", refusal ?? "It can not be signed.");
                }
                else
                {
                    writer.Bytes(signature);
                }

                break;
            case var _ when FileAsks.Knows(what):
                await files.AnswerAsync(what, words[0], body, writer, ct);
                break;
            default:
                throw new CellLied("It asked what it may not ask here.");
        }

        await channel.SendAsync(writer.Frames);
    }

    private void Take(byte[] part)
    {
        if (_parts.WrittenCount + part.Length > options.AskBytes)
        {
            throw new CellLied($"It asked with more than {options.AskBytes} bytes.");
        }

        _parts.Write(part);
    }
}
