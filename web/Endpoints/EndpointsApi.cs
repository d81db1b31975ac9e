using System.Diagnostics;
using Eddy.Keys;
using Eddy.Problems;
using Eddy.Sandbox;
using Eddy.Sites;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Eddy.Endpoints;

/// <summary>The tenant's API scripts, at <c>/api/v1/module/function</c> of its own host, and their description.</summary>
public static class EndpointsApi
{
    /// <summary>Names the request, for whoever asks the tenant about it.</summary>
    private const string CallHeader = "Eddy-Call";

    // These are the connection's or ours, whatever a function says.
    private static readonly HashSet<string> NotTheirs = new(
        ["Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Upgrade", "Trailer", "TE", "Proxy-Connection", "Date", "Server", "X-Content-Type-Options", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", CallHeader],
        StringComparer.OrdinalIgnoreCase);

    public static void MapEndpoints(this IEndpointRouteBuilder site)
    {
        site.MapGet("/api/v1/openapi.json", DescribeAsync);
        site.Map("/api/v1/{**path}", AnswerAsync);
    }

    private static async Task<IResult> AnswerAsync(
        HttpContext context, EndpointServer server, TenantEndpoints tenants, Visitors visitors, KeyRing ring, EndpointOptions options, CancellationToken cancel)
    {
        var (site, request) = (context.Site(), context.Request);
        var path = request.Path.Value!;
        var isForeign = IsForeign(context);
        try
        {
            if (isForeign && await CorsAsync(context, tenants, path, cancel) && HttpMethods.IsOptions(request.Method) && request.Headers.AccessControlRequestMethod.Count > 0)
            {
                return Results.NoContent();
            }

            var (caller, fault) = await CallerAsync(context, visitors, ring, isForeign, cancel);
            if (fault is not null)
            {
                return fault;
            }

            if (await BodyAsync(context, options.BodyBytes, cancel) is not { } body)
            {
                return new Problem(ProblemType.BodyTooLarge, $"An API script takes {options.BodyBytes:N0} bytes at the most.");
            }

            var asked = new EndpointRequest(
                request.Method, site.Origin.GetLeftPart(UriPartial.Authority), path, request.QueryString.HasValue ? request.QueryString.Value![1..] : "",
                context.Connection.RemoteIpAddress?.ToString() ?? "", Headers(request), body, caller);
            return await server.AnswerAsync(site.Tenant, site.Zone.Id, path, asked, Activity.Current?.Id, cancel) switch
            {
                EndpointReply.Answer answer => new Reply(answer.Id, answer.Answered),
                EndpointReply.Failed failed => With(context, failed.Id, new Problem(ProblemType.ScriptFailed, $"Nothing of it is in force. Whose script it is finds what went wrong under {failed.Id}.")),
                EndpointReply.Late late => With(context, late.Id, new Problem(ProblemType.ScriptLate, $"It goes on under {late.Id}, and what it comes to is still applied.")),
                EndpointReply.Busy => new Problem(ProblemType.TooManyRequests, "More requests of this site are under way than may be.", retryAfter: TimeSpan.FromSeconds(1)),
                _ => new Problem(ProblemType.NotFound, $"There is no function at {path}: one in api/billing.py called paid answers at /api/v1/billing/paid."),
            };
        }
        catch (SandboxUnavailable)
        {
            return new Problem(ProblemType.Unavailable, "No API script can run just now.", retryAfter: TimeSpan.FromSeconds(2));
        }
    }

    private static async Task<IResult> DescribeAsync(HttpContext context, TenantEndpoints tenants, Visitors visitors, KeyRing ring, CancellationToken cancel)
    {
        var site = context.Site();
        var (caller, fault) = await CallerAsync(context, visitors, ring, IsForeign(context), cancel);
        if (fault is not null)
        {
            return fault;
        }

        try
        {
            var snapshot = await tenants.SnapshotAsync(site.Tenant, site.Zone.Id, cancel);
            // What is not for everybody is not told to everybody.
            var shown = snapshot.Endpoints.Where(one => one.IsOpen || caller.User is not null || caller.Scopes.Contains("read"));
            return Results.Text(EndpointDescription.Of(site.Name, site.Origin, shown), "application/json");
        }
        catch (SandboxUnavailable)
        {
            return new Problem(ProblemType.Unavailable, "The site's API can not be described just now.", retryAfter: TimeSpan.FromSeconds(2));
        }
    }

    private static Problem With(HttpContext context, Guid id, Problem problem)
    {
        context.Response.Headers[CallHeader] = id.ToString();
        return problem;
    }

    /// <summary>A page of another origin asks, by a browser's word.</summary>
    private static bool IsForeign(HttpContext context) =>
        context.Request.Headers.Origin is [{ } origin] && !string.Equals(origin, context.Site().Origin.GetLeftPart(UriPartial.Authority), StringComparison.OrdinalIgnoreCase);

    /// <summary>Lets pages of the origins read the answer that the function names; false where it names others.</summary>
    private static async Task<bool> CorsAsync(HttpContext context, TenantEndpoints tenants, string path, CancellationToken cancel)
    {
        var site = context.Site();
        var origin = context.Request.Headers.Origin.ToString();
        var headers = context.Response.Headers;
        headers.Append("Vary", "Origin");
        if ((await tenants.SnapshotAsync(site.Tenant, site.Zone.Id, cancel)).Find(path) is not { } endpoint || !endpoint.Origins.Any(one => one == "*" || string.Equals(one, origin, StringComparison.OrdinalIgnoreCase)))
        {
            return false;
        }

        headers.AccessControlAllowOrigin = endpoint.Origins.Contains("*") ? "*" : origin;
        headers.AccessControlExposeHeaders = CallHeader;
        if (context.Request.Headers.AccessControlRequestMethod.Count > 0)
        {
            headers.AccessControlAllowMethods = "GET, HEAD, POST, PUT, PATCH, DELETE";
            headers.AccessControlAllowHeaders = context.Request.Headers.AccessControlRequestHeaders;
            headers.AccessControlMaxAge = "600";
        }

        return true;
    }

    private static async Task<(EndpointCaller Caller, Problem? Fault)> CallerAsync(HttpContext context, Visitors visitors, KeyRing ring, bool isForeign, CancellationToken cancel)
    {
        var (site, request) = (context.Site(), context.Request);
        var (key, scopes) = ((string?)null, (IReadOnlyList<string>)[]);
        if (KeyIn(request) is { } secret)
        {
            if (await ring.FindAsync(secret) is not { } holder || holder.Tenant != site.Tenant)
            {
                return (EndpointCaller.Anybody, new Problem(ProblemType.UnknownKey, "There is no such key of this tenant, or it is revoked."));
            }

            (key, scopes) = (holder.Name, holder.Scopes);
        }

        if (request.Headers.Cookie.Count == 0)
        {
            return (new EndpointCaller(null, [], key, scopes), null);
        }

        var visitor = await visitors.OfAsync(context, cancel);
        if (visitor.Address is null)
        {
            return (new EndpointCaller(null, [], key, scopes), null);
        }

        var changes = !(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method));
        if (isForeign || changes && SiteOrigin.Fault(context) is not null)
        {
            // Whatever page sent it, it did not come from this host: the member has not asked for it.
            return changes
                ? (EndpointCaller.Anybody, new Problem(ProblemType.NotAllowed, SiteOrigin.Fault(context)))
                : (new EndpointCaller(null, [], key, scopes), null);
        }

        return (new EndpointCaller(visitor.Address, visitor.Access.Groups, key, scopes), null);
    }

    /// <summary>A key of the platform's; other words behind Bearer are the tenant's own affair.</summary>
    private static string? KeyIn(HttpRequest request) => KeyGate.Bearer(request) is { } secret && secret.StartsWith("eddy_", StringComparison.OrdinalIgnoreCase) ? secret : null;

    /// <summary>All of them but what proves to the platform who somebody is.</summary>
    private static List<KeyValuePair<string, string>> Headers(HttpRequest request)
    {
        var headers = new List<KeyValuePair<string, string>>();
        foreach (var (name, values) in request.Headers)
        {
            if (name.Equals("Authorization", StringComparison.OrdinalIgnoreCase) && KeyIn(request) is not null)
            {
                continue;
            }

            foreach (var value in values)
            {
                var told = name.Equals("Cookie", StringComparison.OrdinalIgnoreCase) ? OwnCookies(value ?? "") : value;
                if (!string.IsNullOrEmpty(told))
                {
                    headers.Add(new(name, told));
                }
            }
        }

        return headers;
    }

    private static string OwnCookies(string cookies) =>
        string.Join("; ", cookies.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(cookie => !IsOurs(cookie)));

    private static bool IsOurs(string cookie) => cookie.StartsWith("__Host-eddy", StringComparison.OrdinalIgnoreCase);

    private static async Task<byte[]?> BodyAsync(HttpContext context, int most, CancellationToken cancel)
    {
        if (context.Request.ContentLength > most)
        {
            return null;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = most;
        }

        try
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, cancel);
            return body.ToArray();
        }
        catch (BadHttpRequestException tooLarge) when (tooLarge.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return null;
        }
    }

    /// <summary>What the function answers, but what is not its own to say.</summary>
    private sealed class Reply(Guid id, Answered answer) : IResult
    {
        public async Task ExecuteAsync(HttpContext context)
        {
            var response = context.Response;
            response.StatusCode = answer.Status;
            foreach (var header in answer.Headers.GroupBy(header => header.Key, StringComparer.OrdinalIgnoreCase).Where(header => !NotTheirs.Contains(header.Key)))
            {
                var values = header.Select(one => one.Value);
                response.Headers[header.Key] = header.Key.Equals("Set-Cookie", StringComparison.OrdinalIgnoreCase)
                    ? new StringValues([.. values.Where(cookie => !IsOurs(cookie.TrimStart())).Select(WithoutDomain)])
                    : new StringValues([.. values]);
            }

            response.Headers[CallHeader] = id.ToString();
            if (answer.Body.Length > 0 && !HttpMethods.IsHead(context.Request.Method) && answer.Status is not (204 or 205 or 304))
            {
                response.ContentLength = answer.Body.Length;
                await response.Body.WriteAsync(answer.Body, context.RequestAborted);
            }
        }

        /// <summary>A cookie for the domain above would be one of other tenants' hosts too.</summary>
        private static string WithoutDomain(string cookie) =>
            string.Join("; ", cookie.Split(';', StringSplitOptions.TrimEntries).Where(part => !part.StartsWith("Domain", StringComparison.OrdinalIgnoreCase)));
    }
}
