using System.Text;
using Eddy.Access;
using Eddy.Problems;
using Eddy.Tenants;

namespace Eddy.Keys;

/// <summary>
/// Stands before every endpoint: under <c>/api</c>, <c>/in</c> and <c>/git</c> nothing is reached without a key that has the endpoint's scope, and an endpoint there that
/// names none is reached by nobody. By a key that acts for a person, nothing is reached but what that person may. Who is let in is at the endpoint: sessions, cookies and the
/// tokens of forms say nothing there, and asking for them took a fifth of the door's time.
/// </summary>
public sealed class KeyGate(RequestDelegate next, KeyRing ring, AccessStore accesses)
{
    private const string Scheme = "Bearer ";
    private const string BasicScheme = "Basic ";

    public async Task InvokeAsync(HttpContext context)
    {
        // Routing's own answers (405, 415) have no pattern and say nothing of anybody's data.
        if (context.GetEndpoint() is not RouteEndpoint endpoint || !IsGuarded(context.Request.Path))
        {
            await next(context);
            return;
        }

        var isInAddress = endpoint.Metadata.GetMetadata<KeyInAddress>() is not null;
        if (endpoint.Metadata.GetMetadata<ScopeRequired>() is not { Scope: var scope } || (isInAddress && scope != Scope.Ingest))
        {
            await RefuseAsync(context, new Problem(ProblemType.NotFound));
            return;
        }

        var isGit = endpoint.Metadata.GetMetadata<KeyInPassword>() is not null;
        var secret = isInAddress ? context.Request.RouteValues["key"] as string : Bearer(context.Request) ?? (isGit ? Password(context.Request) : null);
        if (secret is null)
        {
            await RefuseAsync(context, new Problem(ProblemType.UnknownKey, isGit ? "There is no key: it is the password, beside any user name." : "There is no key: send it as 'Authorization: Bearer eddy_…'."));
            return;
        }

        if (await ring.FindAsync(secret) is not { } holder)
        {
            await RefuseAsync(context, new Problem(ProblemType.UnknownKey, "There is no such key, or it is revoked."));
            return;
        }

        if (scope is not null && !holder.May(scope))
        {
            await RefuseAsync(context, new Problem(ProblemType.MissingScope, $"The key '{holder.Name}' lacks the scope '{scope}'."));
            return;
        }

        var access = holder.Unbound ?? await accesses.OfAsync(holder.Tenant, holder.Who, context.RequestAborted);
        if (PersonFault(endpoint, access) is { } fault)
        {
            await RefuseAsync(context, new Problem(ProblemType.NotAllowed, fault));
            return;
        }

        context.Features.Set(holder);
        context.Features.Set(access);
        await endpoint.RequestDelegate!(context);
    }

    private static string? PersonFault(Endpoint endpoint, ActorAccess access) =>
        access.MayAll ? null : (endpoint.Metadata.GetMetadata<PersonRequired>()?.Kind ?? PersonKind.Editor) switch
        {
            PersonKind.Admin => $"{access.Actor.Name} may not do this: it takes an owner of the tenant or one of admins.",
            PersonKind.Editor when !access.MayChangeRules => $"{access.Actor.Name} may not do this: it takes an owner or an editor of the tenant, or one of admins.",
            _ => null,
        };

    internal static bool IsGuarded(PathString path) => path.StartsWithSegments("/api") || path.StartsWithSegments("/in") || path.StartsWithSegments("/git");

    private static Task RefuseAsync(HttpContext context, Problem problem)
    {
        var isGit = context.GetEndpoint()?.Metadata.GetMetadata<KeyInPassword>() is not null;
        if (problem.StatusCode == StatusCodes.Status401Unauthorized)
        {
            context.Response.Headers.WWWAuthenticate = isGit ? "Basic realm=\"eddy\", charset=\"UTF-8\"" : "Bearer realm=\"eddy\"";
        }

        return isGit && Bearer(context.Request) is null ? new PlainProblem(problem.StatusCode ?? 500, problem.Detail ?? problem.Type.Title).ExecuteAsync(context) : problem.ExecuteAsync(context);
    }

    /// <summary>The password of HTTP Basic, whatever name comes with it.</summary>
    private static string? Password(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        var text = new byte[Math.Max(0, header.Length)];
        return header.StartsWith(BasicScheme, StringComparison.OrdinalIgnoreCase) && Convert.TryFromBase64String(header[BasicScheme.Length..].Trim(), text, out var length)
            && Encoding.UTF8.GetString(text, 0, length) is var both && both.IndexOf(':', StringComparison.Ordinal) is var colon and >= 0 ? both[(colon + 1)..] : null;
    }

    internal static string? Bearer(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : null;
    }
}
