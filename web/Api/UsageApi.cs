using Eddy.Endpoints;
using Eddy.Keys;
using Eddy.Runs;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>What a tenant has used, over HTTP.</summary>
public static class UsageApi
{
    public static void MapUsage(this IEndpointRouteBuilder api) =>
        api.MapGet("/usage", ReadAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithTags("Usage").WithName("ReadUsage").WithSummary("Read what was used")
            .WithDescription("Since the tenant was made: events in its log, runs, and the CPU time of all its runs, of those too that failed or were killed; requests that its API scripts have answered, and their CPU time.")
            .Produces<UsageAnswer>().Refuses(401, 403)
            .WithExample(null, """{"events":3,"runs":1,"cpuMilliseconds":0.117,"requests":12,"requestCpuMilliseconds":4.21}""");

    private static async Task<IResult> ReadAsync(HttpContext context, RunStore store, EndpointStore endpoints, CancellationToken cancel)
    {
        var (events, runs, cpu) = await store.ReadUsageAsync(context.Holder().Tenant, cancel);
        var requests = await endpoints.UsageAsync(context.Holder().Tenant, cancel);
        return Results.Ok(new UsageAnswer(events, runs, cpu.TotalMilliseconds, requests.Calls, requests.Cpu.TotalMilliseconds));
    }
}

/// <summary>What a tenant has used since it was made.</summary>
/// <param name="Runs">Records of runs: checks that said no together are one.</param>
/// <param name="CpuMilliseconds">Of runs.</param>
/// <param name="Requests">That API scripts have answered.</param>
/// <param name="RequestCpuMilliseconds">Of these, and of each time that one was answered anew.</param>
public sealed record UsageAnswer(long Events, long Runs, double CpuMilliseconds, long Requests, double RequestCpuMilliseconds);
