using Eddy.Api;
using Eddy.Tenants;

namespace Eddy.Keys;

/// <summary>
/// Stands before every endpoint: under <c>/api</c> and <c>/in</c> nothing is reached without a key that has the endpoint's scope, and an endpoint there that
/// names none is reached by nobody.
/// </summary>
public sealed class KeyGate(RequestDelegate next, KeyRing ring)
{
    private const string Scheme = "Bearer ";

    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint() is not { } endpoint || !IsGuarded(context.Request.Path))
        {
            await next(context);
            return;
        }

        var scope = endpoint.Metadata.GetMetadata<ScopeRequired>()?.Scope;
        var isInAddress = endpoint.Metadata.GetMetadata<KeyInAddress>() is not null;
        if (scope is null || (isInAddress && scope != Scope.Ingest))
        {
            // The answers of routing itself (405, 415) say nothing of anybody's data.
            await (endpoint.Metadata.Count == 0 || endpoint.DisplayName?.StartsWith("405", StringComparison.Ordinal) == true || endpoint.DisplayName?.StartsWith("415", StringComparison.Ordinal) == true
                ? next(context)
                : ApiProblem.NotFound().ExecuteAsync(context));
            return;
        }

        var secret = isInAddress ? context.Request.RouteValues["key"] as string : Bearer(context.Request);
        if (secret is null)
        {
            await ApiProblem.KeyMissing(context).ExecuteAsync(context);
            return;
        }

        if (await ring.FindAsync(secret) is not { } holder)
        {
            await ApiProblem.KeyUnknown(context).ExecuteAsync(context);
            return;
        }

        if (!holder.May(scope))
        {
            await ApiProblem.MissingScope(scope).ExecuteAsync(context);
            return;
        }

        context.Features.Set(holder);
        await next(context);
    }

    internal static bool IsGuarded(PathString path) => path.StartsWithSegments("/api") || path.StartsWithSegments("/in");

    private static string? Bearer(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : null;
    }
}
