using System.Globalization;

namespace Eddy.Controls;

/// <summary>How long something took, in as many digits as one reads at a glance.</summary>
public static class DurationText
{
    public static string Of(TimeSpan length) => length.TotalMilliseconds switch
    {
        0 => "0 ms",
        < 0.05 => "< 0.1 ms",
        < 9.95 => string.Create(CultureInfo.InvariantCulture, $"{length.TotalMilliseconds:0.0} ms"),
        < 999.5 => string.Create(CultureInfo.InvariantCulture, $"{length.TotalMilliseconds:0} ms"),
        < 59_950 => string.Create(CultureInfo.InvariantCulture, $"{length.TotalSeconds:0.0} s"),
        < 3_600_000 => string.Create(CultureInfo.InvariantCulture, $"{(int)length.TotalMinutes} min {length.Seconds} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)length.TotalHours} h {length.Minutes} min"),
    };
}
