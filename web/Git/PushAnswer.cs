using System.Text;

namespace Eddy.Git;

/// <summary>What whoever pushes is told: sentences at once, where their git shows them, and at the end what became of each reference.</summary>
internal sealed class PushAnswer(Stream to, bool isBanded)
{
    private const byte Report = 1, Message = 2;

    private readonly List<byte> _report = [];

    public async Task SayAsync(string sentence, CancellationToken cancel)
    {
        if (isBanded)
        {
            // What git shows on a terminal holds nothing that could do something there.
            var text = string.Concat(sentence.Select(c => char.IsControl(c) ? ' ' : c));
            await to.WriteAsync(PacketLine.Of(Encoding.UTF8.GetBytes(text.Length > 2000 ? text[..2000] + "…\n" : text + "\n"), Message), cancel);
            await to.FlushAsync(cancel);
        }
    }

    public void Unpacked(string? fault) => _report.AddRange(PacketLine.Of(fault is null ? "unpack ok\n" : "unpack refused\n"));

    public async Task EndedAsync(RefCommand command, PushRefused? refused, CancellationToken cancel)
    {
        foreach (var sentence in refused?.Sentences ?? [])
        {
            await SayAsync(sentence, cancel);
        }

        _report.AddRange(PacketLine.Of(refused is null ? $"ok {command.Name}\n" : $"ng {command.Name} {refused.Message}\n"));
    }

    public async Task EndAsync(CancellationToken cancel)
    {
        _report.AddRange(PacketLine.Flush);
        var report = _report.ToArray();
        if (!isBanded)
        {
            await to.WriteAsync(report, cancel);
            return;
        }

        for (var at = 0; at < report.Length; at += PacketLine.MostBytes - 5)
        {
            await to.WriteAsync(PacketLine.Of(report.AsSpan(at, Math.Min(PacketLine.MostBytes - 5, report.Length - at)), Report), cancel);
        }

        await to.WriteAsync(PacketLine.Flush.ToArray(), cancel);
    }
}
