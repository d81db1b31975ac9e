using Eddy.Jobs;
using Eddy.Sandbox;

namespace Eddy.Health;

/// <summary>What operators and balancers ask of a worker.</summary>
public static class WorkerHealth
{
    public static void MapWorkerHealth(this IEndpointRouteBuilder app)
    {
        app.MapGet("/health/live", () => Results.Ok(new { live = true }));
        app.MapGet("/health/ready", (RuleSandbox sandbox, PumpProcess pump) =>
        {
            var seal = SandboxAnswer.Of(sandbox.Health);
            var leases = pump.Current is { IsAlive: true };
            var answer = new
            {
                ready = seal.Ready && leases,
                sandbox = seal,
                pump = new { ready = leases, reason = leases ? null : "The pump has no leases that are good.", shards = pump.Current?.Shards.Count ?? 0 },
            };
            return Results.Json(answer, statusCode: answer.ready ? 200 : 503);
        });
    }
}
