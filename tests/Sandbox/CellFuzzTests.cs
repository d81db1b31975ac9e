using System.Diagnostics;

namespace Eddy.Tests.Sandbox;

public sealed class CellFuzzTests
{
    [Fact]
    public Task A_cell_that_is_told_what_can_not_be_ends_and_does_not_hang() => FuzzAsync(1, 100);

    [Fact, Trait("Category", "Long")]
    public Task A_cell_that_is_told_much_that_can_not_be_ends_and_does_not_hang() => FuzzAsync(Random.Shared.Next(), 600);

    private static async Task FuzzAsync(int seed, int count)
    {
        var sandbox = Path.Combine(AppContext.BaseDirectory, "Sandbox");
        var start = new ProcessStartInfo(
            "/usr/bin/python3", ["-sSE", "-B", Path.Combine(sandbox, "attacks", "fuzz_cell.py"), Path.Combine(sandbox, "guest"), $"{seed}", $"{count}"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var python = Process.Start(start)!;
        var errors = python.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await python.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await python.WaitForExitAsync(TestContext.Current.CancellationToken);

        python.ExitCode.ShouldBe(0, await errors);
        TestContext.Current.TestOutputHelper?.WriteLine($"Seed {seed}: {output}");
        output.ShouldContain($"{count} talks");
    }
}
