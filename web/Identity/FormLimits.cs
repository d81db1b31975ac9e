using System.Threading.RateLimiting;

namespace Eddy.Identity;

/// <summary>How often one address of the network may send the forms with which people sign up and in. Addresses and passwords are tried by machines.</summary>
internal static class FormLimits
{
    private static readonly string[] Guarded = ["/sign-in", "/sign-up", "/reset", "/invitation", "/account", "/new-tenant", "/passkeys"];

    public static void AddFormLimits(this IServiceCollection services, PeopleOptions options) =>
        services.AddRateLimiter(limiter =>
        {
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
                HttpMethods.IsPost(context.Request.Method) && Guarded.Any(path => context.Request.Path.StartsWithSegments(path))
                    ? RateLimitPartition.GetSlidingWindowLimiter(context.Connection.RemoteIpAddress?.ToString() ?? "", _ => new SlidingWindowRateLimiterOptions
                    {
                        PermitLimit = options.FormsPerMinute, Window = TimeSpan.FromMinutes(1), SegmentsPerWindow = 6, QueueLimit = 0,
                    })
                    : RateLimitPartition.GetNoLimiter(""));
            limiter.OnRejected = async (rejected, cancel) =>
            {
                var response = rejected.HttpContext.Response;
                response.StatusCode = StatusCodes.Status429TooManyRequests;
                response.Headers.RetryAfter = "60";
                response.ContentType = "text/plain; charset=utf-8";
                await response.WriteAsync("There were too many tries from your network. Wait a minute, then go back and try again.", cancel);
            };
        });
}
