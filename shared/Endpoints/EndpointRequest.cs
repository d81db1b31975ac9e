namespace Eddy.Endpoints;

/// <summary>A request for an API script, as it came.</summary>
/// <param name="Origin">The site's scheme, host and port, as callers have them.</param>
/// <param name="Query">Without its question mark.</param>
/// <param name="Address">The caller's.</param>
/// <param name="Headers">As they came, but those that prove who somebody is to the platform.</param>
public sealed record EndpointRequest(
    string Method, string Origin, string Path, string Query, string Address, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body, EndpointCaller Caller);

/// <summary>Who calls an API script.</summary>
/// <param name="User">The address of a member who is signed in; null for anybody else.</param>
/// <param name="Groups">The groups that the member is in.</param>
/// <param name="Key">The name of the API key that was shown; null for none.</param>
/// <param name="Scopes">What that key is for.</param>
public sealed record EndpointCaller(string? User, IReadOnlyList<string> Groups, string? Key, IReadOnlyList<string> Scopes)
{
    public static readonly EndpointCaller Anybody = new(null, [], null, []);

    /// <summary>As events have it.</summary>
    public string Actor => User ?? (Key is null ? "anybody" : "key:" + Key);
}
