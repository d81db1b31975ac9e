using System.Buffers;
using System.Text;
using System.Text.Json;
using Eddy.Hindsight;
using Eddy.Kvps;

namespace Eddy.Ingest;

/// <summary>A request on its way through the writer. Its numbers are given at the flush.</summary>
internal sealed class DoorRequest
{
    // The writer completes many at once, in one work item of its own, so continuations may run where they are.
    private readonly TaskCompletionSource<DoorAnswer?> _stored = new();

    public DoorRequest(IReadOnlyList<NewArrival> arrivals, Idempotency? idempotency, string?[] tags, long enqueuedAt)
    {
        Arrivals = arrivals;
        Idempotency = idempotency;
        Tags = tags;
        EnqueuedAt = enqueuedAt;
        Ids = new Guid[arrivals.Count];
        Pids = new long[arrivals.Count];
        WakePids = new long[arrivals.Count];
        Kvps = new string[arrivals.Count];
        for (var i = 0; i < arrivals.Count; i++)
        {
            Ids[i] = arrivals[i].IsQuiet ? Replay.QuietArrival() : Guid.CreateVersion7();
            Kvps[i] = ChangeList.Write(arrivals[i].Changes);
        }
    }

    public IReadOnlyList<NewArrival> Arrivals { get; }

    public Idempotency? Idempotency { get; }

    public string?[] Tags { get; }

    public long EnqueuedAt { get; }

    public Guid[] Ids { get; private set; }

    public long[] Pids { get; private set; }

    public long[] WakePids { get; }

    public string[] Kvps { get; }

    /// <summary>This very request went in, so its tags will be answered; false where it was an earlier one of the same idempotency key.</summary>
    public bool IsFirst { get; private set; } = true;

    /// <summary>
    /// Somebody waits for all of it, and is answered when it is settled: that commit takes this one along to the disk. Without an idempotency key, for others may be
    /// given the answer of a key at once; and small, for it is kept until then.
    /// </summary>
    public bool IsWaitedFor => Idempotency is null && Arrivals.Count is > 0 and <= 64 && Array.TrueForAll(Tags, tag => tag is not null) && Kvps.Sum(kvps => kvps.Length) <= 16 << 10;

    /// <summary>It is known to be on disk. The writer says so, or whoever was told what it came to.</summary>
    public volatile bool IsDurable;

    /// <summary>The database has lost it and refuses to take it again.</summary>
    public volatile bool IsLost;

    /// <summary>Null once it is committed, else why not. It is durable then, unless it is one <see cref="IsWaitedFor">that is waited for</see>.</summary>
    public Task<DoorAnswer?> Stored => _stored.Task;

    public void Complete(DoorAnswer? refusal) => _stored.TrySetResult(refusal);

    /// <summary>The arrivals and processes as an idempotency row keeps them.</summary>
    public string AnswerText()
    {
        var buffer = new ArrayBufferWriter<byte>(64);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartArray();
            for (var i = 0; i < Ids.Length; i++)
            {
                writer.WriteStartArray();
                writer.WriteStringValue(Ids[i]);
                writer.WriteNumberValue(Pids[i]);
                writer.WriteEndArray();
            }

            writer.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Takes over the answer that the same key was given before.</summary>
    public void TakeEarlier(string answer)
    {
        using var stored = JsonDocument.Parse(answer);
        var ids = stored.RootElement.EnumerateArray().Select(pair => pair[0].GetGuid()).ToArray();
        // (It may be told twice.)
        IsFirst &= ids.AsSpan().SequenceEqual(Ids);
        Pids = [.. stored.RootElement.EnumerateArray().Select(pair => pair[1].GetInt64())];
        Ids = ids;
    }
}
