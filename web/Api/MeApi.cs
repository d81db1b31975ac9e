using Eddy.Access;
using Eddy.Keys;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>What a key may know of itself, over HTTP.</summary>
public static class MeApi
{
    public static void MapMe(this IEndpointRouteBuilder api) =>
        api.MapGet("/me", ReadAsync).WithTags("Keys").RequireAnyScope().RequirePerson(PersonKind.Anybody)
            .WithName("ReadMe").WithSummary("Ask what a key is")
            .WithDescription("Its name, the tenant that it is of, what it may be used for, and the person for whom it acts, where it acts for one.")
            .Produces<MeAnswer>().Refuses(401)
            .WithExample(null, """{"tenant":"demo","tenantName":"Demo","timeZone":"Europe/Berlin","key":"editor","scopes":["read","write"],"person":"ann@acme.test"}""");

    private static async Task<IResult> ReadAsync(HttpContext context, TenantStore tenants, CancellationToken cancel)
    {
        var holder = context.Holder();
        return Results.Ok(new MeAnswer(
            holder.Slug, await tenants.NameAsync(holder.Tenant, cancel), holder.TimeZone, holder.Name, [.. Scope.All.Where(holder.May)], holder.Who is Actor.OfMember person ? person.Address : null));
    }
}

/// <summary>What a key is.</summary>
/// <param name="Tenant">The tenant's slug.</param>
/// <param name="TimeZone">The tenant's IANA time zone.</param>
/// <param name="Key">The key's name.</param>
/// <param name="Person">For whom it acts; null where it acts for the tenant.</param>
public sealed record MeAnswer(string Tenant, string TenantName, string TimeZone, string Key, IReadOnlyList<string> Scopes, string? Person);
