using System.Text.RegularExpressions;

namespace Eddy.Tests.Laws;

/// <summary>The published threat model names tests as its proof: they are there, and whoever renames one hears of it.</summary>
public sealed partial class ThreatModelTests
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Repository.Root, "docs", "threat-model.md"));

    [Fact]
    public void Every_test_that_it_names_is_there()
    {
        var classes = typeof(ThreatModelTests).Assembly.GetExportedTypes().ToLookup(type => type.Name);

        var missing = Named().Where(name => !classes[name.Class].Any(type => name.Method is null ? IsTested(type) : type.GetMethod(name.Method) is { } method && IsTest(method)));

        missing.ShouldBeEmpty();
    }

    [Fact]
    public void Every_wall_names_a_test()
    {
        var walls = Text.Split('\n').Where(line => line.StartsWith("| **", StringComparison.Ordinal)).ToList();

        walls.Count.ShouldBeGreaterThan(20);
        walls.ShouldAllBe(line => TestName().IsMatch(line));
    }

    [Fact]
    public void It_is_found_from_the_readme_and_shows_its_figure()
    {
        File.ReadAllText(Path.Combine(Repository.Root, "README.md")).ShouldContain("docs/threat-model.md");
        Text.ShouldContain("(walls.svg)");
        File.Exists(Path.Combine(Repository.Root, "docs", "walls.svg")).ShouldBeTrue();
    }

    private static IEnumerable<(string Class, string? Method)> Named() =>
        TestName().Matches(Text).Select(match => (match.Groups[1].Value, match.Groups[2].Success ? match.Groups[2].Value : null)).Distinct();

    private static bool IsTested(Type type) => type.GetMethods().Any(IsTest);

    private static bool IsTest(System.Reflection.MethodInfo method) => method.GetCustomAttributes(typeof(FactAttribute), inherit: true).Length > 0;

    [GeneratedRegex(@"`(\w+Tests)(?:\.(\w+))?`")]
    private static partial Regex TestName();
}
