using Eddy.Problems;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Eddy.Sites;

/// <summary>The tenants' hosts, as a branch of the pipeline that meets the platform nowhere: other endpoints, no authentication of the platform's, no antiforgery.</summary>
internal static class SitePipeline
{
    public static void AddSites(this IServiceCollection services) =>
        services.AddSingleton<SiteHosts>().AddSingleton<SiteCookie>().AddSingleton<EndedSiteCookies>().AddSingleton<SiteCodes>().AddSingleton<SiteDrafts>().AddSingleton<Visitors>().AddHostedService<SiteStart>();

    /// <param name="map">What answers on a tenant's host; nothing else does.</param>
    public static void UseSites(this WebApplication app, Action<IEndpointRouteBuilder> map)
    {
        var (hosts, options) = (app.Services.GetRequiredService<SiteHosts>(), app.Services.GetRequiredService<SiteOptions>());
        if (!hosts.AreOn)
        {
            return;
        }

        app.MapWhen(context => hosts.Has(context.Request.Host), branch =>
        {
            branch.Use((context, next) =>
            {
                SiteHeaders.Set(context, hosts);
                return next(context);
            });
            // Before anything is asked for them.
            branch.UseRateLimiter(SitePace.OfAddresses(options));
            branch.Use(async (context, next) =>
            {
                if (await hosts.FindAsync(context.Request.Host, context.RequestAborted) is not { } site)
                {
                    await NoSiteAsync(context);
                    return;
                }

                context.Features.Set(site);
                await next(context);
            });
            branch.UseRateLimiter(SitePace.OfTenants(options));
            // A branch of its own has endpoints of its own.
            branch.UseRouting();
            branch.UseEndpoints(endpoints =>
            {
                var site = endpoints.MapGroup("").ExcludeFromDescription().WithMetadata(new OnSite());
                site.MapSiteFiles();
                site.MapDrafts();
                map(site);
            });
        });
    }

    private static Task NoSiteAsync(HttpContext context)
    {
        if (context.Request.Path.StartsWithSegments("/api"))
        {
            return new Problem(ProblemType.NotFound, $"Nobody has a site at {context.Request.Host.Host}.").ExecuteAsync(context);
        }

        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return new RazorComponentResult<SiteNotice>(new Dictionary<string, object?>
        {
            [nameof(SiteNotice.Title)] = "There is no site here", [nameof(SiteNotice.Text)] = $"Nobody has a site at {context.Request.Host.Host}. Look at the address once more.",
        }).ExecuteAsync(context);
    }
}

/// <summary>Says at the start where the tenants' hosts are, or that there are none.</summary>
internal sealed class SiteStart(SiteHosts hosts, IHostApplicationLifetime lifetime, ILogger<SiteStart> log) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Only then is it known where it listens.
        lifetime.ApplicationStarted.Register(() =>
        {
            if (hosts.AreOn)
            {
                log.LogInformation("Tenants have sites at {Pattern}", hosts.OriginPattern);
            }
            else
            {
                log.LogInformation("Tenants have no sites: set Sites:Domain to give them hosts of their own");
            }
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
