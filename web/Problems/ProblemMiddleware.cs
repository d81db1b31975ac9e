using Eddy.Keys;
using Npgsql;

namespace Eddy.Problems;

/// <summary>Sees to it that whoever calls <c>/api</c> or <c>/in</c> is answered with a problem, whatever goes wrong, and nobody with a stack trace.</summary>
public sealed class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (Exception fault)
        {
            var problem = ProblemOf(fault);
            if (problem.StatusCode >= 500)
            {
                log.LogError(fault, "A request failed");
            }

            if (context.Response.HasStarted)
            {
                context.Abort();
                return;
            }

            context.Response.Clear();
            await problem.ExecuteAsync(context);
            return;
        }

        if (!context.Response.HasStarted && context.Response is { StatusCode: >= 400, ContentLength: null or 0, ContentType: null } && KeyGate.IsGuarded(context.Request.Path))
        {
            await new Problem(TypeOf(context.Response.StatusCode)).ExecuteAsync(context);
        }
    }

    private static Problem ProblemOf(Exception fault) => fault switch
    {
        BadHttpRequestException { StatusCode: 413 } => new Problem(ProblemType.BodyTooLarge),
        // The framework's own words name types of ours.
        BadHttpRequestException => new Problem(ProblemType.InvalidRequest, "A parameter is not of the form that it takes, or the request was cut off."),
        _ when IsDatabaseGone(fault) => new Problem(ProblemType.Unavailable, "The database does not answer.", retryAfter: TimeSpan.FromSeconds(1)),
        _ => new Problem(ProblemType.Failed, "It is written down. The trace id finds it."),
    };

    private static bool IsDatabaseGone(Exception fault) => fault switch
    {
        PostgresException postgres => postgres.IsTransient
            || postgres.SqlState is PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow,
        NpgsqlException { InnerException: { } inner } => inner is IOException or TimeoutException or System.Net.Sockets.SocketException || IsDatabaseGone(inner),
        NpgsqlException npgsql => npgsql.IsTransient,
        // The store of what people edit wraps what its driver threw.
        InvalidOperationException or Microsoft.EntityFrameworkCore.DbUpdateException => fault.InnerException is { } inner && IsDatabaseGone(inner),
        _ => false,
    };

    private static ProblemType TypeOf(int status) =>
        ProblemType.All.FirstOrDefault(type => type.Status == status && type != ProblemType.UnknownProcess && type != ProblemType.UnsupportedCharset && type != ProblemType.UnsupportedCoding && type != ProblemType.UnsupportedPart
            && (status != 400 || type == ProblemType.InvalidRequest) && (status != 422 || type == ProblemType.Refused) && (status != 413 || type == ProblemType.BodyTooLarge))
        ?? (status >= 500 ? ProblemType.Failed : ProblemType.InvalidRequest);
}

internal static class ProblemMiddlewareExtensions
{
    public static void UseProblems(this IApplicationBuilder app) => app.UseMiddleware<ProblemMiddleware>();
}
