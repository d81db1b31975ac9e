using Eddy.Tenants;

namespace Eddy.Tests;

public sealed class TenantIdTests
{
    [Fact]
    public void A_shard_is_one_of_sixty_four() => TenantId.New().Shard.ShouldBeInRange((short)0, (short)63);
}
