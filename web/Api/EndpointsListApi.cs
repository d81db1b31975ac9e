using Eddy.Endpoints;
using Eddy.Keys;
using Eddy.Problems;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>The tenant's API scripts and the requests that they have answered, over the platform's own API.</summary>
public static class EndpointsListApi
{
    private const int MostListed = 500;

    public static void MapEndpointsList(this IEndpointRouteBuilder api)
    {
        api.MapGet("/endpoints", EndpointsAsync).RequireScope(Scope.Read)
            .WithTags("API scripts").WithName("ListEndpoints").WithSummary("List API scripts")
            .WithDescription("The functions under api/ that answer on the tenant's host, who may call each, and how often each was called.")
            .Produces<EndpointListAnswer>().Refuses(401, 403, 503)
            .WithExample(null, """{"endpoints":[{"path":"/api/v1/billing/paid","file":"api/billing.py","line":3,"documentation":"Notes a payment.","open":true,"access":"","origins":[],"calls":12,"failed":0,"lastAt":"2026-11-23T10:00:00+00:00"}]}""");
        api.MapGet("/calls", CallsAsync).RequireScope(Scope.Read)
            .WithTags("API scripts").WithName("ListCalls").WithSummary("List requests of API scripts")
            .WithDescription("Newest first: each that failed, changed something or told somebody something, and of the others so many a second that the list stays readable. 'endpoint=' keeps those of one function, as in api/billing.py:paid; 'failed=true' those that failed; 'before=' those before the one of this id. The list goes on as long as there is a 'next'.")
            .Produces<CallListAnswer>().Refuses(400, 401, 403)
            .WithExample(null, """{"calls":[{"id":"019ab0c2-7e3c-7000-8000-000000000001","at":"2026-11-23T10:00:00+00:00","endpoint":"api/billing.py:paid","method":"POST","path":"/api/v1/billing/paid","status":200,"actor":"anybody","changed":true,"conflicts":0,"treeVersion":4,"milliseconds":1.2,"cpuMilliseconds":0.9,"bytesIn":17,"bytesOut":2,"log":null,"error":null,"calls":null}],"next":null}""");
    }

    private static async Task<IResult> EndpointsAsync(HttpContext context, TenantEndpoints tenants, EndpointStore store, CancellationToken cancel)
    {
        var holder = context.Holder();
        try
        {
            var snapshot = await tenants.SnapshotAsync(holder.Tenant, holder.TimeZone, cancel);
            var totals = await store.TotalsAsync(holder.Tenant, cancel);
            return Results.Ok(new EndpointListAnswer([.. snapshot.Endpoints.Select(one => EndpointAnswer.Of(one, totals.GetValueOrDefault(one.Id)))]));
        }
        catch (SandboxUnavailable)
        {
            return new Problem(ProblemType.Unavailable, "The functions can not be listed just now.", retryAfter: TimeSpan.FromSeconds(2));
        }
    }

    private static async Task<IResult> CallsAsync(HttpContext context, EndpointStore store, CancellationToken cancel, string? endpoint = null, bool failed = false, Guid? before = null, int limit = 100)
    {
        if (Limit.Fault(limit, MostListed) is { } fault)
        {
            return fault;
        }

        if (endpoint?.Contains('\0') == true)
        {
            return new Problem(ProblemType.InvalidRequest, "'endpoint' has a NUL in it.");
        }

        var requests = await store.ListAsync(context.Holder().Tenant, endpoint, failed, before, limit, cancel);
        return Results.Ok(new CallListAnswer([.. requests.Select(CallAnswer.Of)], requests.Count == limit ? requests[^1].Id : null));
    }
}

/// <summary>API scripts.</summary>
public sealed record EndpointListAnswer(IReadOnlyList<EndpointAnswer> Endpoints);

/// <summary>A function that answers requests.</summary>
/// <param name="Open">Anybody may call it.</param>
/// <param name="Access">Who may, where not anybody: members, key:SCOPE, group:NAMES.</param>
public sealed record EndpointAnswer(
    string Path, string File, int Line, string Documentation, bool Open, string Access, IReadOnlyList<string> Origins, long Calls, long Failed, DateTimeOffset? LastAt)
{
    internal static EndpointAnswer Of(EndpointInfo one, RequestTotal? total) =>
        new(one.Path, one.File, one.Line, one.Documentation, one.IsOpen, one.Access, one.Origins, total?.Calls ?? 0, total?.Failed ?? 0, total?.LastAt);
}

/// <summary>Requests of API scripts.</summary>
/// <param name="Next">What 'before' takes for the next of them; null where these are the last.</param>
public sealed record CallListAnswer(IReadOnlyList<CallAnswer> Calls, Guid? Next);

/// <summary>A request that an API script has answered.</summary>
/// <param name="Id">As its caller was told, in Eddy-Call. Where it changed something, that of the arrival whose run it is.</param>
public sealed record CallAnswer(
    Guid Id, DateTimeOffset At, string Endpoint, string Method, string Path, int Status, string Actor, bool Changed, int Conflicts, long TreeVersion, double Milliseconds, double CpuMilliseconds,
    int BytesIn, int BytesOut, string? Log, RawJson? Error, RawJson? Calls)
{
    internal static CallAnswer Of(RecordedRequest one) => new(
        one.Id, one.At, one.Endpoint, one.Method, one.Path, one.Status, one.Actor, one.Landed, one.Conflicts, one.Tree, one.Elapsed.TotalMilliseconds, one.Cpu.TotalMilliseconds, one.BytesIn, one.BytesOut,
        one.Log, RawJson.OrNull(one.Error), RawJson.OrNull(one.Calls));
}
