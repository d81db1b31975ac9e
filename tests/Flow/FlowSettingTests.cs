using Eddy.Sandbox;
using Eddy.Tests.Sandbox;

namespace Eddy.Tests.Flow;

/// <summary>What a rule's class may say of when it runs.</summary>
public sealed class FlowSettingTests(CellFixture cells)
{
    [Theory]
    [InlineData("debounce = '10s'", 10_000, 0, 0, null, 0)]
    [InlineData("debounce = '250ms'; per = 'room'", 250, 0, 0, "room", 0)]
    [InlineData("debounce = ' 2 h '", 7_200_000, 0, 0, null, 0)]
    [InlineData("throttle = '5/min'", 0, 5, 60_000, null, 0)]
    [InlineData("throttle = '1/10s'; per = 'shared key'", 0, 1, 10_000, "shared key", 0)]
    [InlineData("throttle = '1000/d'; retry = 10", 0, 1000, 86_400_000, null, 10)]
    [InlineData("debounce = None; throttle = None; per = None; retry = None", 0, 0, 0, null, 0)]
    public async Task What_can_be_said_is_in_force(string settings, int debounce, int throttle, int within, string? per, int retries)
    {
        var rule = (await LoadAsync(settings)).Rules.ShouldHaveSingleItem();

        rule.Debounce.ShouldBe(TimeSpan.FromMilliseconds(debounce));
        rule.Throttle.ShouldBe(throttle);
        rule.ThrottleTime.ShouldBe(TimeSpan.FromMilliseconds(within));
        rule.Per.ShouldBe(per);
        rule.Retries.ShouldBe(retries);
    }

    [Theory]
    [InlineData("debounce = 10", "debounce of x is 10, and is written as a number with ms, s, min, h or d, as \"10s\"")]
    [InlineData("debounce = '10 weeks'", "debounce of x is '10 weeks'")]
    [InlineData("debounce = '0s'", "debounce of x is '0s'")]
    [InlineData("debounce = '367d'", "for at most 366 days")]
    [InlineData("throttle = '5'", "throttle of x is '5', and is written as runs in a time, as \"5/min\"")]
    [InlineData("throttle = '0/min'", "with 1 to 1000 runs")]
    [InlineData("throttle = '5/year'", "throttle of x is '1year'")]
    [InlineData("debounce = '1s'; throttle = '5/min'", "x has debounce and throttle; take the one or the other")]
    [InlineData("per = 'room'", "per of x tells streams of debounce or throttle apart, and it has neither")]
    [InlineData("debounce = '1s'; per = 5", "per of x is 5, and is a key")]
    [InlineData("debounce = '1s'; per = ''", "per of x: a KVP's key has 1 to 128 characters")]
    [InlineData("retry = 11", "retry of x is 11, and is a whole number from 0 to 10")]
    [InlineData("retry = True", "retry of x is True")]
    [InlineData("on_error = 'stop'", "on_error of x is 'stop', and may be \"skip\"")]
    public async Task What_can_not_be_said_is_told_when_the_file_loads(string settings, string message) =>
        (await LoadAsync(settings)).Errors.ShouldHaveSingleItem().Message.ShouldContain(message);

    private async Task<LoadedTree> LoadAsync(string settings) =>
        await Sandbox.TestTenant.WithRule(await cells.Sandbox, $"class x(Rule):\n    listens_to = ['a']\n    {settings}\n    def action(self): pass\n").LoadAsync();
}
