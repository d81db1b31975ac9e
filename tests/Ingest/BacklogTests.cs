using Eddy.Ingest;
using Eddy.Tenants;
using Eddy.Tests.Egress;

namespace Eddy.Tests.Ingest;

/// <summary>How a tenant that brings more than is cleared is slowed down at the door.</summary>
public sealed class BacklogTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(4);
    private static readonly TimeSpan CrowdStep = TimeSpan.FromMilliseconds(20);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_over_the_pace_pass_a_few_at_a_time_as_fast_as_the_line_is_cleared()
    {
        var clock = new HandClock();
        clock.Pass(TimeSpan.FromSeconds(1));
        var (backlog, tenant) = Flooded(clock, rate: 1000, waiting: 600);

        var requests = Enumerable.Range(0, 5).Select(_ => backlog.PassAsync(tenant, 1, isWaitedFor: false, Cancel).AsTask()).ToList();

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

        var requests = Enumerable.Range(0, 2000).Select(_ => backlog.PassAsync(tenant, 1, isWaitedFor: false, Cancel).AsTask()).ToList();

        requests.Count(request => request.IsCompleted).ShouldBeLessThan(10);
        clock.Pass(new DoorOptions().PaceHold + Step);
        (await Task.WhenAll(requests).WaitAsync(TimeSpan.FromSeconds(20), Cancel)).ShouldAllBe(passed => passed);
    }

    [Fact]
    public async Task Another_tenant_passes_at_once_and_is_not_among_those_with_many()
    {
        var (backlog, tenant) = Flooded(new HandClock(), rate: 1000, waiting: 600);
        var other = new TenantId(Guid.NewGuid());

        var passed = backlog.PassAsync(other, 1, isWaitedFor: false, Cancel);

        passed.IsCompleted.ShouldBeTrue();
        (await passed).ShouldBeTrue();
        (backlog.GoesApart(tenant), backlog.GoesApart(other)).ShouldBe((true, false));
    }

    [Fact]
    public async Task While_somebody_else_waits_a_crowd_passes_at_its_pace_and_all_together()
    {
        var (clock, crowd, waiter) = (new HandClock(), new TenantId(Guid.NewGuid()), new TenantId(Guid.NewGuid()));
        clock.Pass(TimeSpan.FromSeconds(1));
        var backlog = new Backlog(new DoorOptions { CrowdPace = 1000 }, clock);
        (await backlog.PassAsync(waiter, 1, isWaitedFor: true, Cancel)).ShouldBeTrue();

        var requests = Enumerable.Range(0, 64).Select(_ => backlog.PassAsync(crowd, 1, isWaitedFor: false, Cancel).AsTask()).ToList();

        // Eight are no crowd yet, and the ninth is the first of them: from there on one a millisecond.
        requests.Count(request => request.IsCompleted).ShouldBe(9);
        (backlog.GoesApart(crowd), backlog.GoesApart(waiter)).ShouldBe((true, false));
        clock.Pass(CrowdStep - TimeSpan.FromMilliseconds(1));
        requests.Count(request => request.IsCompleted).ShouldBe(9);
        clock.Pass(TimeSpan.FromMilliseconds(1));
        await Task.WhenAll(requests[..28]).WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        requests.Count(request => request.IsCompleted).ShouldBe(28);
        clock.Pass(CrowdStep * 2);
        (await Task.WhenAll(requests).WaitAsync(TimeSpan.FromSeconds(20), Cancel)).ShouldAllBe(passed => passed);
    }

    [Fact]
    public async Task A_crowd_is_not_slowed_down_by_who_does_not_wait_or_waited_a_while_ago_or_by_its_own_waits()
    {
        var (clock, crowd, other) = (new HandClock(), new TenantId(Guid.NewGuid()), new TenantId(Guid.NewGuid()));
        var backlog = new Backlog(new DoorOptions { CrowdPace = 1000 }, clock);
        await backlog.PassAsync(other, 1, isWaitedFor: true, Cancel);
        clock.Pass(TimeSpan.FromMilliseconds(21));
        await backlog.PassAsync(other, 1, isWaitedFor: false, Cancel);
        await backlog.PassAsync(crowd, 1, isWaitedFor: true, Cancel);

        PassAtOnce(backlog, crowd).ShouldBeTrue();
        backlog.GoesApart(crowd).ShouldBeFalse();
    }

    [Fact]
    public async Task A_crowd_is_not_slowed_down_where_the_operator_says_so()
    {
        var backlog = new Backlog(new DoorOptions { CrowdPace = 0 }, new HandClock());
        await backlog.PassAsync(new TenantId(Guid.NewGuid()), 1, isWaitedFor: true, Cancel);

        PassAtOnce(backlog, new TenantId(Guid.NewGuid())).ShouldBeTrue();
    }

    [Fact]
    public async Task Who_brings_one_at_a_time_passes_at_once_whoever_else_waits()
    {
        var (one, waiter) = (new TenantId(Guid.NewGuid()), new TenantId(Guid.NewGuid()));
        var backlog = new Backlog(new DoorOptions(), new HandClock());

        for (var i = 0; i < 100; i++)
        {
            await backlog.PassAsync(waiter, 1, isWaitedFor: true, Cancel);
            var passed = backlog.PassAsync(one, 1, isWaitedFor: i % 2 == 0, Cancel);

            passed.IsCompleted.ShouldBeTrue();
            backlog.Arrived(waiter, 1);
            backlog.Arrived(one, 1);
        }
    }

    private static bool PassAtOnce(Backlog backlog, TenantId crowd) =>
        Enumerable.Range(0, 64).Select(_ => backlog.PassAsync(crowd, 1, isWaitedFor: false, Cancel).AsTask()).ToList().TrueForAll(request => request.IsCompleted);

    /// <summary>A pump has told of so many arrivals waiting for one tenant, and how many a second it clears.</summary>
    private static (Backlog Backlog, TenantId Tenant) Flooded(TimeProvider time, int rate, int waiting)
    {
        var (backlog, tenant) = (new Backlog(new DoorOptions(), time), new TenantId(Guid.NewGuid()));
        backlog.Hear($"{Guid.NewGuid():N}|{rate}|{ulong.MaxValue:x}|{tenant.Value:N}={waiting}");
        return (backlog, tenant);
    }
}
