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
            .WithDescription("Since the tenant was made: events in its log, runs, and the CPU time of all its runs, of those too that failed or were killed.")
            .Produces<UsageAnswer>().Refuses(401, 403)
            .WithExample(null, """{"events":3,"runs":1,"cpuMilliseconds":0.117}""");

    private static async Task<IResult> ReadAsync(HttpContext context, RunStore store, CancellationToken cancel)
    {
        var (events, runs, cpu) = await store.ReadUsageAsync(context.Holder().Tenant, cancel);
        return Results.Ok(new UsageAnswer(events, runs, cpu.TotalMilliseconds));
    }
}

/// <summary>What a tenant has used since it was made.</summary>
/// <param name="Runs">Records of runs: checks that said no together are one.</param>
public sealed record UsageAnswer(long Events, long Runs, double CpuMilliseconds);
