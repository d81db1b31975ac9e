using System.Text.Json.Serialization;
using Eddy.Access;
using Eddy.Hindsight;
using Eddy.Ingest;
using Eddy.Keys;
using Eddy.Kvps;
using Eddy.Problems;
using Eddy.Processes;
using Eddy.Tenants;
using Microsoft.AspNetCore.Http.Features;

namespace Eddy.Api;

/// <summary>Processes and the shared bag over HTTP.</summary>
public static class ProcessesApi
{
    private const string KeyFilter = "key.";
    private const int MostListed = 200;
    private const int MostFilters = 5;

    /// <summary>How long a change is waited for before the answer is 202.</summary>
    private static readonly TimeSpan AppliedWithin = TimeSpan.FromSeconds(10);

    public static void MapProcesses(this IEndpointRouteBuilder api)
    {
        var processes = api.MapGroup("/processes").WithTags("Processes");
        processes.MapGet("/", ListAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("ListProcesses").WithSummary("List processes")
            .WithDescription(
                "Newest first, or by rising number with 'order=oldest'. 'kind=' keeps one kind, 'parent=15' those below process 15; 'key.NAME=VALUE' keeps those whose KVP NAME is VALUE: the text itself, or what is printed of a number, "
                + "boolean or date. A page may be shorter than 'limit'; the list goes on as long as there is a 'next', which is also in the Link header.")
            .Produces<ProcessListAnswer>().Refuses(400, 401, 403);
        processes.MapGet("/{pid:long:min(1)}", ReadAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("ReadProcess").WithSummary("Read a process")
            .WithDescription(
                "Its KVPs as they are in force. What was accepted and waits to be applied is not there yet. 'at=88190' shows it as it was right after the event of that position, 'at=2026-11-23T10:00:00Z' as it was at that moment; "
                + "'past' then says who had set each KVP, by which rule and run.")
            .Produces<ProcessAnswer>().Refuses(400, 401, 403, 404)
            .WithExample(null, """{"pid":15,"kind":null,"createdAt":"2026-11-23T10:00:00+00:00","kvps":{"alert":"Too hot","room":"attic","temperature":95}}""");
        processes.MapPut("/{pid:long:min(1)}/{key}", (HttpContext context, long pid, string key, Door door, ProcessStore processes, DoorOptions limits, CancellationToken cancel) => SetAsync(context, pid, door, processes, limits, cancel))
            .RequireScope(Scope.Write).RequirePerson(PersonKind.Anybody)
            .WithName("SetKvp").WithSummary("Set a KVP")
            .WithDescription("The body is the value as JSON. Answered when it is applied; with 202 where that takes longer than 10 s. It is an event, also where the value was the same before.")
            .Accepts<object>("application/json")
            .Produces<KvpAnswer>().Produces<KvpAcceptedAnswer>(202).Refuses(400, 401, 403, 404, 413, 415, 422, 429, 503)
            .WithExample("72", """{"pid":15,"key":"temperature","value":72}""");
        processes.MapDelete("/{pid:long:min(1)}/{key}", (HttpContext context, long pid, string key, Door door, ProcessStore processes, CancellationToken cancel) => RemoveAsync(context, pid, door, processes, cancel))
            .RequireScope(Scope.Write).RequirePerson(PersonKind.Anybody)
            .WithName("RemoveKvp").WithSummary("Remove a KVP")
            .WithDescription("Answered when it is applied; with 202 where that takes longer than 10 s.")
            .Produces(204).Produces<KvpAcceptedAnswer>(202).Refuses(400, 401, 403, 404, 422, 429, 503);

        var shared = api.MapGroup("/shared").WithTags("Shared KVPs");
        shared.MapGet("/", ReadSharedAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("ReadShared").WithSummary("Read the shared KVPs")
            .WithDescription("As they are in force, or with 'at=', a position or a moment, as they were.")
            .Produces<SharedAnswer>().Refuses(400, 401, 403, 404);
        shared.MapPut("/{key}", (HttpContext context, string key, Door door, ProcessStore processes, DoorOptions limits, CancellationToken cancel) => SetAsync(context, 0, door, processes, limits, cancel))
            .RequireScope(Scope.Write).RequirePerson(PersonKind.Anybody)
            .WithName("SetShared").WithSummary("Set a shared KVP")
            .WithDescription("The body is the value as JSON. Answered when it is applied; with 202 where that takes longer than 10 s.")
            .Accepts<object>("application/json")
            .Produces<KvpAnswer>().Produces<KvpAcceptedAnswer>(202).Refuses(400, 401, 403, 413, 415, 422, 429, 503)
            .WithExample("90", """{"pid":0,"key":"limit","value":90}""");
        shared.MapDelete("/{key}", (HttpContext context, string key, Door door, ProcessStore processes, CancellationToken cancel) => RemoveAsync(context, 0, door, processes, cancel))
            .RequireScope(Scope.Write).RequirePerson(PersonKind.Anybody)
            .WithName("RemoveShared").WithSummary("Remove a shared KVP")
            .Produces(204).Produces<KvpAcceptedAnswer>(202).Refuses(400, 401, 403, 422, 429, 503);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, ProcessStore processes, CancellationToken cancel, string? kind = null, long? parent = null, string order = "newest", int limit = 50, string? cursor = null)
    {
        long? beyond = null;
        if (Limit.Fault(limit, MostListed) is { } fault)
        {
            return fault;
        }

        if (order is not ("newest" or "oldest"))
        {
            return new Problem(ProblemType.InvalidRequest, "'order' is newest or oldest.");
        }

        if (cursor is not null)
        {
            if (!Cursor.TryRead(cursor, out var last))
            {
                return Cursor.Fault(cursor);
            }

            beyond = last;
        }

        var keys = context.Request.Query.Where(pair => pair.Key.StartsWith(KeyFilter, StringComparison.Ordinal))
            .SelectMany(pair => pair.Value, (pair, value) => KeyValuePair.Create(pair.Key[KeyFilter.Length..], value ?? "")).ToList();
        if (keys.Count > MostFilters || keys.Any(pair => KvpKey.Fault(pair.Key) is not null || pair.Value.Contains('\0') || pair.Value.Length > KvpLookup.MaxCharacters))
        {
            return new Problem(ProblemType.InvalidRequest, $"At most {MostFilters} keys can be asked for, by names that keys can have and values of at most {KvpLookup.MaxCharacters} characters.");
        }

        if (kind?.Contains('\0') == true)
        {
            return new Problem(ProblemType.InvalidRequest, "'kind' has a NUL in it.");
        }

        var access = context.Access();
        if (access.FindFault(kind, parent, keys.Select(pair => pair.Key)) is { } hidden)
        {
            return new Problem(ProblemType.NotAllowed, hidden);
        }

        var page = await processes.ListAsync(context.Holder().Tenant, new ProcessQuery(kind, parent, keys, order == "newest", beyond, limit), cancel);
        var next = page.Next is { } end ? Cursor.Of(end) : null;
        if (next is not null)
        {
            Cursor.LinkNext(context, "cursor", next);
        }

        return Results.Ok(new ProcessListAnswer([.. page.Items.Select(process => ProcessAnswer.Of(process, access))], next));
    }

    private static async Task<IResult> ReadAsync(HttpContext context, long pid, ProcessStore processes, PastStore past, CancellationToken cancel, string? at = null)
    {
        if (at is not null)
        {
            return await PastApi.ReadAsync(context, pid, at, past, processes, cancel);
        }

        return await processes.ReadAsync(context.Holder().Tenant, pid, cancel) is { } process
            ? Results.Ok(ProcessAnswer.Of(process, context.Access()))
            : new Problem(ProblemType.UnknownProcess, $"There is no process {pid}.");
    }

    private static async Task<IResult> ReadSharedAsync(HttpContext context, ProcessStore processes, PastStore past, CancellationToken cancel, string? at = null)
    {
        if (at is not null)
        {
            return await PastApi.ReadAsync(context, 0, at, past, processes, cancel);
        }

        var shared = await processes.ReadAsync(context.Holder().Tenant, 0, cancel);
        var answer = ProcessAnswer.Of(shared!, context.Access());
        return Results.Ok(new SharedAnswer(answer.Kvps) { LeftOut = answer.LeftOut });
    }

    private static async Task<IResult> SetAsync(HttpContext context, long pid, Door door, ProcessStore processes, DoorOptions limits, CancellationToken cancel)
    {
        if (!context.Request.HasJsonContentType())
        {
            return new Problem(ProblemType.UnsupportedType, "A value is JSON: send it with Content-Type: application/json.");
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, cancel);
        var json = body.GetBuffer().AsMemory(0, (int)body.Length);
        if (!KvpValue.TryCanonical(json.Span, out var value, out var fault, limits.ValueBytes))
        {
            var type = fault.Kind switch
            {
                KvpFaultKind.Malformed => ProblemType.InvalidJson,
                KvpFaultKind.TooLarge => ProblemType.ValueTooLarge,
                _ => ProblemType.InvalidValue,
            };
            return new Problem(type, fault.Detail, [new FieldError(fault.Detail, fault.Pointer)]);
        }

        return await ChangeAsync(context, pid, new Change(KeyOf(context), value), door, processes, cancel);
    }

    private static Task<IResult> RemoveAsync(HttpContext context, long pid, Door door, ProcessStore processes, CancellationToken cancel) =>
        ChangeAsync(context, pid, new Change(KeyOf(context), null), door, processes, cancel);

    // Routing leaves an escaped slash escaped, and so can not be told from a key that has '%2F' in it: the address as it came tells.
    private static string KeyOf(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.AsSpan();
        var query = target.IndexOf('?');
        target = query < 0 ? target : target[..query];
        return Uri.UnescapeDataString(target[(target.LastIndexOf('/') + 1)..]);
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, long pid, Change change, Door door, ProcessStore processes, CancellationToken cancel)
    {
        if (KvpKey.Fault(change.Key) is { } fault)
        {
            return new Problem(ProblemType.InvalidKey, fault);
        }

        var holder = context.Holder();
        if (await context.Access().SetFaultAsync(holder.Tenant, pid, [[change]], isList: false, processes, cancel) is { } refusal)
        {
            return refusal;
        }

        var arrival = new NewArrival(holder.Tenant, pid, [change], holder.Actor, "api", System.Diagnostics.Activity.Current?.Id);
        return await door.AcceptAsync([arrival], null, WaitFor.Applied, AppliedWithin, cancel) switch
        {
            DoorAnswer.Accepted { Arrivals: [{ Settled: true }] } =>
                change.Value is null ? Results.NoContent() : Results.Ok(new KvpAnswer(pid, change.Key, new RawJson(change.Value))),
            DoorAnswer.Accepted { Arrivals: [var waiting] } => Results.Accepted(null, new KvpAcceptedAnswer(waiting.Arrival, pid, change.Key)),
            DoorAnswer.UnknownProcess => new Problem(ProblemType.UnknownProcess, $"There is no process {pid}."),
            DoorAnswer.TooMany tooMany => new Problem(ProblemType.TooManyRequests, "More of this tenant's events are waiting than may.", retryAfter: tooMany.RetryAfter),
            DoorAnswer.Refused refused => new Problem(ProblemType.Refused, refused.Reason),
            DoorAnswer.Unavailable unavailable => new Problem(ProblemType.Unavailable, unavailable.Why),
            var other => throw new InvalidOperationException($"The door answered {other.GetType().Name}."),
        };
    }
}

/// <summary>A process and its KVPs.</summary>
public sealed record ProcessAnswer(long Pid, string? Kind, DateTimeOffset? CreatedAt, IReadOnlyDictionary<string, RawJson> Kvps)
{
    /// <summary>How many KVPs are not shown, because who asks may not read them; not there where none is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int LeftOut { get; init; }

    /// <summary>Of which moment this is, and how it came to be; not there for now.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PastAnswer? Past { get; init; }

    internal static ProcessAnswer Of(StoredProcess process, ActorAccess access)
    {
        var place = process.Pid == 0 ? KvpPlace.Shared : KvpPlace.Process(process.Kind);
        var kvps = new OrderedDictionary<string, RawJson>(process.Kvps.Count);
        foreach (var (key, value) in process.Kvps)
        {
            if (access.May(KeyAct.Read, place, key))
            {
                kvps.Add(key, new RawJson(value));
            }
        }

        return new ProcessAnswer(process.Pid, access.May(KeyAct.Read, place, "kind") ? process.Kind : null, process.CreatedAt, kvps) { LeftOut = process.Kvps.Count - kvps.Count };
    }
}

/// <summary>A page of processes.</summary>
/// <param name="Next">The 'cursor' of the next page; null at the end.</param>
public sealed record ProcessListAnswer(IReadOnlyList<ProcessAnswer> Processes, string? Next);

public sealed record SharedAnswer(IReadOnlyDictionary<string, RawJson> Kvps)
{
    /// <summary>How many are not shown, because who asks may not read them; not there where none is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int LeftOut { get; init; }

    /// <summary>Of which moment this is, and how it came to be; not there for now.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PastAnswer? Past { get; init; }
}

/// <summary>A KVP that is in force. Shared KVPs have PID 0.</summary>
public sealed record KvpAnswer(long Pid, string Key, RawJson Value);

/// <summary>A change that is durable and waits to be applied.</summary>
public sealed record KvpAcceptedAnswer(Guid Arrival, long Pid, string Key);
