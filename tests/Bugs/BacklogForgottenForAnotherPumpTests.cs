using Eddy.Ingest;
using Eddy.Tenants;

namespace Eddy.Tests.Bugs;

/// <summary>With two workers, what one told of its tenants' backlogs wiped out what the other had told of its own, and nobody was held back.</summary>
public sealed class BacklogForgottenForAnotherPumpTests
{
    [Fact]
    public async Task What_a_pump_tells_says_nothing_of_the_shards_of_another()
    {
        var cancel = TestContext.Current.CancellationToken;
        var backlog = new Backlog(new DoorOptions { TenantBacklog = 1000 }, TimeProvider.System);
        var (mine, other) = (TenantAt(3), TenantAt(40));

        backlog.Hear($"a|100000|{1UL << 3:x}|{mine.Value:N}=2000");
        backlog.Hear($"b|100000|{1UL << 40:x}|{other.Value:N}=2000");

        (await backlog.PassAsync(mine, 1, isWaitedFor: false, cancel)).ShouldBeFalse();
        (await backlog.PassAsync(other, 1, isWaitedFor: false, cancel)).ShouldBeFalse();

        backlog.Hear($"a|100000|{1UL << 3:x}");

        (await backlog.PassAsync(mine, 1, isWaitedFor: false, cancel)).ShouldBeTrue();
        (await backlog.PassAsync(other, 1, isWaitedFor: false, cancel)).ShouldBeFalse();
    }

    private static TenantId TenantAt(short shard)
    {
        TenantId tenant;
        do
        {
            tenant = new TenantId(Guid.NewGuid());
        }
        while (tenant.Shard != shard);

        return tenant;
    }
}
