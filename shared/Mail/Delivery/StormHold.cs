using System.Globalization;
using Eddy.Mail.Inbox;

namespace Eddy.Mail.Delivery;

/// <summary>Which of an hour's limits (<see cref="StormLimits.Out"/>) keeps a receiver's mail back.</summary>
public enum StormLimit
{
    /// <summary>Of one process, which writes to the same receiver again and again. That has most likely gone in a circle: it is not sent, so that the circle ends.</summary>
    Circle,

    /// <summary>Of one process, to somebody whom it has written little. It waits.</summary>
    Process,

    /// <summary>To one receiver. It waits.</summary>
    Receiver,

    /// <summary>Of the tenant. It waits.</summary>
    Tenant,
}

/// <summary>Why a mail is kept back from some of its receivers.</summary>
/// <param name="Why">A sentence.</param>
/// <param name="Course">How it goes on, in a sentence.</param>
/// <param name="Until">When there is room again.</param>
public sealed record StormHold(string Why, string Course, DateTimeOffset Until)
{
    public static StormHold Of(StormLimit limit, StormLimits limits, DueMail mail, string receiver, DateTimeOffset until)
    {
        // When the minute that has begun is over.
        var at = TimeZoneInfo.ConvertTime(until.AddMinutes(1), mail.Zone).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        var waits = $"It waits, and goes on at {at}.";
        return limit switch
        {
            StormLimit.Circle => new($"Within an hour mails about process {mail.Pid} went to {limits.PerThread:N0} receivers, which is the limit, and to {receiver} again and again: a rule seems to send in a circle.", $"It is not sent; from {at} on it can be sent again by hand.", until),
            StormLimit.Process => new($"Within an hour mails about process {mail.Pid} went to {limits.PerThread:N0} receivers, which is the limit.", waits, until),
            StormLimit.Receiver => new($"Within an hour {receiver} was sent {limits.PerPerson:N0} mails, which is the limit.", waits, until),
            _ => new($"Within an hour mails of the tenant went to {limits.PerTenant:N0} receivers, which is the limit.", waits, until),
        };
    }

    public override string ToString() => $"{Why} {Course}";
}
