using Eddy.Sites;

namespace Eddy;

/// <summary>What every answer tells browsers: nothing is fetched from elsewhere, framed, sniffed or referred. Tenants' hosts alone are framed by it: drafts of their pages are shown so.</summary>
internal static class SecurityHeaders
{
    // The editor and lists that show a part of many rows place what they draw by styles; scripts are files of this host alone.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; form-action 'self'; base-uri 'self'; frame-ancestors 'none'";

    // The API's page is a program that styles itself.
    private const string ApiDocsPolicy =
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private const string DataPolicy = "default-src 'none'; frame-ancestors 'none'";

    public static void UseSecurityHeaders(this IApplicationBuilder app)
    {
        var hosts = app.ApplicationServices.GetRequiredService<SiteHosts>();
        // The port is known once it listens; a try before that is not the last.
        var policy = new Lazy<string>(() => hosts.AreOn ? $"{Policy}; frame-src {hosts.OriginPattern}" : Policy, LazyThreadSafetyMode.PublicationOnly);
        app.Use((context, next) =>
        {
            var headers = context.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            if (context.Request.Path.StartsWithSegments("/in"))
            {
                // Data and no document: there is nothing in it that the rest could speak of.
                headers.ContentSecurityPolicy = DataPolicy;
                return next(context);
            }

            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments("/docs/api") ? ApiDocsPolicy : policy.Value;
            return next(context);
        });
    }
}
