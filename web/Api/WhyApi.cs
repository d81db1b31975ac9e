using System.Text.Json.Serialization;
using Eddy.Files;
using Eddy.Hindsight;
using Eddy.Keys;
using Eddy.Problems;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>Why a rule ran or did not, over HTTP.</summary>
public static class WhyApi
{
    private const int MostRule = 2000;

    public static void MapWhy(this IEndpointRouteBuilder api) =>
        api.MapGet("/why", ReadAsync).WithTags("Hindsight").RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("ReadWhy").WithSummary("Ask why a rule ran, or did not")
            .WithDescription(
                "'rule=' is its id or the name of its class. With 'event=' (a position) it is about the change set of that event; 'pid=' says in which process, where it woke in several. Without, it is about when the rule ran last and when it did not ('ran', 'not'), in the process of 'pid=' or "
                + "anywhere, and why it did not the last time. What happened is on record. What check read ('values') is worked out again, from the files and the state of then, in a cell of its own: 'differs' says where that does not agree with the record. "
                + "Values that who asks may not read are withheld.")
            .Produces<WhyAnswer>().Refuses(400, 401, 403, 404, 503)
            .WithExample(
                null,
                """{"why":{"event":{"position":1,"at":"2026-11-23T10:00:00+00:00","pid":15,"key":"temperature","value":72,"actor":"key:sensors","source":"post","changeSet":1,"arrival":"01a20941-f9f0-7989-ad4f-5e4983f1f43b"},"rule":"scripts/heat.py:high_temperature","pid":15,"treeVersion":1,"outcome":"no","verdict":"high_temperature was woken, and its check said no: self.temperature 72 > 90.","reasons":[{"code":"check","holds":false,"text":"Its check said no: self.temperature 72 > 90."}],"run":1,"check":{"returned":"False","decided":"self.temperature 72 > 90","treeVersion":1,"position":1,"assumed":false,"differs":null,"values":[{"file":"scripts/heat.py","line":7,"column":16,"endLine":7,"endColumn":32,"source":"self.temperature","filled":"72","text":"72","value":72,"pid":15,"key":"temperature","times":1}]},"cause":null,"elsewhere":[],"last":[]}}""");

    private static async Task<IResult> ReadAsync(
        HttpContext context,
        WhyReader reader,
        FileKeeper files,
        CancellationToken cancel,
        [Microsoft.AspNetCore.Mvc.FromQuery(Name = "event")] long? position = null,
        string? rule = null,
        long? pid = null)
    {
        if (string.IsNullOrEmpty(rule) || rule.Length > MostRule || rule.Contains('\0', StringComparison.Ordinal))
        {
            return new Problem(ProblemType.InvalidRequest, "'rule' is missing: the id of a rule, as scripts/heat.py:high_temperature, or the name of its class.");
        }

        if (position < 1)
        {
            return new Problem(ProblemType.InvalidRequest, "'event' is a position: 1 or more.");
        }

        var (holder, access) = (context.Holder(), context.Access());
        try
        {
            var rules = await files.RulesAsync(holder.Tenant, cancel);
            if (position is { } event_)
            {
                return await reader.ReadAsync(holder.Tenant, holder.TimeZone, event_, rule, pid, rules, access, cancel) is { } why
                    ? Results.Ok(new WhyAnswer(WhyEventAnswer.Of(why)))
                    : new Problem(ProblemType.NotFound, $"There is no event {event_} that you may read.");
            }

            var last = await reader.ReadLastAsync(holder.Tenant, holder.TimeZone, rule, pid, rules, access, cancel);
            return Results.Ok(new WhyAnswer(last.Why is null ? null : WhyEventAnswer.Of(last.Why))
            {
                Ran = last.Ran is null ? null : RunAnswer.Of(last.Ran, access, last.Rule).Single(),
                Not = last.Not is null ? null : RunAnswer.Of(last.Not, access, last.Rule).Single(),
            });
        }
        catch (SandboxUnavailable unavailable)
        {
            return new Problem(ProblemType.Unavailable, $"It can not be worked out now: {unavailable.Message}");
        }
    }
}

/// <summary>Why a rule ran, or did not.</summary>
/// <param name="Why">About the event that was asked for, or the last one for which it did not run; null where it always did.</param>
public sealed record WhyAnswer(WhyEventAnswer? Why)
{
    /// <summary>The last run that ended well; not there where an event was asked for, or none is found.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RunAnswer? Ran { get; init; }

    /// <summary>The last one that said no, failed or was stopped; not there where an event was asked for, or none is found.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RunAnswer? Not { get; init; }
}

/// <summary>What became of a rule for the change set of an event, and why.</summary>
/// <param name="Rule">Its id.</param>
/// <param name="Pid">The process in which it ran, or might have; 0 where none can be named.</param>
/// <param name="TreeVersion">The version of the files that was in force.</param>
/// <param name="Outcome">ran, no, failed, killed, put-off, aside (in quarantine), owed, not-woken, not-there, gone (nothing tells what became of it).</param>
/// <param name="Verdict">In a sentence.</param>
/// <param name="Reasons">What was looked at, one after the other.</param>
/// <param name="Run">The number of its record; null where there is none.</param>
/// <param name="Check">What its check read, worked out again; null where that can not be.</param>
/// <param name="Cause">Of a rule that was not woken: why one that sets what it listens to, and was woken, did not run.</param>
/// <param name="Elsewhere">The other processes in which it was woken.</param>
/// <param name="Last">Its last records in the process, newest first.</param>
public sealed record WhyEventAnswer(
    EventAnswer Event, string Rule, long Pid, long TreeVersion, string Outcome, string Verdict, IReadOnlyList<WhyReasonAnswer> Reasons, long? Run, WhyCheckAnswer? Check, WhyEventAnswer? Cause, IReadOnlyList<long> Elsewhere,
    IReadOnlyList<WhyLastAnswer> Last)
{
    internal static WhyEventAnswer Of(Why why) => new(
        EventAnswer.Of(why.Event), why.Rule, why.Pid, why.TreeVersion, WordOf(why.Outcome), why.Verdict, [.. why.Reasons.Select(reason => new WhyReasonAnswer(reason.Code, reason.Holds, reason.Text))], why.Run?.Id,
        why.Check is null ? null : WhyCheckAnswer.Of(why.Check), why.Cause is null ? null : Of(why.Cause), why.Elsewhere,
        [.. why.Last.Select(run => new WhyLastAnswer(run.Id, run.At, RunAnswer.WordFor(run.Outcome), run.SetPosition))]);

    internal static string WordOf(WhyOutcome outcome) => outcome switch
    {
        WhyOutcome.Ran => "ran",
        WhyOutcome.SaidNo => "no",
        WhyOutcome.Failed => "failed",
        WhyOutcome.Killed => "killed",
        WhyOutcome.PutOff => "put-off",
        WhyOutcome.Aside => "aside",
        WhyOutcome.Owed => "owed",
        WhyOutcome.NotWoken => "not-woken",
        WhyOutcome.NotThere => "not-there",
        _ => "gone",
    };
}

/// <summary>One thing that was looked at.</summary>
/// <param name="Code">there, woken, nearest, setters, switch, waits, cascade, check or action.</param>
/// <param name="Holds">Whether it lets the rule run; null where it only tells more.</param>
public sealed record WhyReasonAnswer(string Code, bool? Holds, string Text);

/// <summary>A record of the rule.</summary>
/// <param name="Id">Of the run.</param>
/// <param name="Event">The first event of the change set that woke it.</param>
public sealed record WhyLastAnswer(long Id, DateTimeOffset At, string Outcome, long Event);

/// <summary>A check that was worked out again.</summary>
/// <param name="Returned">As Python writes it; null where it raised, was not asked, or is not for who asks.</param>
/// <param name="Decided">The expression on which it turned, with its values.</param>
/// <param name="Position">It saw the state right after this event.</param>
/// <param name="Assumed">The rule was not woken: it is what check would have said.</param>
/// <param name="Differs">That it is not what the record says, and why it may be; null where it agrees.</param>
/// <param name="Values">What it read, in the order of the text.</param>
public sealed record WhyCheckAnswer(string? Returned, string? Decided, long TreeVersion, long Position, bool Assumed, string? Differs, IReadOnlyList<SeenAnswer> Values)
{
    internal static WhyCheckAnswer Of(WhyCheck check) => new(
        check.Look.Answer?.Text, check.Decided, check.TreeVersion, check.Position, check.IsAssumed, check.Differs,
        [.. check.Look.Seen.Select(place => SeenAnswer.Of(place, check.Look.Seen, check.Text))]);
}

/// <summary>An expression and what it was. Lines and columns count from 1.</summary>
/// <param name="Source">Its text.</param>
/// <param name="Filled">The same with the values of what it read.</param>
/// <param name="Text">The value as Python writes it; not there where check did not come to it.</param>
/// <param name="Value">The value, where a KVP may have it and it is short.</param>
/// <param name="Pid">The process whose KVP it is, 0 for the shared ones; not there where it is none.</param>
/// <param name="Times">How often it was read; the value is that of the last time. 0 where check did not come to it.</param>
/// <param name="Withheld">true where the value is not for who asks; else not there.</param>
public sealed record SeenAnswer(
    string File, int Line, int Column, int EndLine, int EndColumn, string Source,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Filled,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Text,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RawJson? Value,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Pid,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Key,
    int Times,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Withheld)
{
    internal static SeenAnswer Of(SeenPlace place, IReadOnlyList<SeenPlace> seen, IReadOnlyDictionary<string, string> files) => new(
        place.File, place.Line, place.Column, place.EndLine, place.EndColumn, SeenText.Source(place, files), place.Value is null ? null : SeenText.Filled(place, seen, files), place.Value?.Text,
        RawJson.OrNull(place.Value?.Json), place.Pid, place.Key, place.Times, place.IsWithheld);
}
