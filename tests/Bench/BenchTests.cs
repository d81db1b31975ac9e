using System.Diagnostics;
using System.Text.Json;

namespace Eddy.Tests.Bench;

/// <summary>Runs alone: a bench and the other tests would take each other's CPU until requests time out.</summary>
[CollectionDefinition(nameof(BenchTests), DisableParallelization = true)]
public sealed class BenchAlone;

[Trait("Category", "Long")]
[Collection(nameof(BenchTests))]
public sealed class BenchTests
{
    private static readonly string[] Cases = ["floor", "accept", "settled", "way", "chain", "cold", "many", "quiet", "beside", "circuits", "editor", "mail", "scripts", "pages", "why", "sandbox"];

    [Fact]
    public async Task Every_case_measures_the_running_product_and_the_log_has_each_event_once()
    {
        var folder = Directory.CreateTempSubdirectory("eddy-bench-");
        try
        {
            using var bench = Process.Start(new ProcessStartInfo(Path.Combine(Repository.Root, "bench", "run"), ["--quick", "--out", folder.FullName])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var (said, faults) = (bench.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), bench.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
            await bench.WaitForExitAsync(TestContext.Current.CancellationToken);

            bench.ExitCode.ShouldBe(0, await faults);
            var table = folder.GetFiles("*.md").ShouldHaveSingleItem();
            (await said).ShouldContain(table.FullName);
            using var figures = JsonDocument.Parse(await File.ReadAllTextAsync(folder.GetFiles("*.json").ShouldHaveSingleItem().FullName, TestContext.Current.CancellationToken));
            var lines = figures.RootElement.GetProperty("lines").EnumerateArray().ToList();
            lines.Select(line => line.GetProperty("case").GetString()).Distinct().ShouldBe(Cases);
            lines.Where(line => line.GetProperty("unit").GetString() == "/s").ShouldAllBe(line => line.GetProperty("median").GetDouble() > 0);
            lines.Where(line => line.GetProperty("errors").GetInt64() != 0).Select(line => line.ToString()).ShouldBeEmpty();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
