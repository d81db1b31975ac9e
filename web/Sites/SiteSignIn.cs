using System.Text;
using Eddy.Identity;
using Eddy.Problems;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;

namespace Eddy.Sites;

/// <summary>How members sign in at a tenant's host, by way of the platform, and out of it; see <see cref="SiteCodes"/>.</summary>
internal static class SiteSignIn
{
    public const string WayPath = "/site-sign-in";

    private const string SecretCookie = "__Host-eddy-way";

    /// <summary>Who signs in at the platform meanwhile may have to look for a password.</summary>
    private static readonly TimeSpan WayLife = TimeSpan.FromMinutes(30);

    /// <summary>Where a page sends whom it does not know, to be back there.</summary>
    public static string PathFor(string to) => $"{Site.Ours}/sign-in?to={Uri.EscapeDataString(to)}";

    public static void MapSiteSignIn(this IEndpointRouteBuilder site)
    {
        site.MapGet(Site.Ours + "/sign-in", Begin);
        site.MapGet(Site.Ours + "/enter", EnterAsync);
        site.MapPost(Site.Ours + "/sign-out", SignOutAsync).DisableAntiforgery();
    }

    /// <summary>On the platform.</summary>
    public static void MapWayToSites(this IEndpointRouteBuilder app) => app.MapGet(WayPath, LeadAsync).ExcludeFromDescription();

    private static IResult Begin(HttpContext context, SiteHosts hosts, string? to)
    {
        var site = context.Site();
        var secret = SiteCodes.NewSecret();
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Cookies.Append(SecretCookie, $"{secret}.{WebEncoders.Base64UrlEncode(Encoding.UTF8.GetBytes(PlaceOf(to)))}", SiteCookie.Options(WayLife));
        return Results.Redirect(QueryHelpers.AddQueryString(new Uri(hosts.Platform, WayPath).ToString(), new Dictionary<string, string?>
        {
            ["site"] = site.Slug, ["host"] = hosts.OwnHostOf(site), ["state"] = SiteCodes.StateOf(secret),
        }));
    }

    private static async Task<IResult> LeadAsync(HttpContext context, SiteHosts hosts, SiteCodes codes, Seats seats, string? site, string? host, string? state, CancellationToken cancel)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (!hosts.AreOn || site is null || state is null || hosts.OriginOf(site, host) is not { } origin)
        {
            return Show(StatusCodes.Status404NotFound, new(), "This leads nowhere", "Go back to the page that you came from, and sign in from there.");
        }

        if (Seats.PersonOf(context.User) is not { } person || Sessions.Of(context.User) is not { } session)
        {
            return Results.LocalRedirect($"{IdentityParts.SignInPath}?to={Uri.EscapeDataString(context.Request.Path + context.Request.QueryString)}");
        }

        if ((await seats.PlacesAsync(person, cancel)).FirstOrDefault(one => one.Slug == site) is not { } place)
        {
            return Show(
                StatusCodes.Status403Forbidden, new() { [nameof(WayScreen.Href)] = origin.ToString(), [nameof(WayScreen.Next)] = $"Back to {origin.Authority}" }, $"You do not belong to {site}",
                $"You are signed in as {context.User.Identity?.Name}. Pages of {origin.Authority} that are for its members are not for you: ask somebody who owns it for an invitation, or sign out here and in as somebody else.");
        }

        if (await codes.MakeAsync(place.Tenant, session, state, cancel) is not { } code)
        {
            return Show(StatusCodes.Status400BadRequest, new(), "This leads nowhere", "Go back to the page that you came from, and sign in from there.");
        }

        // The form of the sign-in may have led here, and may lead to no other host; so this is a page, which goes on by itself.
        var next = new Uri(origin, $"{Site.Ours}/enter?code={code}").ToString();
        context.Response.Headers["Refresh"] = $"0; url={next}";
        return Show(StatusCodes.Status200OK, new() { [nameof(WayScreen.Href)] = next, [nameof(WayScreen.Next)] = "Go on" }, $"You go on to {place.Name}", $"As {context.User.Identity?.Name}, at {origin.Authority}.");
    }

    private static async Task<IResult> EnterAsync(HttpContext context, SiteCodes codes, SiteCookie cookie, string? code, CancellationToken cancel)
    {
        var site = context.Site();
        var way = context.Request.Cookies[SecretCookie]?.Split('.') ?? [];
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Cookies.Delete(SecretCookie, SiteCookie.Options(null));
        if (code is not null && way is [var secret, var place] && await codes.TakeAsync(site.Tenant, code, secret, cancel) is { } session)
        {
            cookie.Set(context, site.Tenant, session);
            return Results.LocalRedirect(PlaceOf(Text(place)));
        }

        return new RazorComponentResult<SiteNotice>(new Dictionary<string, object?>
        {
            [nameof(SiteNotice.Title)] = "You are not signed in", [nameof(SiteNotice.Text)] = "This link is good once, for a minute, and in the browser that asked for it. Sign in again.",
            [nameof(SiteNotice.Href)] = PathFor("/"), [nameof(SiteNotice.Next)] = "Sign in",
        }) { StatusCode = StatusCodes.Status400BadRequest };
    }

    private static async Task<IResult> SignOutAsync(HttpContext context, SiteCookie cookie, EndedSiteCookies ended, CancellationToken cancel)
    {
        if (SiteOrigin.Fault(context) is { } fault)
        {
            return new Problem(ProblemType.NotAllowed, fault);
        }

        var tenant = context.Site().Tenant;
        if (cookie.Read(context, tenant) is { } pass)
        {
            await ended.EndAsync(tenant, pass, cancel);
        }

        SiteCookie.Delete(context);
        return Results.LocalRedirect("/");
    }

    /// <summary>A page of the tenant's; what is ours leads on by itself.</summary>
    private static string PlaceOf(string? to) => Destination.Of(to, "/") is var place && new PathString(place.Split('?', '#')[0]).StartsWithSegments(Site.Ours) ? "/" : Destination.Of(to, "/");

    private static string? Text(string place)
    {
        try
        {
            return Encoding.UTF8.GetString(WebEncoders.Base64UrlDecode(place));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static RazorComponentResult<WayScreen> Show(int status, Dictionary<string, object?> more, string title, string text)
    {
        (more[nameof(WayScreen.Title)], more[nameof(WayScreen.Text)]) = (title, text);
        return new RazorComponentResult<WayScreen>(more) { StatusCode = status };
    }
}
