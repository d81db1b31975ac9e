using Eddy.Ide.Kvps;
using Eddy.Kvps;

namespace Eddy.Tests.Ide;

/// <summary>A value that is put into the field reads back as the same value.</summary>
public sealed class EditTextTests
{
    [Theory]
    [InlineData("\"Too hot\"", "Too hot")]
    [InlineData("\"95\"", "\"95\"")]
    [InlineData("\"true\"", "\"true\"")]
    [InlineData("\" spaces \"", "\" spaces \"")]
    [InlineData("\"\"", "")]
    [InlineData("95", "95")]
    [InlineData("null", "null")]
    [InlineData("{\"$date\":\"2026-11-23\"}", "2026-11-23")]
    [InlineData("{\"$decimal\":\"0.3140\"}", "{\"$decimal\":\"0.3140\"}")]
    [InlineData("[1,\"a\",null]", "[1,\"a\",null]")]
    public void A_value_is_written_as_people_write_it(string canonical, string written)
    {
        EditText.Of(canonical).ShouldBe(written);
    }

    [Theory]
    [InlineData("\"two\\nlines := 5\"")]
    [InlineData("\"she said \\\"no\\\" and '''\"")]
    [InlineData("\"back\\\\slash\"")]
    [InlineData("{\"$datetime\":\"2026-11-23T10:00:00+01:00[Europe/Berlin]\"}")]
    [InlineData("{\"$process\":15}")]
    [InlineData("{\"a\":{\"b\":[true,1.5]}}")]
    public void Whatever_it_is_it_reads_back_as_itself(string canonical)
    {
        KvpText.TryRead("k := " + EditText.Of(canonical), out var changes, out var fault).ShouldBeTrue(fault?.Fault.Detail);

        changes!.ShouldHaveSingleItem().Value.ShouldBe(canonical);
    }
}
