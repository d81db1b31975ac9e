using Eddy.Health;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Eddy.Home;

/// <summary>The page at <c>/</c>.</summary>
internal static class HomePage
{
    public static void MapHome(this IEndpointRouteBuilder app) => app.MapGet("/", ShowAsync).ExcludeFromDescription();

    private static async Task<RazorComponentResult> ShowAsync(
        HttpContext context, Readiness readiness, IHostEnvironment environment, TimeProvider time, CancellationToken cancel)
    {
        context.Response.Headers.CacheControl = "no-store";
        return new RazorComponentResult<HomeScreen>(new Dictionary<string, object?>
        {
            [nameof(HomeScreen.Ready)] = await readiness.LookAsync(cancel),
            [nameof(HomeScreen.Url)] = $"{context.Request.Scheme}://{context.Request.Host}",
            [nameof(HomeScreen.IsDevelopment)] = environment.IsDevelopment(),
            [nameof(HomeScreen.Now)] = time.GetUtcNow(),
        });
    }
}
