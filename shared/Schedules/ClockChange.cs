namespace Eddy.Schedules;

/// <summary>
/// A moment at which the clocks of a zone are put forward or back. Found by the offset of moments alone: what the framework says of local times (whether they are left out or come
/// twice) is wrong where winter is the time that is put off, as in Dublin.
/// </summary>
internal readonly record struct ClockChange(DateTime At, TimeSpan Before, TimeSpan After)
{
    /// <summary>No two changes of a zone are nearer to one another.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromDays(3);

    public bool IsForward => After > Before;

    /// <summary>What the clocks show when they are changed, and do not show, or show again.</summary>
    public DateTime ShownFrom => DateTime.SpecifyKind(At + (IsForward ? Before : After), DateTimeKind.Unspecified);

    /// <summary>The end of that, which it does not include.</summary>
    public DateTime ShownTo => DateTime.SpecifyKind(At + (IsForward ? After : Before), DateTimeKind.Unspecified);

    /// <summary>The first one after this moment, up to another, which it includes; null where there is none. In UTC.</summary>
    public static ClockChange? First(TimeZoneInfo zone, DateTime after, DateTime upTo)
    {
        var before = zone.GetUtcOffset(after);
        for (var low = after; low < upTo;)
        {
            var high = upTo - low > Step ? low + Step : upTo;
            if (zone.GetUtcOffset(high) != before)
            {
                while (high - low > TimeSpan.FromTicks(1))
                {
                    var middle = low + ((high - low) / 2);
                    (low, high) = zone.GetUtcOffset(middle) == before ? (middle, high) : (low, middle);
                }

                return new ClockChange(high, before, zone.GetUtcOffset(high));
            }

            low = high;
        }

        return null;
    }
}
