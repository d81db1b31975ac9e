using Eddy.Keys;
using Eddy.Problems;
using Eddy.Quarantine;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>Runs that failed or were put aside, and rules that are switched off, over HTTP: seen, tried again, dropped, switched.</summary>
public static class QuarantineApi
{
    private const int MostListed = 500;

    public static void MapQuarantine(this IEndpointRouteBuilder api)
    {
        var quarantine = api.MapGroup("/quarantine").WithTags("Quarantine");
        quarantine.MapGet("/", GroupsAsync).RequireScope(Scope.Read)
            .WithName("ListQuarantine").WithSummary("List what is in quarantine")
            .WithDescription(
                "Runs of one rule that failed with the same kind of error at the same line are one group with a count; the last first. 'kind' is 'failed', or says why they were put aside: 'off' (the rule is switched off), "
                + "'held' (they wait for one that failed before them, on_error = \"hold\"), 'stopped' (their cascade was stopped before their turn).")
            .Produces<QuarantineAnswer>().Refuses(401, 403)
            .WithExample(null, """{"groups":[{"rule":"scripts/heat.py:high_temperature","kind":"failed","count":12,"tries":12,"firstAt":"2026-11-24T10:00:00+00:00","lastAt":"2026-11-24T10:07:00+00:00","lastId":31,"error":{"kind":"ZeroDivisionError","message":"division by zero","file":"scripts/heat.py","line":8,"traceback":null}}]}""");
        quarantine.MapGet("/runs", ListAsync).RequireScope(Scope.Read)
            .WithName("ListQuarantinedRuns").WithSummary("List the runs in quarantine")
            .WithDescription("The last first. 'rule=' keeps one rule, 'pid=' one process. The list goes on as long as there is a 'next', which is also in the Link header.")
            .Produces<QuarantinedRunListAnswer>().Refuses(400, 401, 403);
        quarantine.MapPost("/retry", RetryAsync).RequireScope(Scope.Write)
            .WithName("RetryQuarantine").WithSummary("Try runs again")
            .WithDescription("Each is run against the event that had woken it. 'id=' tries one, 'rule=' those of one rule; with neither all are tried. Where a rule keeps the order of its runs, the first of each process is tried, and the others follow it.")
            .Produces<CountAnswer>().Refuses(400, 401, 403, 404)
            .WithExample(null, """{"count":12}""");
        quarantine.MapDelete("/", DiscardAsync).RequireScope(Scope.Write)
            .WithName("DiscardQuarantine").WithSummary("Drop runs")
            .WithDescription("They are not tried any more; their records stay. 'id=' drops one, 'rule=' those of one rule.")
            .Produces<CountAnswer>().Refuses(400, 401, 403, 404)
            .WithExample(null, """{"count":12}""");

        var off = api.MapGroup("/rules/off").WithTags("Rules");
        off.MapGet("/", OffAsync).RequireScope(Scope.Read)
            .WithName("ListRulesOff").WithSummary("List the rules that are switched off")
            .WithDescription("A rule that used up its CPU time, or its time three times running, is switched off until its text changes or somebody switches it on. What wakes it meanwhile is in quarantine.")
            .Produces<RuleSwitchListAnswer>().Refuses(401, 403);
        off.MapPut("/", SwitchOffAsync).RequireScope(Scope.Write)
            .WithName("SwitchRuleOff").WithSummary("Switch a rule off")
            .WithDescription("From the next event on, its runs are put aside. 'rule=' is its id, as scripts/heat.py:high_temperature.")
            .Produces(204).Refuses(400, 401, 403);
        off.MapDelete("/", SwitchOnAsync).RequireScope(Scope.Write)
            .WithName("SwitchRuleOn").WithSummary("Switch a rule on")
            .WithDescription("What was put aside meanwhile goes into the line; 'count' says how many runs.")
            .Produces<CountAnswer>().Refuses(400, 401, 403, 404)
            .WithExample(null, """{"count":3}""");
    }

    private static async Task<IResult> GroupsAsync(HttpContext context, QuarantineStore store, CancellationToken cancel) =>
        Results.Ok(new QuarantineAnswer([.. (await store.GroupsAsync(context.Holder().Tenant, MostListed, cancel)).Select(group =>
            new QuarantineGroupAnswer(group.Rule, group.Kind, group.Count, group.Tries, group.FirstAt, group.At, group.Last, RawJson.OrNull(group.Error)))]));

    private static async Task<IResult> ListAsync(
        HttpContext context, QuarantineStore store, CancellationToken cancel, string? rule = null, long? pid = null, int limit = 100, string? cursor = null)
    {
        if ((Limit.Fault(limit, MostListed) ?? RuleFault(rule)) is { } fault)
        {
            return fault;
        }

        long? beyond = null;
        if (cursor is not null)
        {
            if (!Cursor.TryRead(cursor, out var last))
            {
                return Cursor.Fault(cursor);
            }

            beyond = last;
        }

        var runs = await store.ListAsync(context.Holder().Tenant, rule, pid, beyond, limit + 1, cancel);
        var next = runs.Count > limit ? Cursor.Of(runs[limit - 1].Id) : null;
        if (next is not null)
        {
            Cursor.LinkNext(context, "cursor", next);
        }

        return Results.Ok(new QuarantinedRunListAnswer(
            [.. runs.Take(limit).Select(run => new QuarantinedRunAnswer(
                run.Id, run.Rule, run.Pid, run.Kind, run.ChangeSet, run.Root, run.Actor, run.Tries, run.FirstAt, run.At, run.Run, RawJson.OrNull(run.Error), run.IsRetrying))], next));
    }

    private static async Task<IResult> RetryAsync(HttpContext context, QuarantineStore store, CancellationToken cancel, string? rule = null, long? id = null) =>
        RuleFault(rule) ?? Count(await store.RetryAsync(context.Holder().Tenant, rule, id, cancel), rule, id);

    private static async Task<IResult> DiscardAsync(HttpContext context, QuarantineStore store, CancellationToken cancel, string? rule = null, long? id = null) =>
        rule is null && id is null
            ? new Problem(ProblemType.InvalidRequest, "Say which runs are to be dropped: one by 'id=', or those of a rule by 'rule='.")
            : RuleFault(rule) ?? Count(await store.DiscardAsync(context.Holder().Tenant, rule, id, cancel), rule, id);

    private static async Task<IResult> OffAsync(HttpContext context, QuarantineStore store, CancellationToken cancel) =>
        Results.Ok(new RuleSwitchListAnswer([.. (await store.OffAsync(context.Holder().Tenant, cancel)).Select(off => new RuleSwitchAnswer(off.Rule, off.At, off.By, off.Reason))]));

    private static async Task<IResult> SwitchOffAsync(HttpContext context, QuarantineStore store, string rule, CancellationToken cancel)
    {
        if (RuleFault(rule) is { } fault)
        {
            return fault;
        }

        await store.SwitchOffAsync(context.Holder().Tenant, rule, context.Holder().Actor, "It was switched off by hand.", cancel);
        return Results.NoContent();
    }

    private static async Task<IResult> SwitchOnAsync(HttpContext context, QuarantineStore store, string rule, CancellationToken cancel) =>
        RuleFault(rule) ?? (await store.SwitchOnAsync(context.Holder().Tenant, rule, cancel) is { } count
            ? Results.Ok(new CountAnswer(count))
            : new Problem(ProblemType.NotFound, $"No rule {rule} is switched off."));

    private static IResult Count(int count, string? rule, long? id) => count > 0 || id is null
        ? Results.Ok(new CountAnswer(count))
        : new Problem(ProblemType.NotFound, $"No run {id}{(rule is null ? "" : $" of {rule}")} is in quarantine, or it is being tried already.");

    private static Problem? RuleFault(string? rule) =>
        rule is not null && (rule.Length is 0 or > 1000 || rule.Contains('\0', StringComparison.Ordinal))
            ? new Problem(ProblemType.InvalidRequest, "'rule' is a rule's id, as scripts/heat.py:high_temperature.") : null;
}

/// <summary>What is in quarantine.</summary>
public sealed record QuarantineAnswer(IReadOnlyList<QuarantineGroupAnswer> Groups);

/// <summary>Runs of one rule with one error.</summary>
/// <param name="Kind"><c>failed</c>, <c>off</c>, <c>held</c> or <c>stopped</c>.</param>
/// <param name="Tries">How often these failed, together.</param>
/// <param name="LastId">The number in quarantine of the last one.</param>
/// <param name="Error">The last one's error.</param>
public sealed record QuarantineGroupAnswer(string Rule, string Kind, long Count, long Tries, DateTimeOffset FirstAt, DateTimeOffset LastAt, long LastId, RawJson? Error);

/// <summary>A page of runs in quarantine.</summary>
public sealed record QuarantinedRunListAnswer(IReadOnlyList<QuarantinedRunAnswer> Runs, string? Next);

/// <summary>A run in quarantine.</summary>
/// <param name="Id">Its number in quarantine.</param>
/// <param name="ChangeSet">The position of the first event that woke it.</param>
/// <param name="Arrival">The arrival whose cascade it belongs to.</param>
/// <param name="Run">Its last run; null where it was put aside before it began.</param>
/// <param name="IsRetrying">It is being tried again.</param>
public sealed record QuarantinedRunAnswer(
    long Id, string Rule, long Pid, string Kind, long ChangeSet, Guid Arrival, string Actor, int Tries, DateTimeOffset FirstAt, DateTimeOffset LastAt, long? Run, RawJson? Error, bool IsRetrying);

/// <summary>Rules that are switched off.</summary>
public sealed record RuleSwitchListAnswer(IReadOnlyList<RuleSwitchAnswer> Rules);

/// <summary>A rule that is switched off.</summary>
public sealed record RuleSwitchAnswer(string Rule, DateTimeOffset At, string By, string Reason);

/// <summary>How many there were.</summary>
public sealed record CountAnswer(int Count);
