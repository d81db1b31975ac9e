using Eddy.Sandbox;
using Eddy.Tests.Rules;

namespace Eddy.Tests.Sandbox;

/// <summary>The examples of <c>docs/rules.md</c>, run as they stand there.</summary>
public sealed class RulesPageTests(CellFixture cells)
{
    [Fact]
    public async Task Its_examples_load_and_do_what_the_page_says()
    {
        var files = RulesPage.Files(RulesPage.Blocks);
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
}
