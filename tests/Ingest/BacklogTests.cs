using Eddy.Ingest;
using Eddy.Tenants;
using Eddy.Tests.Egress;

namespace Eddy.Tests.Ingest;

/// <summary>How a tenant that brings more than is cleared is slowed down at the door.</summary>
public sealed class BacklogTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(4);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_over_the_pace_pass_a_few_at_a_time_as_fast_as_the_line_is_cleared()
    {
        var clock = new HandClock();
        clock.Pass(TimeSpan.FromSeconds(1));
        var (backlog, tenant) = Flooded(clock, rate: 1000, waiting: 600);

        var requests = Enumerable.Range(0, 5).Select(_ => backlog.PassAsync(tenant, 1, Cancel).AsTask()).ToList();

        // 600 wait where 500 may, so 1.2 ms each: three in the first four, the last one in the next.
        requests.Count(request => request.IsCompleted).ShouldBe(1);
        clock.Pass(Step);
        await Task.WhenAll(requests[..4]).WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        requests[4].IsCompleted.ShouldBeFalse();
        clock.Pass(Step);
        await requests[4].WaitAsync(TimeSpan.FromSeconds(20), Cancel);
    }

    [Fact]
    public async Task Nobody_is_held_for_longer_than_the_options_say_however_many_come()
    {
        var clock = new HandClock();
        var (backlog, tenant) = Flooded(clock, rate: 1000, waiting: 600);

        var requests = Enumerable.Range(0, 2000).Select(_ => backlog.PassAsync(tenant, 1, Cancel).AsTask()).ToList();

        requests.Count(request => request.IsCompleted).ShouldBeLessThan(10);
        clock.Pass(new DoorOptions().PaceHold + Step);
        (await Task.WhenAll(requests).WaitAsync(TimeSpan.FromSeconds(20), Cancel)).ShouldAllBe(passed => passed);
    }

    [Fact]
    public async Task Another_tenant_passes_at_once_and_is_not_among_those_with_many()
    {
        var (backlog, tenant) = Flooded(new HandClock(), rate: 1000, waiting: 600);
        var other = new TenantId(Guid.NewGuid());

        var passed = backlog.PassAsync(other, 1, Cancel);

        passed.IsCompleted.ShouldBeTrue();
        (await passed).ShouldBeTrue();
        (backlog.HasMany(tenant), backlog.HasMany(other)).ShouldBe((true, false));
    }

    /// <summary>A pump has told of so many arrivals waiting for one tenant, and how many a second it clears.</summary>
    private static (Backlog Backlog, TenantId Tenant) Flooded(TimeProvider time, int rate, int waiting)
    {
        var (backlog, tenant) = (new Backlog(new DoorOptions(), time), new TenantId(Guid.NewGuid()));
        backlog.Hear($"{Guid.NewGuid():N}|{rate}|{ulong.MaxValue:x}|{tenant.Value:N}={waiting}");
        return (backlog, tenant);
    }
}
