using System.Text.Json.Serialization;
using Eddy.Access;
using Eddy.Cards;
using Eddy.Keys;
using Eddy.Mail;
using Eddy.Problems;
using Eddy.Processes;
using Eddy.Runs;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>The record of runs over HTTP.</summary>
public static class RunsApi
{
    private const int MostListed = 500;

    public static void MapRuns(this IEndpointRouteBuilder api)
    {
        var runs = api.MapGroup("/runs").WithTags("Runs");
        runs.MapGet("/", ListAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("ListRuns").WithSummary("List runs")
            .WithDescription(
                "Newest first. 'event=' keeps what one event (its position) woke, 'pid=' one process, 'rule=' one rule (its id or the name of its class), 'outcome=' no, ran, failed or killed. "
                + "Rules whose checks said no together have one id. The list goes on as long as there is a 'next', which is also in the Link header.")
            .Produces<RunListAnswer>().Refuses(400, 401, 403)
            .WithExample(null, """{"runs":[{"id":1,"at":"2026-11-23T10:00:00+00:00","rule":"scripts/heat.py:high_temperature","outcome":"ran","pid":15,"changeSet":1,"arrival":"01a20941-f9f0-7989-ad4f-5e4983f1f43b","generation":1,"treeVersion":1,"milliseconds":0.117,"changes":1}],"next":null}""");
        runs.MapGet("/{id:long:min(1)}", ReadAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("ReadRun").WithSummary("Read a run")
            .WithDescription("One run with what it printed, what it changed, whom it told and what went wrong.")
            .Produces<RunDetailAnswer>().Refuses(401, 403, 404);
        runs.MapGet("/deferred", DeferredAsync).RequireScope(Scope.Read)
            .WithName("ListDeferredRuns").WithSummary("List the runs that are put off")
            .WithDescription("Their rules say so: by debounce, throttle or retry. In the order in which they were put off; each goes into the line when it is due. 'rule=' keeps one rule, 'pid=' one process.")
            .Produces<DeferredRunListAnswer>().Refuses(400, 401, 403)
            .WithExample(null, """{"runs":[{"id":3,"rule":"scripts/door.py:left_open","pid":15,"kind":"debounce","stream":"process 15","wakings":4,"since":"2026-11-24T10:00:00+00:00","due":"2026-11-24T10:00:19+00:00","attempt":0,"changeSet":31,"arrival":"01a20941-f9f0-7989-ad4f-5e4983f1f43b"}],"next":null}""");
    }

    private static async Task<IResult> DeferredAsync(HttpContext context, DeferredStore store, CancellationToken cancel, string? rule = null, long? pid = null, int limit = 100, string? cursor = null)
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

        return Results.Ok(new DeferredRunListAnswer(
            [.. runs.Take(limit).Select(run => new DeferredRunAnswer(
                run.Id, run.Rule, run.Pid, run.Kind, run.Stream, run.Wakings, run.Since, run.Due, run.Attempt, run.ChangeSet, run.Root))], next));
    }

    private static Problem? RuleFault(string? rule) => rule?.Contains('\0') == true ? new Problem(ProblemType.InvalidRequest, "'rule' has a NUL in it.") : null;

    private static async Task<IResult> ListAsync(
        HttpContext context,
        RunStore store,
        CancellationToken cancel,
        [Microsoft.AspNetCore.Mvc.FromQuery(Name = "event")] long? position = null,
        long? pid = null,
        string? rule = null,
        string? outcome = null,
        int limit = 100,
        string? cursor = null)
    {
        if ((Limit.Fault(limit, MostListed) ?? RuleFault(rule)) is { } fault)
        {
            return fault;
        }

        RunOutcome? only = null;
        if (outcome is not null)
        {
            if (OutcomeOf(outcome) is not { } known)
            {
                return new Problem(ProblemType.InvalidRequest, "'outcome' is no, ran, failed or killed.");
            }

            only = known;
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

        var page = await store.ListAsync(context.Holder().Tenant, new RunQuery(position, pid, rule, only, beyond, limit), cancel);
        var next = page.Next is { } end ? Cursor.Of(end) : null;
        if (next is not null)
        {
            Cursor.LinkNext(context, "cursor", next);
        }

        return Results.Ok(new RunListAnswer([.. page.Items.SelectMany(run => RunAnswer.Of(run, context.Access(), rule))], next));
    }

    private static async Task<IResult> ReadAsync(HttpContext context, long id, RunStore store, ProcessStore processes, OutboxStore outbox, CardStore cards, CancellationToken cancel)
    {
        var (tenant, access) = (context.Holder().Tenant, context.Access());
        if (await store.ReadAsync(tenant, id, cancel) is not var (run, changes))
        {
            return new Problem(ProblemType.NotFound, $"There is no run {id}.");
        }

        // What a rule prints, calls, tells people or fails with may hold any KVP.
        var told = access.MayChangeRules ? run : run with { Log = null, Error = null, Calls = null };
        var effects = await EffectsAsync(tenant, id, outbox, cards, cancel);
        var readable = await access.ReadableAsync(tenant, changes, processes, cancel);
        return Results.Ok(
            new RunDetailAnswer(
                run.Id, run.At, run.SaidNo ?? [run.Rule!], RunAnswer.WordFor(run.Outcome), run.Pid, run.SetPosition, run.Root, run.Generation, run.TreeVersion,
                run.Elapsed.TotalMilliseconds, run.Cpu.TotalMilliseconds, told.Log, RawJson.OrNull(told.Error), run.Trace, RawJson.OrNull(told.Calls), access.MayChangeRules ? effects : null,
                [.. readable.Select(EventAnswer.Of)])
            {
                LeftOut = changes.Count - readable.Count,
                Withheld = ((run.Log ?? run.Error ?? run.Calls) is not null || effects is not null) && !access.MayChangeRules,
            });
    }

    private static async Task<EffectsAnswer?> EffectsAsync(TenantId tenant, long run, OutboxStore outbox, CardStore cards, CancellationToken cancel)
    {
        var mails = await outbox.ListAsync(tenant, new MailQuery(null, run, null, Effect.Most), cancel);
        var shown = await cards.ListAsync(tenant, new CardQuery(null, null, run, null, Effect.Most), cancel);
        return mails.Items.Count + shown.Items.Count == 0
            ? null
            : new EffectsAnswer([.. mails.Items.Reverse().Select(MailAnswer.Of)], [.. shown.Items.Reverse().Select(CardAnswer.Of)]);
    }

    private static RunOutcome? OutcomeOf(string word) => word switch
    {
        "no" => RunOutcome.No,
        "ran" => RunOutcome.Ran,
        "failed" => RunOutcome.Failed,
        "killed" => RunOutcome.Killed,
        _ => null,
    };
}

/// <summary>A rule that was woken, and how that ended.</summary>
/// <param name="Id">Its number in the tenant. Checks that said no together share one.</param>
/// <param name="Rule">The file and the class, as in scripts/heat.py:high_temperature.</param>
/// <param name="Outcome">no (its check said no), ran, failed, or killed (over a limit).</param>
/// <param name="Pid">The process in which it ran.</param>
/// <param name="ChangeSet">The first position of the changes that woke it.</param>
/// <param name="Arrival">The arrival from which it all followed.</param>
/// <param name="Generation">How many runs led here, this one included.</param>
/// <param name="TreeVersion">The version of the files under which it ran.</param>
/// <param name="Changes">How many KVPs it changed.</param>
/// <param name="Error">What went wrong: kind, message, file, line, traceback; not there where nothing did, or who asks may not change rules.</param>
public sealed record RunAnswer(
    long Id,
    DateTimeOffset At,
    string Rule,
    string Outcome,
    long Pid,
    long ChangeSet,
    Guid Arrival,
    int Generation,
    long TreeVersion,
    double Milliseconds,
    int Changes,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RawJson? Error)
{
    /// <summary>One for each rule of the record; of checks that said no only those that were asked for.</summary>
    internal static IEnumerable<RunAnswer> Of(StoredRun run, ActorAccess access, string? onlyRule = null) =>
        (run.SaidNo ?? [run.Rule!])
            .Where(rule => onlyRule is null || rule == onlyRule || rule.EndsWith(":" + onlyRule, StringComparison.Ordinal))
            .Select(rule => new RunAnswer(
                run.Id, run.At, rule, WordFor(run.Outcome), run.Pid, run.SetPosition, run.Root, run.Generation, run.TreeVersion,
                run.Elapsed.TotalMilliseconds, run.Changes, access.MayChangeRules ? RawJson.OrNull(run.Error) : null));

    internal static string WordFor(RunOutcome outcome) => outcome switch
    {
        RunOutcome.No => "no",
        RunOutcome.Ran => "ran",
        RunOutcome.Failed => "failed",
        _ => "killed",
    };
}

/// <summary>A page of runs.</summary>
/// <param name="Next">The 'cursor' of the next page; null at the end.</param>
public sealed record RunListAnswer(IReadOnlyList<RunAnswer> Runs, string? Next);

/// <summary>A run with all that is recorded of it.</summary>
/// <param name="Rules">The rule; with outcome no, all the rules whose checks said no together.</param>
/// <param name="Log">What it printed.</param>
/// <param name="Traceparent">The W3C trace that it continues.</param>
/// <param name="Calls">Its outgoing HTTP calls: method, host, path, status, bytes out and in, milliseconds, fault, and the names of the secrets used; null where it made none.</param>
/// <param name="Effects">The mails that it sent and the cards that it showed; null where it told nobody anything.</param>
/// <param name="Changes">What it changed.</param>
public sealed record RunDetailAnswer(
    long Id,
    DateTimeOffset At,
    IReadOnlyList<string> Rules,
    string Outcome,
    long Pid,
    long ChangeSet,
    Guid Arrival,
    int Generation,
    long TreeVersion,
    double Milliseconds,
    double CpuMilliseconds,
    string? Log,
    RawJson? Error,
    string? Traceparent,
    RawJson? Calls,
    EffectsAnswer? Effects,
    IReadOnlyList<EventAnswer> Changes)
{
    /// <summary>How many changes are not shown, because who asks may not read their keys; not there where none is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int LeftOut { get; init; }

    /// <summary>true where log, error, calls or effects are there and not shown, because they may hold any KVP and who asks may not change rules; else not there.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Withheld { get; init; }
}

/// <summary>A page of runs that are put off.</summary>
public sealed record DeferredRunListAnswer(IReadOnlyList<DeferredRunAnswer> Runs, string? Next);

/// <summary>A run that is put off.</summary>
/// <param name="Kind">debounce, throttle or retry.</param>
/// <param name="Stream">What tells the streams of the rule apart: the process, or the value of the rule's per.</param>
/// <param name="Wakings">How many it stands for; more than one where it is debounced.</param>
/// <param name="Since">When the first of these came.</param>
/// <param name="Attempt">How often it failed before.</param>
/// <param name="ChangeSet">The position of the first event that woke it.</param>
/// <param name="Arrival">The arrival whose cascade it belongs to.</param>
public sealed record DeferredRunAnswer(
    long Id, string Rule, long Pid, string Kind, string Stream, int Wakings, DateTimeOffset Since, DateTimeOffset Due, int Attempt, long ChangeSet, Guid Arrival);

/// <summary>What a run told people, in its order.</summary>
public sealed record EffectsAnswer(IReadOnlyList<MailAnswer> Mails, IReadOnlyList<CardAnswer> Cards);
