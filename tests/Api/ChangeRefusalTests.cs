using System.Net;
using System.Text;

namespace Eddy.Tests.Api;

/// <summary>Changes of KVPs that are turned away before they reach the line.</summary>
public sealed class ChangeRefusalTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/api/shared/k", "{", "application/json", HttpStatusCode.BadRequest, "invalid-json")]
    [InlineData("/api/shared/k", "", "application/json", HttpStatusCode.BadRequest, "invalid-json")]
    [InlineData("/api/shared/k", "1 2", "application/json", HttpStatusCode.BadRequest, "invalid-json")]
    [InlineData("/api/shared/k", "\"a\\u0000\"", "application/json", HttpStatusCode.BadRequest, "invalid-value")]
    [InlineData("/api/shared/k", "1e999", "application/json", HttpStatusCode.BadRequest, "invalid-value")]
    [InlineData("/api/shared/k", "1", "text/plain", HttpStatusCode.UnsupportedMediaType, "unsupported-type")]
    [InlineData("/api/shared/a%01b", "1", "application/json", HttpStatusCode.BadRequest, "invalid-key")]
    [InlineData("/api/processes/404/k", "1", "application/json", HttpStatusCode.NotFound, "unknown-process")]
    public async Task What_can_not_be_a_KVP_is_refused_and_leaves_nothing(string address, string body, string type, HttpStatusCode status, string problem)
    {
        var tenant = await TestTenant.MakeAsync(database);

        var sent = tenant.Client(shared.Web).PutAsync(address, new StringContent(body, Encoding.UTF8, type), Cancel);

        (await sent.ProblemAsync(status)).ShouldBe(problem);
        (await WaitingAsync(tenant)).ShouldBe(0);
    }

    [Fact]
    public async Task A_value_that_is_too_large_is_refused()
    {
        var tenant = await TestTenant.MakeAsync(database);

        var sent = tenant.Client(shared.Web).PutAsync("/api/shared/k", new StringContent($"\"{new string('x', 256 << 10)}\"", Encoding.UTF8, "application/json"), Cancel);

        (await sent.ProblemAsync(HttpStatusCode.RequestEntityTooLarge)).ShouldBe("value-too-large");
        (await WaitingAsync(tenant)).ShouldBe(0);
    }

    private async Task<long> WaitingAsync(TestTenant tenant)
    {
        await using var count = database.Superuser.CreateCommand("select count(*) from arrivals where tenant_id = $1");
        count.Parameters.Add(new() { Value = tenant.Id.Value });
        return (long)(await count.ExecuteScalarAsync(Cancel))!;
    }
}
