using Eddy.Kvps;

namespace Eddy.Tests.Kvps;

public sealed class KvpLookupTests
{
    [Theory]
    [InlineData("null", null, null, null)]
    [InlineData("[1,2]", null, null, null)]
    [InlineData("""{"a":1}""", null, null, null)]
    [InlineData("{}", null, null, null)]
    [InlineData("""{"$a":1,"$b":2}""", null, null, null)]
    [InlineData("""{"$dict":{"$date":"2026-11-23"}}""", null, null, null)]
    [InlineData("""{"$dict":{"$a":1},"$e":1}""", null, null, null)]
    [InlineData("""{"$date":1,"$e":"x"}""", null, null, null)]
    [InlineData("""{"$date":"2026-11-23","$e":"x"}""", null, null, null)]
    [InlineData("""{"$decimal":"1.5","$e":"x"}""", null, null, null)]
    [InlineData("""{"$ti\"me":"1","$e":"x"}""", null, null, null)]
    [InlineData("""{"$datex:":1,"$e":"x"}""", null, null, null)]
    [InlineData("""{"$process":15,"$q":1}""", null, null, null)]
    [InlineData("""{"$date":"2026-11-23\\","$e":"x"}""", null, null, null)]
    [InlineData("true", "true", null, null)]
    [InlineData("95", "95", 95.0, null)]
    [InlineData("-0.5", "-0.5", -0.5, null)]
    [InlineData("\"\"", "", null, null)]
    [InlineData("\"95\"", "95", null, null)]
    [InlineData("\"a\\n\\\"b\\\\\\u0001\"", "a\n\"b\\\u0001", null, null)]
    [InlineData("""{"$decimal":"1.10"}""", "1.10", 1.1, null)]
    [InlineData("""{"$process":15}""", "15", null, null)]
    [InlineData("""{"$time":"10:00:00"}""", "10:00:00", null, null)]
    [InlineData("""{"$date":"2026-11-23"}""", "2026-11-23", null, "2026-11-23T00:00:00.0000000Z")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00"}""", "2026-11-23T10:00:00", null, "2026-11-23T10:00:00.0000000Z")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00.25+01:00[Europe/Berlin]"}""", "2026-11-23T10:00:00.25+01:00[Europe/Berlin]", null, "2026-11-23T09:00:00.2500000Z")]
    [InlineData("""{"$datetime":"2026-11-23T23:30:00-05:30"}""", "2026-11-23T23:30:00-05:30", null, "2026-11-24T05:00:00.0000000Z")]
    [InlineData("""{"$datetime":"1890-01-01T00:00:00+00:53:28"}""", "1890-01-01T00:00:00+00:53:28", null, "1889-12-31T23:06:32.0000000Z")]
    [InlineData("""{"$datetime":"0001-01-01T00:00:00+01:00"}""", "0001-01-01T00:00:00+01:00", null, "0001-01-01T00:00:00.0000000Z")]
    public void A_value_is_found_by_its_text_number_and_moment(string canonical, string? txt, double? num, string? at)
    {
        var lookup = KvpLookup.Of(canonical);

        lookup.Txt.ShouldBe(txt);
        lookup.Num.ShouldBe(num);
        lookup.At?.ToString("O").ShouldBe(at);
        (lookup.At is null).ShouldBe(at is null);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("\U0001F600")]
    [InlineData("\n")]
    [InlineData("\u0001")]
    public void Text_is_cut_after_256_characters(string character)
    {
        var canonical = KvpValue.FromText(string.Concat(Enumerable.Repeat(character, 300)));

        KvpLookup.Of(canonical).Txt.ShouldBe(string.Concat(Enumerable.Repeat(character, 256)));
    }

    [Fact]
    public void A_number_longer_than_a_double_is_infinite()
    {
        KvpLookup.Of(new string('9', 400)).Num.ShouldBe(double.PositiveInfinity);
        KvpLookup.Of("-" + new string('9', 400)).Num.ShouldBe(double.NegativeInfinity);
        KvpLookup.Of(new string('9', 400)).Txt!.Length.ShouldBe(256);
    }
}
