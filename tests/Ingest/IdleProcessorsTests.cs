using Eddy.Ingest;
using Microsoft.Extensions.Logging.Abstractions;

namespace Eddy.Tests.Ingest;

/// <summary>The kernel's own word on how long a processor may take to wake up: others of this machine may demand something as well, so only what this test demands is sure to be seen.</summary>
public sealed class IdleProcessorsTests
{
    private const string Device = "/dev/cpu_dma_latency";

    [Fact]
    public async Task They_stay_awake_for_a_moment_and_no_longer()
    {
        Assert.SkipUnless(MayDemand(), $"{Device} can not be opened here");
        using var processors = new IdleProcessors(new DoorOptions { StayAwake = TimeSpan.FromMilliseconds(300) }, TimeProvider.System, NullLogger<IdleProcessors>.Instance);
        processors.StayAwake();
        Demanded().ShouldBe(0);
        await Patience.UntilAsync("nobody demands anything", () => Demanded() > 0);
        processors.StayAwake();
        Demanded().ShouldBe(0);
    }

    [Fact]
    public async Task The_demand_ends_with_whoever_made_it()
    {
        Assert.SkipUnless(MayDemand(), $"{Device} can not be opened here");
        using (var processors = new IdleProcessors(new DoorOptions { StayAwake = TimeSpan.FromHours(1) }, TimeProvider.System, NullLogger<IdleProcessors>.Instance))
        {
            processors.StayAwake();
            Demanded().ShouldBe(0);
        }

        await Patience.UntilAsync("nobody demands anything", () => Demanded() > 0);
    }

    [Fact]
    public void Without_a_moment_nothing_is_demanded()
    {
        using var processors = new IdleProcessors(new DoorOptions { StayAwake = TimeSpan.Zero }, TimeProvider.System, NullLogger<IdleProcessors>.Instance);
        processors.StayAwake();
        processors.StayAwake();
    }

    private static bool MayDemand()
    {
        try
        {
            using var device = new FileStream(Device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            return true;
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static int Demanded()
    {
        using var device = new FileStream(Device, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        var value = new byte[4];
        device.ReadExactly(value);
        return BitConverter.ToInt32(value);
    }
}
