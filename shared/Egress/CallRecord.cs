namespace Eddy.Egress;

/// <summary>
/// One call in the record of its run. The path is without its query, secrets stand in it as their placeholders, and
/// <paramref name="Secrets"/> has the names of those that were filled in. Bytes are those of the bodies.
/// </summary>
public sealed record CallRecord(
    string Method, string Host, string Path, int? Status, long BytesOut, long BytesIn, double Milliseconds, string? Fault, IReadOnlyList<string> Secrets);
