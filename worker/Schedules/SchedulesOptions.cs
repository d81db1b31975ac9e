namespace Eddy.Schedules;

/// <summary>Settings of the clock (section <c>Schedules</c>).</summary>
public sealed class SchedulesOptions
{
    /// <summary>The most that one transaction moves on.</summary>
    public int Chunk { get; set; } = 500;

    /// <summary>How often it is looked for what has been saved since; what is known is seen to on time.</summary>
    public TimeSpan Poll { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>With as many arrivals waiting, a tenant's drips are refused, as its requests are (<c>Door:TenantBacklog</c>). More than 20,000 are not counted.</summary>
    public int TenantBacklog { get; set; } = 20_000;

    /// <summary>Everything that is wrong with these settings.</summary>
    public IEnumerable<string> Faults()
    {
        if (Chunk is < 1 or > 10_000)
        {
            yield return $"Schedules:Chunk is {Chunk}; it takes 1 to 10000.";
        }

        if (Poll < TimeSpan.FromMilliseconds(10) || Poll > TimeSpan.FromMinutes(1))
        {
            yield return $"Schedules:Poll is {Poll}; it takes 10 ms to a minute.";
        }

        if (TenantBacklog is < 1 or > 20_000)
        {
            yield return $"Schedules:TenantBacklog is {TenantBacklog}; it takes 1 to 20000.";
        }
    }
}
