using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>The examples of <c>docs/rules.md</c>, run as they stand there.</summary>
public sealed partial class RulesPageTests(CellFixture cells)
{
    [Fact]
    public async Task Its_examples_load_and_do_what_the_page_says()
    {
        var blocks = Blocks().Matches(await File.ReadAllTextAsync(PagePath(), TestContext.Current.CancellationToken)).Select(match => match.Groups[1].Value).ToList();
        var files = blocks.Select((text, i) => (Named().Match(text) is { Success: true } name ? name.Groups[1].Value : $"scripts/example{i}.py", text)).ToArray();
        var tenant = new TestTenant(await cells.Sandbox, files);

        (await tenant.LoadAsync()).Errors.ShouldBeEmpty();
        foreach (var (path, text) in files)
        {
            (await tenant.Sandbox.CompileAsync(tenant.Tree.Tenant, new CellFile(path, text), TestContext.Current.CancellationToken)).Findings.ShouldBeEmpty(path);
        }

        await tenant.PostAsync(7, ("fahrenheit", "212"), ("reading", "1"));
        await tenant.PostAsync(7, ("reading", "2"));

        tenant.Kvp(7, "temperature").ShouldBe("100.0");
        tenant.Kvp(7, "alert").ShouldBe("\"Too hot\"");
        tenant.Kvp(7, "seen").ShouldBe("""["temperature"]""");
        tenant.Kvp(0, "sensors").ShouldBe("1");
        tenant.Kvp(7, "readings")!.ShouldContain("\"value\":2");
    }

    private static string PagePath([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "docs", "rules.md");

    [GeneratedRegex("```python\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();

    [GeneratedRegex(@"\A# (\S+\.py)\n")]
    private static partial Regex Named();
}
