using Eddy.Hindsight;
using Eddy.Sandbox;

namespace Eddy.Tests.Hindsight;

/// <summary>What a check read, in words.</summary>
public sealed class SeenTextTests
{
    private const string File = "scripts/a.py";

    [Theory]
    [InlineData("self.temperature > 90", "False", "self.temperature=72", "self.temperature 72 > 90")]
    [InlineData("self.temperature > LIMIT", "False", "self.temperature=72|LIMIT=90", "self.temperature 72 > 90")]
    [InlineData("self.door", "'open'", "", "self.door 'open'")]
    [InlineData("not self.door", "False", "self.door='open'", "not self.door False")]
    [InlineData("self.a > 1 and self.b == 2", "False", "self.a > 1=True|self.a=5|self.b == 2=False|self.b=3", "self.b 3 == 2")]
    [InlineData("self.a > 1 or self.b == 2", "True", "self.a > 1=True|self.a=5|self.b == 2|self.b", "self.a 5 > 1")]
    [InlineData("len(self.all) > 2", "False", "len(self.all)=1|self.all=[1]", "len(self.all) 1 > 2")]
    [InlineData("1 < self.a < 3", "False", "self.a=5", "1 < self.a < 3 False")]
    public void What_decided_is_named_with_its_values(string source, string answer, string parts, string decided)
    {
        var text = "def check(self):\n    return " + source + "\n";
        var places = parts.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(part => part.Split('=', part.Contains("==", StringComparison.Ordinal) ? 3 : 2)).Select(part =>
        {
            var (of, value) = part switch { [var name] => (name, null), [var name, "", var rest] when rest.LastIndexOf('=') is var at => at < 0 ? ($"{name}=={rest}", null) : ($"{name}=={rest[..at]}", rest[(at + 1)..]), [var name, var known] => (name, known), _ => throw new InvalidOperationException(part[0]) };
            return Place(source, of, value);
        });
        var look = new Look(null, new SeenValue(answer, null), [.. places.Prepend(Place(source, source, answer)).OrderBy(place => place.Column).ThenByDescending(place => place.EndColumn)]);

        SeenText.Decided(look, new Dictionary<string, string> { [File] = text }).ShouldBe(decided);
    }

    [Theory]
    [InlineData("self.a > LIMIT", "self.a=72|LIMIT=90", "a above 90")]
    [InlineData("self.a not in SOME", "self.a=72|SOME=[72]", "a not among [72]")]
    [InlineData("self.a > 1 > self.b", "self.a=72|self.b=0", null)]
    [InlineData("LIMIT > self.a", "LIMIT=9|self.a=72", null)]
    public void What_would_have_turned_it_is_said_where_that_is_simple(string source, string parts, string? wanted)
    {
        var places = parts.Split('|').Select(part => part.Split('=', 2)).Select(part => Place(source, part[0], part[1]) with { Key = part[0].StartsWith("self.", StringComparison.Ordinal) ? part[0][5..] : null, Pid = 15 });
        var look = new Look(null, new SeenValue("False", null), [.. places.Prepend(Place(source, source, "False")).OrderBy(place => place.Column).ThenByDescending(place => place.EndColumn)]);

        SeenText.Wanted(look, new Dictionary<string, string> { [File] = "def check(self):\n    return " + source + "\n" }).ShouldBe(wanted);
    }

    [Fact]
    public void Each_line_tells_its_outermost_expressions_and_whether_it_was_passed_by()
    {
        const string source = "self.a > 1 or self.b";
        var seen = new[] { Place(source, source, "True"), Place(source, "self.a > 1", "True"), Place(source, "self.a", "5"), Place(source, "self.b", null), new SeenPlace(File, 3, 5, 3, 11, null, null, null, 0) };

        var lines = SeenText.Lines(File, seen, new Dictionary<string, string> { [File] = "def check(self):\n    return " + source + "\n    self.c\n" });

        lines.Select(line => (line.Line, line.IsPassed, string.Join('|', line.Chips.Select(chip => chip.Told)))).ShouldBe([(2, false, "True or self.b: True"), (3, true, "")]);
    }

    private static SeenPlace Place(string source, string of, string? value)
    {
        var at = source.IndexOf(of, StringComparison.Ordinal) + 12;
        return new SeenPlace(File, 2, at, 2, at + of.Length, value is null ? null : new SeenValue(value, null), null, null, value is null ? 0 : 1);
    }
}
