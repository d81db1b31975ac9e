using Eddy.Problems;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Serilog;
using Serilog.Events;

namespace Eddy.Telemetry;

/// <summary>Logs, traces and metrics of the web.</summary>
internal static class TelemetryParts
{
    /// <summary>How many requests that bring no decision of their own are traced. A span for each would cost more than the rest of the way.</summary>
    private const double DefaultTraceRatio = 0.001;

    public static void AddLogs(this WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        builder.Services.AddSerilog(log => log
            .MinimumLevel.Is(builder.Environment.IsDevelopment() ? LogEventLevel.Debug : LogEventLevel.Information)
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("System", LogEventLevel.Warning)
            .MinimumLevel.Override("Npgsql", LogEventLevel.Warning)
            .MinimumLevel.Override("Microsoft.Hosting.Lifetime", LogEventLevel.Information)
            .ReadFrom.Configuration(builder.Configuration)
            .Enrich.FromLogContext()
            .WriteTo.Console(new StruckJson()));
    }

    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        var ratio = builder.Configuration.GetValue("Telemetry:TraceRatio", DefaultTraceRatio);
        var exports = !string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("eddy-web"))
            .WithTracing(traces =>
            {
                traces.SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(ratio)))
                    .AddSource("Eddy")
                    .AddProcessor(new StruckTraces())
                    .AddAspNetCoreInstrumentation(http => http.Filter = context =>
                        !context.Request.Path.StartsWithSegments("/health") && !context.Request.Path.StartsWithSegments("/metrics"));
                if (exports)
                {
                    traces.AddOtlpExporter();
                }
            })
            .WithMetrics(metrics => metrics
                .AddMeter("Eddy*")
                .AddAspNetCoreInstrumentation()
                .AddRuntimeInstrumentation()
                .AddPrometheusExporter());
    }

    public static void MapMetrics(this IEndpointRouteBuilder app) => app.MapPrometheusScrapingEndpoint("/metrics", meterProvider: null, optionsName: null, configureBranchedPipeline: branch => branch.Use((context, next) =>
    {
        var request = context.Request;
        var isForwarded = request.Headers.ContainsKey("X-Forwarded-For") || request.Headers.ContainsKey("Forwarded");
        if (context.RequestServices.GetRequiredService<MetricsDoor>().Fault(request.Headers.Authorization.ToString(), context.Connection.RemoteIpAddress, isForwarded) is not { } fault)
        {
            return next(context);
        }

        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"metrics\"";
        return new Problem(ProblemType.ClosedMetrics, fault).ExecuteAsync(context);
    }));
}
