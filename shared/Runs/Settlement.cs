using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Eddy.Processes;

namespace Eddy.Runs;

/// <summary>
/// What an arrival came to, once all that it caused is settled: the KVPs of its process, and its runs in their order, without their logs. Where it is short and of one commit, the
/// pump tells it to the door that waits; else the door reads it.
/// </summary>
/// <param name="Kind">The kind of the process, or null.</param>
/// <param name="Kvps">In the order of their keys; empty where the process is gone.</param>
public sealed record Settlement(string? Kind, IReadOnlyList<StoredKvp> Kvps, IReadOnlyList<StoredRun> Runs)
{
    /// <summary>More KVPs or runs are not told.</summary>
    public const int MostTold = 20;

    /// <summary>NOTIFY takes less than 8,000 bytes, in which others' news is, too.</summary>
    private const int MostBytes = 3000;

    private static readonly JsonSerializerOptions Options = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>As it is told, in Base64; null where that would be long.</summary>
    public string? Write()
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(this, Options);
        return json.Length > MostBytes ? null : Convert.ToBase64String(json);
    }

    /// <summary>What <see cref="Write"/> wrote.</summary>
    public static Settlement Read(string told) => JsonSerializer.Deserialize<Settlement>(Convert.FromBase64String(told), Options)!;
}
