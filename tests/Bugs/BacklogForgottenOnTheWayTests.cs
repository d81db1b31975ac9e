using Eddy.Ingest;
using Eddy.Tenants;

namespace Eddy.Tests.Bugs;

/// <summary>A look at the line that began while a flood was on its way to the database, or was not over yet, forgot the flood, and more was let in.</summary>
public sealed class BacklogForgottenOnTheWayTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_not_committed_when_a_look_begins_still_counts_after_it()
    {
        var (backlog, tenant) = (new Backlog(new DoorOptions { TenantBacklog = 300 }, TimeProvider.System), new TenantId(Guid.NewGuid()));
        (await backlog.PassAsync(tenant, 300, isWaitedFor: false, Cancel)).ShouldBeTrue();

        backlog.BeginLook();
        backlog.Set(new Dictionary<TenantId, long>());
        backlog.Arrived(tenant, 300);

        (await backlog.PassAsync(tenant, 1, isWaitedFor: false, Cancel)).ShouldBeFalse();
    }

    [Fact]
    public async Task What_was_committed_before_a_look_counts_until_the_look_has_told_of_it()
    {
        var (backlog, tenant) = (new Backlog(new DoorOptions { TenantBacklog = 300 }, TimeProvider.System), new TenantId(Guid.NewGuid()));
        (await backlog.PassAsync(tenant, 300, isWaitedFor: false, Cancel)).ShouldBeTrue();
        backlog.Arrived(tenant, 300);

        backlog.BeginLook();
        (await backlog.PassAsync(tenant, 1, isWaitedFor: false, Cancel)).ShouldBeFalse();
        backlog.Set(new Dictionary<TenantId, long>());

        (await backlog.PassAsync(tenant, 1, isWaitedFor: false, Cancel)).ShouldBeTrue();
    }
}
