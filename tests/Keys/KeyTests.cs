using System.Net;
using Eddy.Keys;
using Eddy.Operator;
using Eddy.Postgres;
using Eddy.Tenants;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace Eddy.Tests.Keys;

public sealed class KeyTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_key_nothing_is_reached_and_the_answer_says_what_is_asked_for()
    {
        using var client = new HttpClient { BaseAddress = shared.Web.Address };

        using var answer = await client.GetAsync("/api/files", Cancel);

        answer.Headers.WwwAuthenticate.Single().Scheme.ShouldBe("Bearer");
        (await Task.FromResult(answer).ProblemAsync(HttpStatusCode.Unauthorized)).ShouldBe("unknown-key");
    }

    [Theory]
    [InlineData("eddy_")]
    [InlineData("eddy_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("someone-elses")]
    public async Task A_key_that_nobody_has_is_refused(string key)
    {
        var tenant = await TestTenant.MakeAsync(database);

        (await tenant.Client(shared.Web, key).GetAsync("/api/files", Cancel).ProblemAsync(HttpStatusCode.Unauthorized)).ShouldBe("unknown-key");
    }

    [Theory]
    [InlineData(Scope.Ingest, "GET", "/api/files", false)]
    [InlineData(Scope.Ingest, "GET", "/api/events", false)]
    [InlineData(Scope.Read, "GET", "/api/events", true)]
    [InlineData(Scope.Read, "DELETE", "/api/files/workspace/a", false)]
    [InlineData(Scope.Read, "DELETE", "/api/shared/a", false)]
    [InlineData(Scope.Write, "GET", "/api/processes", false)]
    [InlineData(Scope.Write, "DELETE", "/api/files/workspace/a", true)]
    public async Task A_key_may_do_what_its_scope_says_and_nothing_else(string scope, string method, string address, bool may)
    {
        var tenant = await TestTenant.MakeAsync(database);
        var client = tenant.Client(shared.Web, await tenant.AddKeyAsync("narrow", scope));

        using var answer = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), address), Cancel);

        (answer.StatusCode != HttpStatusCode.Forbidden).ShouldBe(may);
        if (!may)
        {
            (await Task.FromResult(answer).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("missing-scope");
        }
    }

    [Fact]
    public async Task A_key_in_an_address_ingests_and_is_asked_for_that_scope()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var reader = await tenant.AddKeyAsync("reader", Scope.Read);
        using var client = new HttpClient { BaseAddress = shared.Web.Address };

        (await client.PostAsync($"/in/{reader}", new StringContent("{}"), Cancel).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("missing-scope");
        (await client.PostAsync("/in/eddy_nobody", new StringContent("{}"), Cancel).ProblemAsync(HttpStatusCode.Unauthorized)).ShouldBe("unknown-key");
    }

    [Fact]
    public async Task A_revoked_key_is_forgotten_when_the_database_says_so()
    {
        var tenant = await TestTenant.MakeAsync(database);
        using var listener = new Listener(database.App, NullLogger.Instance);
        var listens = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // By this clock the ring would never ask again by itself.
        var ring = new KeyRing(database.App, listener, new Egress.HandClock());
        listener.OnConnected(() => listens.TrySetResult());
        listener.Start();
        await listens.Task.WaitAsync(Patience.Long, Cancel);
        (await ring.FindAsync(tenant.Key)).ShouldNotBeNull();
        await using var operators = new OperatorDb(database.SuperuserConnection);
        await using (var rows = operators.For(tenant.Id))
        {
            await rows.ApiKeys.ExecuteUpdateAsync(set => set.SetProperty(key => key.RevokedAt, TimeProvider.System.GetUtcNow()), Cancel);
        }

        await operators.KeysChangedAsync(Cancel);

        await Patience.UntilAsync("the ring has forgotten it", Patience.Long, async () => await ring.FindAsync(tenant.Key) is null);
    }

    [Fact]
    public async Task When_a_key_was_used_is_written_down_once_for_many_uses()
    {
        var tenant = await TestTenant.MakeAsync(database);
        using var listener = new Listener(database.App, NullLogger.Instance);
        var ring = new KeyRing(database.App, listener, TimeProvider.System);
        var before = TimeProvider.System.GetUtcNow().AddMilliseconds(-1);

        var holders = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => ring.FindAsync(tenant.Key).AsTask()));
        await ring.NoteUseAsync(Cancel);

        holders.Distinct(ReferenceEqualityComparer.Instance).Count().ShouldBe(1);
        holders[0]!.Tenant.ShouldBe(tenant.Id);
        holders[0]!.Actor.ShouldBe("key:test");
        var noted = await LastUsedAsync(tenant);
        noted.ShouldNotBeNull().ShouldBeInRange(before, TimeProvider.System.GetUtcNow());

        await ring.NoteUseAsync(Cancel);
        (await LastUsedAsync(tenant)).ShouldBe(noted);
        await ring.FindAsync(tenant.Key);
        await ring.NoteUseAsync(Cancel);
        (await LastUsedAsync(tenant)).ShouldNotBeNull().ShouldBeGreaterThan(noted.Value);
    }

    private async Task<DateTimeOffset?> LastUsedAsync(TestTenant tenant)
    {
        await using var operators = new OperatorDb(database.SuperuserConnection);
        await using var rows = operators.For(tenant.Id);
        return await rows.ApiKeys.Select(key => key.LastUsedAt).SingleAsync(Cancel);
    }
}
