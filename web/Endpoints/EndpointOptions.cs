namespace Eddy.Endpoints;

/// <summary>How far a request of an API script may go (section <c>Endpoints</c>).</summary>
public sealed class EndpointOptions
{
    /// <summary>The most bytes of a request's body.</summary>
    public int BodyBytes { get; set; } = 5 << 20;

    /// <summary>As long as this a caller waits; then the answer is 504, and what the request came to is still applied.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How many requests of one tenant are answered at once; others wait for them.</summary>
    public int TenantRequests { get; set; } = 16;

    /// <summary>How many more of one tenant may wait.</summary>
    public int TenantWaiting { get; set; } = 256;

    public IEnumerable<string> Faults()
    {
        if (BodyBytes is < 1024 or > 16 << 20)
        {
            yield return $"Endpoints:BodyBytes is {BodyBytes}; it takes 1024 to {16 << 20}.";
        }

        if (Patience < TimeSpan.FromSeconds(1) || Patience > TimeSpan.FromMinutes(5))
        {
            yield return $"Endpoints:Patience is {Patience}; it takes 1 second to 5 minutes.";
        }

        if (TenantRequests is < 1 or > 1000 || TenantWaiting is < 0 or > 100_000)
        {
            yield return $"Endpoints:TenantRequests is {TenantRequests} and TenantWaiting {TenantWaiting}; they take 1 to 1,000 and 0 to 100,000.";
        }
    }
}
