using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>What a rule requires before it runs.</summary>
public sealed class RequiredTests(CellFixture cells)
{
    [Theory]
    [InlineData("first", "email has no value; last has no value, and first has")]
    [InlineData("email", null)]
    [InlineData("email first", "last has no value, and first has")]
    [InlineData("email first last", null)]
    [InlineData("first last", "email has no value")]
    public async Task A_rule_does_not_run_until_it_has_what_it_requires_and_says_what_lacks(string keys, string? lacking)
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            class invite(Rule):
                listens_to = ["email", "first", "last"]
                required = ["email", ("first", "last")]
                def check(self):
                    print("asked")
                    return True
                def action(self):
                    self.invited = True
            """);

        var run = await tenant.OneRunAsync(15, [.. keys.Split(' ').Select(key => (key, (string?)"\"x\""))]);

        run.Outcome.ShouldBe(lacking is null ? RunOutcome.Ran : RunOutcome.No);
        run.Log.ShouldBe(lacking is null ? "asked\n" : $"It does not run, because {lacking}.\n");
    }

    [Theory]
    [InlineData("'email'", "required of x must be a list of keys")]
    [InlineData("[5]", "has 5, which is no text")]
    [InlineData("['']", "a KVP's key has 1 to 128 characters")]
    public async Task What_can_not_be_required_is_told_when_the_file_loads(string required, string message)
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, $"class x(Rule):\n    listens_to = ['a']\n    required = {required}\n    def action(self): pass\n");

        (await tenant.LoadAsync()).Errors.ShouldHaveSingleItem().Message.ShouldContain(message);
    }
}
