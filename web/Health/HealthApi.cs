namespace Eddy.Health;

/// <summary>What operators and balancers ask.</summary>
public static class HealthApi
{
    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapGet("/health/live", () => Results.Ok(new LiveAnswer(true))).ExcludeFromDescription();
        app.MapGet("/health/ready", async (Readiness readiness, CancellationToken cancel) =>
        {
            var answer = await readiness.LookAsync(cancel);
            return Results.Json(answer, statusCode: answer.Ready ? 200 : 503);
        }).ExcludeFromDescription();
    }
}

public sealed record LiveAnswer(bool Live);
