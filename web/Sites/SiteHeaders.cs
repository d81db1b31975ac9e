namespace Eddy.Sites;

/// <summary>
/// What every answer of a tenant's host tells browsers. Scripts are the tenant's own, inline too; what they can reach is this host: they fetch, post and connect nowhere else. Only the platform frames it,
/// which shows drafts so.
/// </summary>
internal static class SiteHeaders
{
    public static void Set(HttpContext context, SiteHosts hosts)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        // Addresses of cards for those without an account are as good as their keys; forms still say the origin they come from.
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()";
        headers.ContentSecurityPolicy = PolicyFor(hosts);
    }

    /// <summary>What is shown as a draft has no origin: nothing that it does is done as the site, or as whoever looks at it.</summary>
    public static void SetDraft(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.ContentSecurityPolicy = context.Response.Headers.ContentSecurityPolicy + "; sandbox allow-scripts allow-forms";
    }

    private static string PolicyFor(SiteHosts hosts) =>
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; media-src 'self' https:; font-src 'self' data:; connect-src 'self'; manifest-src 'self'; "
        + $"worker-src 'self' blob:; frame-src 'self' https:; form-action 'self'; base-uri 'self'; object-src 'none'; frame-ancestors 'self' {string.Join(' ', hosts.PlatformOrigins)}";
}
