namespace Eddy.Egress;

/// <summary>
/// An HTTP call that a tenant's code wants made. <paramref name="Url"/> is absolute; path and query go out as they stand there.
/// Nothing of it is believed: it is checked by <see cref="OutgoingCalls"/>.
/// </summary>
public sealed record CallRequest(string Method, string Url, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body)
{
    /// <summary>How long the caller cares to wait. It shortens <see cref="EgressOptions.CallTime"/> and never lengthens it.</summary>
    public TimeSpan? Patience { get; init; }
}
