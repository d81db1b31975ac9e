using Eddy.Kvps;
using Eddy.Tenants;

namespace Eddy.Schedules;

/// <summary>A drip that is due, and locked by whoever took it.</summary>
/// <param name="Zone">Its time zone, or the tenant's.</param>
/// <param name="Missed">How often nothing came of it since it ran last.</param>
public sealed record DueDrip(TenantId Tenant, string Name, string Cron, string Zone, string Changes, DateTimeOffset Due, int Missed)
{
    /// <summary>From here on a run is late, and says so.</summary>
    public static readonly TimeSpan Late = TimeSpan.FromMinutes(1);

    /// <summary>How far back it is counted.</summary>
    public const int MostMissed = 1000;

    /// <summary>What is to become of it. However often it was due meanwhile, it runs once.</summary>
    /// <param name="isFull">As many of the tenant's events wait as may.</param>
    public DripTurn Decide(DateTimeOffset now, bool isFull)
    {
        if (!Cadence.TryParse(Cron, out var cadence, out var fault))
        {
            return new DripTurn(this, null, DripTurn.Failed, fault.Detail, null, Math.Min(MostMissed, Missed + 1));
        }

        if (!TimeZoneInfo.TryFindSystemTimeZoneById(Zone, out var zone))
        {
            return new DripTurn(this, null, DripTurn.Failed, $"'{Zone}' is not a time zone here any more: save the drip with another.", null, Math.Min(MostMissed, Missed + 1));
        }

        var missed = Missed;
        var next = cadence.NextAfter(zone, Due);
        for (; next <= now && missed < MostMissed; next = cadence.NextAfter(zone, next.Value))
        {
            missed++;
        }

        next = next <= now ? cadence.NextAfter(zone, now) : next;
        if (isFull)
        {
            return new DripTurn(this, next, DripTurn.Refused, "More of this tenant's events are waiting than may, so this one was not added.", null, Math.Min(MostMissed, missed + 1));
        }

        return new DripTurn(this, next, DripTurn.Ran, null, missed == 0 && now - Due < Late ? Changes : WithDelay(zone, missed), 0);
    }

    private string WithDelay(TimeZoneInfo zone, int missed) => ChangeList.Write(
    [
        .. ChangeList.Read(Changes),
        new Change(Drip.DueKey, KvpValue.FromDateTime(TimeZoneInfo.ConvertTime(Due, zone))),
        new Change(Drip.MissedKey, KvpValue.FromInteger(missed)),
    ]);
}

/// <summary>What becomes of a drip that is due.</summary>
/// <param name="Next">When it is due next; null for never.</param>
/// <param name="Reason">Why it does not run, in a sentence.</param>
/// <param name="Changes">The KVPs of its process, as arrivals carry them; null where it does not run.</param>
/// <param name="Missed">How often nothing has come of it, to be told with its next run.</param>
public sealed record DripTurn(DueDrip Drip, DateTimeOffset? Next, string Outcome, string? Reason, string? Changes, int Missed)
{
    public const string Ran = "ran", Refused = "refused", Failed = "failed";
}
