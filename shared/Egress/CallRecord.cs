using System.Text.Json.Serialization;

namespace Eddy.Egress;

/// <summary>
/// One call in the record of its run. The path is without its query, secrets stand in it as their placeholders, and
/// <paramref name="Secrets"/> has the names of those that were filled in. Bytes are those of the bodies.
/// </summary>
public sealed record CallRecord(
    string Method, string Host, string Path, int? Status, long BytesOut, long BytesIn, double Milliseconds, string? Fault, IReadOnlyList<string> Secrets)
{
    /// <summary>What was answered, so that a dry run of the same run can be answered by it; null where it is long, or there was none. It is for no reader of the record.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public KeptAnswer? Answer { get; init; }
}
