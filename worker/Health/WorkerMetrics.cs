using Eddy.Telemetry;

namespace Eddy.Health;

/// <summary>The figures of a worker, for Prometheus.</summary>
public static class WorkerMetrics
{
    public static void MapMetrics(this IEndpointRouteBuilder app) => app.MapPrometheusScrapingEndpoint("/metrics", meterProvider: null, optionsName: null, configureBranchedPipeline: branch => branch.Use((context, next) =>
    {
        var request = context.Request;
        var isForwarded = request.Headers.ContainsKey("X-Forwarded-For") || request.Headers.ContainsKey("Forwarded");
        if (context.RequestServices.GetRequiredService<MetricsDoor>().Fault(request.Headers.Authorization.ToString(), context.Connection.RemoteIpAddress, isForwarded) is not { } fault)
        {
            return next(context);
        }

        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"metrics\"";
        return Results.Problem(fault, statusCode: StatusCodes.Status401Unauthorized, title: "The metrics are not for everybody", type: "/docs/problems#closed-metrics").ExecuteAsync(context);
    }));
}
