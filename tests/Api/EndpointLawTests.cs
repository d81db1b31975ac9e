using System.Net;
using System.Net.Http.Headers;
using Eddy.Keys;
using Eddy.Sites;
using Eddy.Tenants;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Api;

public sealed class EndpointLawTests(TestDatabase database)
{
    [Fact]
    public async Task Every_endpoint_under_api_in_and_git_requires_a_scope_and_a_key_in_an_address_ingests_alone()
    {
        var web = await database.WebAsync();

        var guarded = web.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().Where(endpoint => endpoint.Metadata.GetMetadata<OnSite>() is null)
            .Where(endpoint => endpoint.RoutePattern.RawText is { } text && (text.TrimStart('/') + "/" is var path) && (path.StartsWith("api/", StringComparison.Ordinal) || path.StartsWith("in/", StringComparison.Ordinal) || path.StartsWith("git/", StringComparison.Ordinal)))
            .ToList();

        guarded.Count.ShouldBeGreaterThan(12);
        guarded.Where(endpoint => endpoint.Metadata.GetMetadata<ScopeRequired>() is not { Scope: { } scope } || !Scope.All.Contains(scope)).Select(endpoint => endpoint.RoutePattern.RawText).ShouldBe(["/api/me"], "What a key may know of itself takes any key.");
        guarded.Where(endpoint => endpoint.RoutePattern.Parameters.Any(part => part.Name == "key") && endpoint.RoutePattern.RawText!.TrimStart('/').StartsWith("in/", StringComparison.Ordinal))
            .ShouldAllBe(endpoint => endpoint.Metadata.GetMetadata<KeyInAddress>() != null && endpoint.Metadata.GetMetadata<ScopeRequired>()!.Scope == Scope.Ingest);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("application/xml")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("image/png")]
    public async Task No_content_type_is_turned_away_where_any_is_taken(string? type)
    {
        var web = await database.WebAsync();
        var client = (await TestTenant.MakeAsync(database)).Client(web);

        using var file = await client.PutAsync("/api/files/workspace/a", Body(), TestContext.Current.CancellationToken);
        using var events = await client.PostAsync("/in", Body(), TestContext.Current.CancellationToken);

        file.StatusCode.ShouldBe(HttpStatusCode.Created);
        events.StatusCode.ShouldBe(HttpStatusCode.Accepted);

        ByteArrayContent Body() => new("a=1"u8.ToArray()) { Headers = { ContentType = type is null ? null : new MediaTypeHeaderValue(type) } };
    }
}
