using System.Globalization;
using System.Text.Json.Serialization;
using Eddy.Events;
using Eddy.Keys;
using Eddy.Problems;
using Eddy.Processes;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>The tenant's log over HTTP.</summary>
public static class EventsApi
{
    private const int MostListed = 1000;

    public static void MapEvents(this IEndpointRouteBuilder api) =>
        api.MapGet("/events", ListAsync).WithTags("Events").RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("ListEvents").WithSummary("Read the log")
            .WithDescription(
                "The events after a position, in their order, which is that of time. Keep 'last' and ask with 'after=' for what came since: positions have no gaps, so nothing is missed and nothing comes twice. Events whose keys who asks may not read are counted in 'leftOut' instead.")
            .Produces<EventListAnswer>().Refuses(400, 401, 403)
            .WithExample(null, """{"events":[{"position":3,"at":"2026-11-23T10:00:00+00:00","pid":15,"key":"alert","value":"Too hot","actor":"key:sensors","source":"rule","cause":1,"changeSet":3,"arrival":"01a20941-f9f0-7989-ad4f-5e4983f1f43b"}],"last":3}""");

    private static async Task<IResult> ListAsync(HttpContext context, EventStore store, ProcessStore processes, CancellationToken cancel, long after = 0, int limit = 100)
    {
        if (Limit.Fault(limit, MostListed) is { } fault)
        {
            return fault;
        }

        if (after < 0)
        {
            return new Problem(ProblemType.InvalidRequest, "'after' is a position: 0 or more.");
        }

        var (events, more) = await store.ReadAfterAsync(context.Holder().Tenant, after, limit, cancel);
        var last = events.Count > 0 ? events[^1].Position : after;
        if (more)
        {
            Cursor.LinkNext(context, "after", last.ToString(CultureInfo.InvariantCulture));
        }

        var readable = await context.Access().ReadableAsync(context.Holder().Tenant, events, processes, cancel);
        return Results.Ok(new EventListAnswer([.. readable.Select(EventAnswer.Of)], last) { LeftOut = events.Count - readable.Count });
    }
}

/// <summary>A change of one KVP.</summary>
/// <param name="Position">Its place in the tenant's log.</param>
/// <param name="Pid">The process; 0 for the shared KVPs.</param>
/// <param name="Value">What it became; not there where it was removed.</param>
/// <param name="Deleted">true where it was removed, else not there.</param>
/// <param name="Previous">What it was before; not there where it was not.</param>
/// <param name="Actor">On whose behalf, as in key:sensors or ann@acme.test.</param>
/// <param name="Source">The door by which it came, or 'rule'.</param>
/// <param name="Cause">The run that made it; not there for what came from outside.</param>
/// <param name="ChangeSet">The first position of the changes that became visible together.</param>
/// <param name="Arrival">The arrival from which it all followed.</param>
public sealed record EventAnswer(
    long Position,
    DateTimeOffset At,
    long Pid,
    string Key,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RawJson? Value,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Deleted,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RawJson? Previous,
    string Actor,
    string Source,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Cause,
    long ChangeSet,
    Guid Arrival)
{
    internal static EventAnswer Of(StoredEvent stored) => new(
        stored.Position, stored.At, stored.Pid, stored.Key, RawJson.OrNull(stored.Value), stored.Value is null, RawJson.OrNull(stored.Previous),
        stored.Actor, stored.Source, stored.Cause, stored.ChangeSet, stored.Arrival);
}

/// <summary>A part of the log.</summary>
/// <param name="Last">The position to go on after.</param>
public sealed record EventListAnswer(IReadOnlyList<EventAnswer> Events, long Last)
{
    /// <summary>How many events before 'last' are not shown, because who asks may not read their keys; not there where none is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int LeftOut { get; init; }
}
