using Eddy.Api;
using Eddy.Ingest;
using Eddy.Keys;
using Eddy.Problems;
using Eddy.Processes;
using Eddy.Sites;

namespace Eddy.Pages;

/// <summary>Where a page's own script sets KVPs (<c>eddy.set</c>): as the visitor, who may what the tenant's entries let them.</summary>
internal static class ClientApi
{
    private const string Source = "page";

    private const int MostBytes = 256 * 1024;

    private static readonly IngestLimits Limits = new() { KvpsPerProcess = 100, Elements = 1 };

    /// <summary>So long the change is waited for, so that whoever asks afterwards sees it.</summary>
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(5);

    public static void MapClientApi(this IEndpointRouteBuilder site) => site.MapPost(Site.Ours + "/kvps", SetAsync).DisableAntiforgery();

    private static async Task<IResult> SetAsync(HttpContext context, Visitors visitors, ProcessStore processes, Door door, CancellationToken cancel)
    {
        if (SiteOrigin.Fault(context) is { } elsewhere)
        {
            return new Problem(ProblemType.NotAllowed, elsewhere);
        }

        if (await RequestBody.ReadAsync(context.Request, MostBytes, cancel) is not { } body)
        {
            return new Problem(ProblemType.BodyTooLarge, $"eddy.set takes {MostBytes / 1024} KiB at the most.");
        }

        switch (JsonBody.Parse(body, Limits))
        {
            case BodyRefused refused:
                return refused.ToProblem();
            case BodySets { IsList: false, Sets: [var changes] }:
                var visitor = await visitors.OfAsync(context, cancel);
                var asked = context.Request.Query["pid"].ToString();
                long? pid = asked switch { "" => null, "0" => 0, _ => PageSite.PidOf(asked) ?? -1 };
                if (pid < 0)
                {
                    return new Problem(ProblemType.InvalidRequest, "pid is the number of a process, or 0 for the shared KVPs.");
                }

                if (await visitor.Access.SetFaultAsync(visitor.Site.Tenant, pid, [changes], isList: false, processes, cancel) is { } denied)
                {
                    return denied;
                }

                var answer = await door.AcceptAsync([new NewArrival(visitor.Site.Tenant, pid, changes, visitor.Access.Actor.Name, Source, null)], null, WaitFor.Applied, Wait, cancel);
                return answer is DoorAnswer.Accepted { Arrivals: [var one] } ? Results.Ok(new SetAnswer(one.Arrival, one.Pid)) : IngestApi.ProblemOf(answer);
            default:
                return new Problem(ProblemType.WrongShape, "eddy.set takes one object of keys and values.");
        }
    }

    private sealed record SetAnswer(Guid Arrival, long Pid);
}
