using System.Text;
using Eddy.Egress;
using Eddy.Tests.Egress;
using Microsoft.Extensions.Logging.Abstractions;

namespace Eddy.Tests.Secrets;

/// <summary>A host that keeps what it was sent, and gives it back whenever it is asked.</summary>
public sealed class EchoTests(TestDatabase database)
{
    private const string Value = "k3y-without-odd-letters";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_that_names_no_secret_does_not_get_back_what_another_run_brought()
    {
        await using var server = new RawServer(RawServer.Ok($"what is kept: {Value}", $"X-Kept: {Convert.ToBase64String(Encoding.ASCII.GetBytes(Value))}\r\n"));
        var store = TestSecrets.Store(database, TestSecrets.Masters(TestSecrets.Line("one")));
        using var keeper = TestSecrets.Keeper(store);
        await using var calls = new OutgoingCalls(new EgressOptions { Allow = [server.Place] }, keeper, TimeProvider.System, NullLogger<OutgoingCalls>.Instance);
        var (owner, other) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        await store.SetAsync(owner, "KEY", Value, "api.example.com");
        var placeholder = (await store.SetOfAsync(owner)).Placeholder("KEY");
        var trail = new CallTrail();

        var answer = await calls.CallAsync(owner.Id, TestCalls.Request("GET", server.Url, "", ("Accept-Encoding", "gzip")), trail, Cancel);
        var others = await calls.CallAsync(other.Id, TestCalls.Request("GET", server.Url, "", ("Accept-Encoding", "gzip")), new CallTrail(), Cancel);

        answer.Text().ShouldBe($"what is kept: {placeholder}");
        answer.Header("X-Kept").ShouldBe(placeholder);
        trail.Records.Single().Secrets.ShouldBeEmpty();
        server.Requests[0].ShouldContain("Accept-Encoding: identity");
        others.Text().ShouldContain(Value);
        server.Requests[1].ShouldContain("Accept-Encoding: gzip");
        (await store.ListAsync(owner.Id, Cancel)).Single().LastUsedAt.ShouldBeNull();
    }
}
