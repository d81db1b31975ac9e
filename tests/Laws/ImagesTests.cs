using System.Diagnostics;
using Eddy.Tests.Bench;

namespace Eddy.Tests.Laws;

/// <summary>What the Dockerfile says can be done, as far as that goes without a container engine. It compiles everything anew, so it runs alone.</summary>
[Trait("Category", "Long")]
[Collection(nameof(BenchTests))]
public sealed class ImagesTests
{
    [Fact]
    public async Task The_steps_of_the_images_work()
    {
        using var check = Process.Start(new ProcessStartInfo(Path.Combine(Repository.Root, "scripts", "check-images")) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (said, faults) = (check.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), check.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await check.WaitForExitAsync(TestContext.Current.CancellationToken);

        check.ExitCode.ShouldBe(0, await said + await faults);
        (await said).ShouldContain("the steps work");
    }
}
