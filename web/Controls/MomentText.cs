using System.Globalization;

namespace Eddy.Controls;

/// <summary>Moments in words: "6 s ago" to an hour, then 13:59, then 30 Oct, then 30 Oct 2025; in the zone of whoever reads.</summary>
public static class MomentText
{
    public static string Of(DateTimeOffset at, DateTimeOffset now, TimeZoneInfo zone)
    {
        var ago = now - at;
        if (ago < TimeSpan.FromSeconds(-1))
        {
            return Later(at, now, zone);
        }

        if (ago < TimeSpan.FromMinutes(1))
        {
            return string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (int)ago.TotalSeconds)} s ago");
        }

        return ago < TimeSpan.FromHours(1) ? string.Create(CultureInfo.InvariantCulture, $"{(int)ago.TotalMinutes} min ago") : Day(at, now, zone);
    }

    /// <summary>To the second, with its zone.</summary>
    public static string Exact(DateTimeOffset at, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(at, zone).ToString("ddd d MMM yyyy, HH:mm:ss.fff zzz", CultureInfo.InvariantCulture);

    /// <summary>14:03:21, as rows have it that follow one another.</summary>
    public static string Clock(DateTimeOffset at, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(at, zone).ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    private static string Later(DateTimeOffset at, DateTimeOffset now, TimeZoneInfo zone)
    {
        var left = at - now;
        return left < TimeSpan.FromMinutes(1) ? string.Create(CultureInfo.InvariantCulture, $"in {Math.Ceiling(left.TotalSeconds)} s")
            : left < TimeSpan.FromHours(1) ? string.Create(CultureInfo.InvariantCulture, $"in {(int)Math.Ceiling(left.TotalMinutes)} min")
            : Day(at, now, zone);
    }

    private static string Day(DateTimeOffset at, DateTimeOffset now, TimeZoneInfo zone)
    {
        var (there, here) = (TimeZoneInfo.ConvertTime(at, zone), TimeZoneInfo.ConvertTime(now, zone));
        var form = there.Date == here.Date ? "HH:mm" : Math.Abs((there.Date - here.Date).TotalDays) < 7 && at > now ? "ddd HH:mm" : there.Year == here.Year ? "d MMM" : "d MMM yyyy";
        return there.ToString(form, CultureInfo.InvariantCulture);
    }
}
