using System.Globalization;
using System.Text.Json.Serialization;
using Eddy.Access;
using Eddy.Hindsight;
using Eddy.Keys;
using Eddy.Problems;
using Eddy.Processes;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>Processes and the shared bag as they were, over HTTP.</summary>
public static class PastApi
{
    public static void MapPast(this IEndpointRouteBuilder api)
    {
        api.MapGet("/processes/{pid:long:min(1)}/difference", (HttpContext context, long pid, PastStore past, ProcessStore processes, CancellationToken cancel, string? from = null, string? to = null) =>
                CompareAsync(context, pid, from, to, past, processes, cancel))
            .WithTags("Processes").RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("CompareProcess").WithSummary("Compare a process with itself")
            .WithDescription("What is different in it between 'from=' and 'to=', each a position of the log or a moment; without 'to=' between then and now. What became what it was before again is no difference.")
            .Produces<DifferenceAnswer>().Refuses(400, 401, 403, 404)
            .WithExample(null, """{"pid":15,"from":{"position":12,"at":"2026-11-23T10:00:00+00:00"},"to":{"position":88214,"at":"2026-11-23T14:03:21+00:00"},"changes":[{"key":"temperature","from":72,"to":95,"setBy":{"position":88210,"at":"2026-11-23T14:03:20+00:00","actor":"key:gateway","source":"post"}}]}""");
        api.MapGet("/shared/difference", (HttpContext context, PastStore past, ProcessStore processes, CancellationToken cancel, string? from = null, string? to = null) =>
                CompareAsync(context, 0, from, to, past, processes, cancel))
            .WithTags("Shared KVPs").RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("CompareShared").WithSummary("Compare the shared KVPs with themselves")
            .WithDescription("What is different between 'from=' and 'to=', each a position of the log or a moment; without 'to=' between then and now.")
            .Produces<DifferenceAnswer>().Refuses(400, 401, 403, 404);
    }

    /// <summary>Answers with a process, or the shared bag, as it was.</summary>
    /// <param name="at">As it was asked for.</param>
    internal static async Task<IResult> ReadAsync(HttpContext context, long pid, string at, PastStore past, ProcessStore processes, CancellationToken cancel)
    {
        var (state, fault) = await StateAsync(context, "at", at, pid, past, cancel);
        if (state is null)
        {
            return fault!;
        }

        if (pid > 0 && state is { IsWhole: true, Kvps.Count: 0 })
        {
            return new Problem(ProblemType.UnknownProcess, $"There was no process {pid} {Words(state)}.");
        }

        var mayRead = await context.Access().MayReadAsync(context.Holder().Tenant, state, processes, cancel);
        var kvps = new OrderedDictionary<string, RawJson>(state.Kvps.Count);
        var setBy = new OrderedDictionary<string, SetByAnswer>(state.Kvps.Count);
        foreach (var kvp in state.Kvps.Where(kvp => mayRead(kvp.Key)))
        {
            kvps.Add(kvp.Key, new RawJson(kvp.Value));
            if (SetByAnswer.Of(kvp) is { } by)
            {
                setBy.Add(kvp.Key, by);
            }
        }

        var answer = new PastAnswer(state.Position, state.At, setBy) { Unknown = UnknownOf(state.Unknown, mayRead), IsCut = state.IsCut };
        return pid == 0
            ? Results.Ok(new SharedAnswer(kvps) { LeftOut = state.Kvps.Count - kvps.Count, Past = answer })
            : Results.Ok(new ProcessAnswer(pid, mayRead(KvpPlace.KindKey) ? state.Kind : null, null, kvps) { LeftOut = state.Kvps.Count - kvps.Count, Past = answer });
    }

    private static async Task<IResult> CompareAsync(HttpContext context, long pid, string? from, string? to, PastStore past, ProcessStore processes, CancellationToken cancel)
    {
        if (from is null)
        {
            return new Problem(ProblemType.InvalidRequest, "'from' is missing: a position of the log, or a moment.");
        }

        var (before, fault) = await StateAsync(context, "from", from, pid, past, cancel);
        if (before is null)
        {
            return fault!;
        }

        (var after, fault) = await StateAsync(context, "to", to, pid, past, cancel);
        if (after is null)
        {
            return fault!;
        }

        if (pid > 0 && before is { IsWhole: true, Kvps.Count: 0 } && after is { IsWhole: true, Kvps.Count: 0 })
        {
            return new Problem(ProblemType.UnknownProcess, $"There was no process {pid} {Words(before)}, nor {Words(after)}.");
        }

        var (access, tenant) = (context.Access(), context.Holder().Tenant);
        var (mayThen, mayLater) = (await access.MayReadAsync(tenant, before, processes, cancel), await access.MayReadAsync(tenant, after, processes, cancel));
        var difference = PastDifference.Between(before, after);
        var readable = difference.Keys.Where(key => mayThen(key.Key) && mayLater(key.Key)).ToList();
        return Results.Ok(
            new DifferenceAnswer(
                pid, new MomentAnswer(before.Position, before.At), new MomentAnswer(after.Position, after.At),
                [.. readable.Select(key => new DifferentKeyAnswer(key.Key, RawJson.OrNull(key.Before?.Value), RawJson.OrNull(key.After?.Value), key.After is { } kvp ? SetByAnswer.Of(kvp) : null))])
            {
                LeftOut = difference.Keys.Count - readable.Count,
                Unknown = UnknownOf(difference.Unknown, key => mayThen(key) && mayLater(key)),
                IsCut = difference.IsCut,
            });
    }

    /// <param name="text">As it was asked for; null for now.</param>
    private static async Task<(PastState? State, Problem? Fault)> StateAsync(HttpContext context, string name, string? text, long pid, PastStore past, CancellationToken cancel)
    {
        if ((text is null ? new PastMoment(long.MaxValue, null) : PastMoment.Read(text)) is not { } moment)
        {
            return (null, new Problem(ProblemType.InvalidRequest, $"'{name}' is a position of the log, as in 88190, or a moment with its offset, as in 2026-11-23T10:00:00Z."));
        }

        var tenant = context.Holder().Tenant;
        var position = moment.Position ?? await past.PositionAsync(tenant, moment.At!.Value, cancel);
        return await past.StateAsync(tenant, pid, position, cancel) is { } state ? (state, null) : (null, new Problem(ProblemType.NotFound, "The tenant's log does not reach back as far."));
    }

    private static List<string>? UnknownOf(IEnumerable<string> keys, Func<string, bool> mayRead) => keys.Where(mayRead).ToList() is { Count: > 0 } unknown ? unknown : null;

    private static string Words(PastState state) => state.At is { } at ? string.Create(CultureInfo.InvariantCulture, $"after event {state.Position} ({at:O})") : "before the first event";
}

/// <summary>Of which moment a process is shown.</summary>
/// <param name="Position">That of the last event until then, of whichever process.</param>
/// <param name="At">When that was; null before the first.</param>
/// <param name="SetBy">Who had set each KVP. One is not there where that lies farther back in the log than is looked for.</param>
public sealed record PastAnswer(long Position, DateTimeOffset? At, IReadOnlyDictionary<string, SetByAnswer> SetBy)
{
    /// <summary>Keys that it may have had, whose values lie farther away in the log than is looked for; not there where there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Unknown { get; init; }

    /// <summary>true where there may be others still, since so much was removed later; else not there.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsCut { get; init; }
}

/// <summary>The event that set a KVP.</summary>
/// <param name="Source">The door by which it came, or 'rule'.</param>
/// <param name="Run">The run that did it; not there for what came from outside.</param>
/// <param name="Rule">The rule of that run.</param>
public sealed record SetByAnswer(
    long Position,
    DateTimeOffset At,
    string Actor,
    string Source,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Run,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Rule)
{
    internal static SetByAnswer? Of(PastKvp kvp) =>
        kvp is { Position: { } position, Origin: { } origin } ? new SetByAnswer(position, origin.At, origin.Actor, origin.Source, origin.Cause, origin.Rule) : null;
}

/// <summary>What is different between two moments.</summary>
public sealed record DifferenceAnswer(long Pid, MomentAnswer From, MomentAnswer To, IReadOnlyList<DifferentKeyAnswer> Changes)
{
    /// <summary>How many differences are not shown, because who asks may not read their keys; not there where none is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int LeftOut { get; init; }

    /// <summary>Keys that can not be compared, as in a process that is shown of a moment; not there where there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Unknown { get; init; }

    /// <summary>true where there may be others still, since so much was removed later; else not there.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsCut { get; init; }
}

/// <summary>A moment of the log.</summary>
/// <param name="Position">That of the last event until then.</param>
public sealed record MomentAnswer(long Position, DateTimeOffset? At);

/// <summary>A key that is different.</summary>
/// <param name="From">What it was; not there where it was not set.</param>
/// <param name="To">What it was later; not there where it was not set.</param>
/// <param name="SetBy">Who set it to that.</param>
public sealed record DifferentKeyAnswer(
    string Key,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RawJson? From,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RawJson? To,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] SetByAnswer? SetBy);
