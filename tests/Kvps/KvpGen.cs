using System.Numerics;
using CsCheck;
using Eddy.Kvps;

namespace Eddy.Tests.Kvps;

/// <summary>Values of every type, as canonical JSON.</summary>
internal static class KvpGen
{
    private static readonly Gen<DateTime> Moment = Gen.Select(Gen.Date, Gen.Long[0, TimeSpan.TicksPerDay - 1]).Select((date, ticks) => date.Date.AddTicks(ticks - (ticks % TimeSpan.TicksPerMicrosecond)));

    /// <summary>Text of what may stand in it and does harm elsewhere: quotes, backslashes, line breaks, what is beyond the basic plane.</summary>
    public static readonly Gen<string> Text = Gen.Int[0, 17].Array[0, 12].Select(picks => string.Concat(picks.Select(pick => pick switch
    {
        0 => "\"", 1 => "'", 2 => "\\", 3 => "\n", 4 => "é", 5 => "\U0001F600", 6 => "\t", 7 => "\u0001", 8 => " ", 9 => ":=", 10 => "1", 11 => "[", 12 => "$date", 13 => "null", _ => ((char)('a' + pick)).ToString(),
    })));

    public static readonly Gen<string> Scalar = Gen.OneOf(
        Gen.Const("null"),
        Gen.Bool.Select(value => value ? "true" : "false"),
        Gen.Long.Select(value => value.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        Gen.Long.Select(value => BigInteger.Pow(value, 5).ToString(System.Globalization.CultureInfo.InvariantCulture)),
        Gen.Double.Where(double.IsFinite).Select(KvpValue.FromFloat),
        Text.Select(KvpValue.FromText),
        Gen.Decimal.Select(KvpValue.FromDecimal),
        Moment.Select(at => KvpValue.FromDate(DateOnly.FromDateTime(at))),
        Moment.Select(at => KvpValue.FromTime(TimeOnly.FromDateTime(at))),
        Moment.Select(KvpValue.FromDateTime),
        Gen.Select(Moment.Where(at => at.Year is > 1 and < 9999), Gen.Int[-23 * 60, 23 * 60].Where(minutes => Math.Abs(minutes) <= 14 * 60))
            .Select((at, minutes) => KvpValue.FromDateTime(new DateTimeOffset(at, TimeSpan.FromMinutes(minutes)))),
        Gen.Long[1, long.MaxValue].Select(KvpValue.FromProcess));

    /// <summary>Lists and dictionaries of these too.</summary>
    public static readonly Gen<string> Any = Gen.Recursive<string>((depth, inner) => depth > 3
        ? Scalar
        : Gen.OneOf(
            Scalar, Scalar,
            inner.Array[0, 3].Select(items => Canonical($"[{string.Join(',', items)}]")),
            Gen.Select(Text, inner).Array[0, 3].Select(pairs => Canonical("{" + string.Join(',', pairs.DistinctBy(pair => pair.Item1).Select(pair => $"{KvpValue.FromText(pair.Item1)}:{pair.Item2}")) + "}"))));

    private static string Canonical(string json)
    {
        KvpValue.TryCanonical(System.Text.Encoding.UTF8.GetBytes(json), out var canonical, out var fault).ShouldBeTrue(fault?.Detail + json);
        return canonical!;
    }
}
