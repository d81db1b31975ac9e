using Eddy.Kvps;

namespace Eddy.Ingest;

/// <summary>How much one body may set. How long the body may be is the server's to say, before it is read.</summary>
public sealed record IngestLimits
{
    public static IngestLimits Default { get; } = new();

    /// <summary>Bytes of one value as canonical JSON.</summary>
    public int ValueBytes { get; init; } = KvpValue.MaxBytes;

    /// <summary>KVPs of one process.</summary>
    public int KvpsPerProcess { get; init; } = 1_000;

    /// <summary>Processes of one body.</summary>
    public int Elements { get; init; } = 10_000;
}
