namespace Eddy.Ingest;

/// <summary>Limits of the door (section <c>Door</c>).</summary>
public sealed class DoorOptions
{
    /// <summary>The most bytes of one request's body.</summary>
    public int BodyBytes { get; set; } = 1 << 20;

    /// <summary>The most bytes of one value as canonical JSON.</summary>
    public int ValueBytes { get; set; } = 256 << 10;

    /// <summary>The most KVPs of one arrival.</summary>
    public int Kvps { get; set; } = 1000;

    /// <summary>The most arrivals of one request.</summary>
    public int Elements { get; set; } = 10_000;

    /// <summary>With more arrivals waiting than this, a tenant is refused (429).</summary>
    public int TenantBacklog { get; set; } = 20_000;

    /// <summary>A tenant with more waiting than the pump clears in this time is slowed down.</summary>
    public TimeSpan PaceLag { get; set; } = TimeSpan.FromMilliseconds(150);

    /// <summary>By how much a request is slowed down at the most.</summary>
    public TimeSpan PaceHold { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>While somebody else waits for an answer, so many arrivals a second of a tenant pass that brings a crowd of them; 0: as many as come.</summary>
    public int CrowdPace { get; set; } = 500 * Environment.ProcessorCount;

    /// <summary>How long a request waits for a database that does not answer.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest that <c>Prefer: wait</c> may ask for.</summary>
    public TimeSpan LongestWait { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>So long after somebody began to wait no idle processor halts (<see cref="IdleProcessors"/>); 0: they halt as they like.</summary>
    public TimeSpan StayAwake { get; set; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Most arrivals of one flush.</summary>
    public int Flush { get; set; } = 2000;

    /// <summary>Everything that is wrong with these settings.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (var (name, value) in new (string, double)[]
        {
            (nameof(BodyBytes), BodyBytes), (nameof(ValueBytes), ValueBytes), (nameof(Kvps), Kvps), (nameof(Elements), Elements),
            (nameof(TenantBacklog), TenantBacklog), (nameof(PaceLag), PaceLag.TotalMilliseconds), (nameof(Patience), Patience.TotalMilliseconds),
            (nameof(LongestWait), LongestWait.TotalMilliseconds), (nameof(Flush), Flush),
        })
        {
            if (value <= 0)
            {
                yield return $"Door:{name} is {value}; it takes more than 0.";
            }
        }

        if (CrowdPace < 0)
        {
            yield return $"Door:CrowdPace is {CrowdPace}; it takes 0 or more.";
        }
    }
}
