using System.Diagnostics;

namespace Eddy.Tests.Client;

/// <summary>The command at the root: one for tenants and operators.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public async Task Help_tells_of_both_and_each_word_goes_to_the_one_whose_it_is()
    {
        var help = await RunAsync("--help");
        var client = await RunAsync("push", "--help");
        var operators = await RunAsync("tenant", "--help");

        (help.Code, client.Code, operators.Code).ShouldBe((0, 0, 0));
        help.Out.ShouldContain("watch");
        help.Out.ShouldContain("For operators, with the database at hand:");
        help.Out.ShouldContain("migrate");
        client.Out.ShouldContain("as one version of the tree");
        operators.Out.ShouldContain("add");
    }

    private static async Task<(int Code, string Out)> RunAsync(params string[] args)
    {
        var start = new ProcessStartInfo(Path.Combine(Repository.Root, "eddy"), args) { RedirectStandardOutput = true, WorkingDirectory = Path.GetTempPath() };
        start.Environment.Remove("EDDY_DB");
        start.Environment["EDDY_HOME"] = Path.Combine(Path.GetTempPath(), "eddy-home-that-is-not-there");
        using var running = Process.Start(start)!;
        var told = await running.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await running.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (running.ExitCode, told);
    }
}
