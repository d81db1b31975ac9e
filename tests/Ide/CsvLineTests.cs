using Eddy.Ide.Exports;

namespace Eddy.Tests.Ide;

/// <summary>CSV that spreadsheets show and do not run.</summary>
public sealed class CsvLineTests
{
    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+49 30", "'+49 30")]
    [InlineData("-2", "'-2")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData(" =cmd|' /C calc'!A0", "' =cmd|' /C calc'!A0")]
    [InlineData("\t=1", "'\t=1")]
    [InlineData("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"")]
    [InlineData("plain", "plain")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("two\nlines", "\"two\nlines\"")]
    public void What_looks_like_a_formula_is_text(string text, string cell)
    {
        CsvLine.Of([new("k"), new(text)]).ShouldBe($"k,{cell}\r\n");
    }

    [Fact]
    public void Numbers_of_ours_stay_numbers()
    {
        CsvLine.Of([new("-2", IsNumber: true), new(""), new("x")]).ShouldBe("-2,,x\r\n");
        CsvLine.Of([new("")]).ShouldBe("\"\"\r\n");
    }
}
