using System.Text.Json;
using System.Text.RegularExpressions;
using Eddy.Processes;
using Eddy.Sandbox;
using Eddy.Schedules;
using Eddy.Tests.Sandbox;

namespace Eddy.Tests.Schedules;

/// <summary>The examples of <c>docs/schedules.md</c>, as they stand there.</summary>
public sealed partial class SchedulesPageTests(CellFixture cells)
{
    private static string Page => File.ReadAllText(Path.Combine(Repository.Root, "docs", "schedules.md"));

    [Fact]
    public async Task Its_rule_loads_and_runs_by_the_clock_it_names()
    {
        var rule = Python().Match(Page).Groups[1].Value;
        var tenant = Sandbox.TestTenant.WithRule(await cells.Sandbox, rule);

        var loaded = (await tenant.LoadAsync()).Rules.ShouldHaveSingleItem();
        (await tenant.Sandbox.CompileAsync(tenant.Tree.Tenant, new CellFile("scripts/rule.py", rule), TestContext.Current.CancellationToken)).Findings.ShouldBeEmpty();

        loaded.Schedule.ShouldBe("0 7 * * MON-FRI");
        using var where = JsonDocument.Parse(loaded.ScheduleWhere!);
        ProcessQuestion.Read(where.RootElement).Where.SelectMany(clause => clause.Conditions).Select(one => (one.Key, one.Comparison, one.Operands[0]))
            .ShouldBe([("kind", Comparison.Equal, "\"invoice\""), ("due", Comparison.Less, "20")]);
    }

    [Fact]
    public void Its_drip_can_be_read()
    {
        using var drip = JsonDocument.Parse(Drip().Match(Page).Groups[1].Value);

        Cadence.TryParse(drip.RootElement.GetProperty("cron").GetString()!, out _, out _).ShouldBeTrue();
        Eddy.Kvps.KvpText.TryRead(drip.RootElement.GetProperty("kvps").GetString()!, out var changes, out _).ShouldBeTrue();
        changes!.Select(change => (change.Key, change.Value)).ShouldBe([("report", "\"daily\""), ("limit", "90")]);
    }

    [Theory]
    [InlineData("30      2     *             *      MON-FRI")]
    [InlineData("0 12 13 * FRI")]
    [InlineData("1,15,20-25 9-17 */10 JAN,DEC 0-7/2")]
    public void What_it_writes_as_five_fields_are_five_fields(string cron) => Cadence.TryParse(cron, out _, out var fault).ShouldBeTrue(fault?.Detail);

    [GeneratedRegex("```python\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Python();

    [GeneratedRegex("PUT /api/drips/nightly\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Drip();
}
