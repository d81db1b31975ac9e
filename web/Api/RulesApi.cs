using System.Text.Json;
using Eddy.Events;
using Eddy.Files;
using Eddy.Keys;
using Eddy.Problems;
using Eddy.Rules;
using Eddy.Sandbox;
using Eddy.Schedules;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>What a tenant's rules read, write and wake, over HTTP: as far as the text in force says, without a run.</summary>
public static class RulesApi
{
    public static void MapRules(this IEndpointRouteBuilder api)
    {
        var rules = api.MapGroup("/rules").WithTags("Rules");
        rules.MapGet("/", ListAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("ListRules").WithSummary("List the rules")
            .WithDescription(
                "The rules in force as they are written, in the order of their files. A key is told with whose it is: 'x' of the rule's own process, 'shared.x', 'parent.x', 'child.x', 'new_child.x', and 'process.x' "
                + "of any other. 'listensTo' is null where it is computed; 'unknownReads' and 'unknownWrites' say that there may be more, because a key is computed or the process is given to what is not in the file.")
            .Produces<RuleListAnswer>().Refuses(401, 403, 503)
            .WithExample(
                null,
                """{"rules":[{"id":"scripts/heat.py:high_temperature","file":"scripts/heat.py","class":"high_temperature","line":1,"endLine":11,"listensTo":["temperature"],"schedule":null,"reads":["room","temperature"],"checkReads":["temperature"],"writes":["alert"],"unknownReads":false,"unknownWrites":false}]}""");
        rules.MapGet("/graph", GraphAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("ReadRuleGraph").WithSummary("Read who wakes whom")
            .WithDescription(
                "'nodes' are the rules, and the libraries and API scripts that have to do with KVPs. 'edges' lead from one that writes keys to a rule that listens to them. 'loops' are rules that may wake themselves or one another without end; such a loop is 'guarded' where there is no way round without "
                + "a rule whose check reads a key that the loop writes. 'neverSet' are keys that rules listen to, which no rule writes and none of the last 10,000 events has set; they may yet come from outside. 'neverRead' are "
                + "keys that rules write and no rule reads or listens to. 'unknownReads' and 'unknownWrites' name the rules whose text does not say all that they do; where there are any, 'neverRead' or 'neverSet' is empty.")
            .Produces<RuleGraphAnswer>().Refuses(401, 403, 503)
            .WithExample(
                null,
                """{"nodes":["scripts/heat.py:high_temperature","scripts/mail.py:tell"],"edges":[{"from":"scripts/heat.py:high_temperature","to":"scripts/mail.py:tell","keys":["alert"]}],"loops":[],"neverSet":[{"key":"temprature","rules":["scripts/mail.py:tell"],"message":"scripts/mail.py:tell listens to temprature, which no rule sets and none of the last 10,000 events has set."}],"neverRead":[],"unknownReads":[],"unknownWrites":[]}""");
        rules.MapGet("/schedules", SchedulesAsync).RequireScope(Scope.Read)
            .WithName("ListRuleSchedules").WithSummary("List what runs by the clock")
            .WithDescription(
                "The schedules of the rules in force, each with the next times, in the tenant's time zone. 'running' is there while a tick is under way: it wakes the rule for one lot of processes after another, and events pass between them. "
                + "'last' is the last tick that ran to its end ('ran'), did not begin because the rule was switched off ('skipped'), was ended by that ('stopped'), or could not be run ('failed').")
            .Produces<RuleScheduleListAnswer>().Refuses(401, 403)
            .WithExample(null, """{"schedules":[{"rule":"scripts/bills.py:remind","cron":"0 7 * * *","timeZone":"Europe/Berlin","where":{"kind":"invoice","total__gt":100},"next":[{"local":"2026-11-25T07:00:00+01:00","utc":"2026-11-25T06:00:00+00:00","note":null}],"running":null,"last":{"due":"2026-11-24T06:00:00+00:00","at":"2026-11-24T06:00:00.412+00:00","outcome":"ran","reason":null,"count":318}}]}""");
    }

    private static async Task<IResult> SchedulesAsync(HttpContext context, RuleScheduleStore store, CancellationToken cancel) =>
        Results.Ok(new RuleScheduleListAnswer([.. (await store.ListAsync(context.Holder().Tenant, cancel)).Select(RuleScheduleAnswer.Of)]));

    private static async Task<IResult> ListAsync(HttpContext context, FileKeeper keeper, CancellationToken cancel)
    {
        try
        {
            return Results.Ok(new RuleListAnswer([.. (await keeper.RulesAsync(context.Holder().Tenant, cancel)).Where(rule => rule.IsRule).Select(RuleAnswer.Of)]));
        }
        catch (SandboxUnavailable unavailable)
        {
            return Unavailable(unavailable);
        }
    }

    private static async Task<IResult> GraphAsync(HttpContext context, FileKeeper keeper, EventStore events, CancellationToken cancel)
    {
        var tenant = context.Holder().Tenant;
        try
        {
            var rules = await keeper.RulesAsync(tenant, cancel);
            var graph = RuleGraph.Of(rules);
            var seen = await events.RecentKeysAsync(tenant, [.. graph.Unset.Select(unset => unset.Key)], cancel);
            return Results.Ok(new RuleGraphAnswer(
                [.. rules.Select(rule => rule.Id)],
                graph.Edges,
                [.. graph.Loops.Select(RuleLoopAnswer.Of)],
                [.. graph.Unset.Where(unset => !seen.Contains(unset.Key)).Select(unset => KeyOfRulesAnswer.Of(unset, $"{And(unset.Rules)} {(unset.Rules.Count == 1 ? "listens" : "listen")} to {unset.Key}, which no rule sets and none of the last {EventStore.RecentEvents:N0} events has set."))],
                [.. graph.Unread.Select(unread => KeyOfRulesAnswer.Of(unread, $"{And(unread.Rules)} {(unread.Rules.Count == 1 ? "sets" : "set")} {unread.Key}, which no rule reads or listens to."))],
                [.. rules.Where(rule => rule.Look.UnknownReads).Select(rule => rule.Id)],
                [.. rules.Where(rule => rule.Look.UnknownWrites).Select(rule => rule.Id)]));
        }
        catch (SandboxUnavailable unavailable)
        {
            return Unavailable(unavailable);
        }
    }

    private static Problem Unavailable(SandboxUnavailable unavailable) => new(ProblemType.Unavailable, $"The rules can not be looked at now: {unavailable.Message}");

    internal static string And(IReadOnlyList<string> names) => names.Count == 1 ? names[0] : $"{string.Join(", ", names.SkipLast(1))} and {names[^1]}";
}

public sealed record RuleListAnswer(IReadOnlyList<RuleAnswer> Rules);

/// <summary>A rule, as far as its text says.</summary>
/// <param name="ListensTo">Null where it is computed.</param>
/// <param name="Schedule">Null where it has none; empty where it is computed.</param>
/// <param name="CheckReads">What check reads; <c>reads</c> has it too.</param>
/// <param name="UnknownReads">It may read other keys, too.</param>
/// <param name="UnknownWrites">It may write other keys, too.</param>
public sealed record RuleAnswer(
    string Id, string File, string Class, int Line, int EndLine, IReadOnlyList<string>? ListensTo, string? Schedule,
    IReadOnlyList<string> Reads, IReadOnlyList<string> CheckReads, IReadOnlyList<string> Writes, bool UnknownReads, bool UnknownWrites)
{
    internal static RuleAnswer Of(PlacedRule rule) => new(
        rule.Id, rule.File, rule.Look.Name, rule.Look.Line, rule.Look.EndLine, rule.Look.ListensTo, rule.Look.Schedule,
        rule.Look.Reads, rule.Look.CheckReads, rule.Look.Writes, rule.Look.UnknownReads, rule.Look.UnknownWrites);
}

/// <summary>Who wakes whom.</summary>
/// <param name="Nodes">The rules in force by their ids, and the libraries and API scripts that have to do with KVPs by their paths.</param>
/// <param name="UnknownReads">Rules that may read more than their text says.</param>
/// <param name="UnknownWrites">Rules that may write more than their text says.</param>
public sealed record RuleGraphAnswer(
    IReadOnlyList<string> Nodes, IReadOnlyList<RuleEdge> Edges, IReadOnlyList<RuleLoopAnswer> Loops, IReadOnlyList<KeyOfRulesAnswer> NeverSet, IReadOnlyList<KeyOfRulesAnswer> NeverRead,
    IReadOnlyList<string> UnknownReads, IReadOnlyList<string> UnknownWrites);

/// <summary>Rules that may wake one another without end.</summary>
/// <param name="Keys">By which they do.</param>
/// <param name="Guards">Those whose check reads a key that the loop writes.</param>
/// <param name="Guarded">There is no way round without one of these.</param>
public sealed record RuleLoopAnswer(IReadOnlyList<string> Rules, IReadOnlyList<string> Keys, IReadOnlyList<string> Guards, bool Guarded, string Message)
{
    internal static RuleLoopAnswer Of(RuleLoop loop)
    {
        var who = loop.Rules.Count == 1 ? $"{loop.Rules[0]} wakes itself" : $"{RulesApi.And(loop.Rules)} wake one another";
        return new RuleLoopAnswer(
            loop.Rules, loop.Keys, loop.Guards, loop.Guarded,
            $"{who} by {RulesApi.And(loop.Keys)}; " + (loop.Guarded
                ? $"the check of {RulesApi.And(loop.Guards)} can end that."
                : "no check that reads what they set stands in between, so only a value that stays the same ends that."));
    }
}

/// <summary>A key and the rules that have to do with it.</summary>
public sealed record KeyOfRulesAnswer(string Key, IReadOnlyList<string> Rules, string Message)
{
    internal static KeyOfRulesAnswer Of(KeyOfRules key, string message) => new(key.Key, key.Rules, message);
}

/// <summary>What runs by the clock.</summary>
public sealed record RuleScheduleListAnswer(IReadOnlyList<RuleScheduleAnswer> Schedules);

/// <summary>When a rule wakes by the clock.</summary>
/// <param name="TimeZone">That in which it counts.</param>
/// <param name="Where">Which processes it is for, as its schedule_where has it; null for all.</param>
/// <param name="Next">The next times, with a note where a change of the clocks moves one; none where it never comes again.</param>
/// <param name="Running">The tick that is under way; null where none is.</param>
/// <param name="Last">The last one that ended or was skipped; null before the first.</param>
public sealed record RuleScheduleAnswer(
    string Rule, string Cron, string TimeZone, RawJson? Where, IReadOnlyList<DripRunAnswer> Next, RuleTickAnswer? Running, RuleScheduleLastAnswer? Last)
{
    private const int Told = 5;

    internal static RuleScheduleAnswer Of(RuleSchedule schedule) => new(
        schedule.Rule, schedule.Cron, schedule.TimeZone, WhereOf(schedule.Asked),
        schedule.NextAt is { } next && Cadence.TryParse(schedule.Cron, out var cadence, out _) && TimeZoneInfo.TryFindSystemTimeZoneById(schedule.TimeZone, out var zone)
            ? [.. cadence.Upcoming(zone, next.AddTicks(-1)).Take(Told).Select(DripRunAnswer.Of)] : [],
        schedule.TickDue is { } due ? new RuleTickAnswer(due, schedule.TickCount ?? 0) : null,
        schedule.Last is { } last ? new RuleScheduleLastAnswer(last.Due, last.At, last.Outcome, last.Reason, last.Count) : null);

    private static RawJson? WhereOf(string? asked)
    {
        if (asked is null)
        {
            return null;
        }

        using var json = JsonDocument.Parse(asked);
        var conditions = json.RootElement.GetProperty("where").EnumerateArray().SelectMany(clause => clause[1].EnumerateArray())
            .Select(one => $"{JsonSerializer.Serialize(one[1].GetString() is "eq" ? one[0].GetString() : $"{one[0].GetString()}__{one[1].GetString()}")}:{one[2].GetRawText()}");
        return new RawJson($"{{{string.Join(',', conditions)}}}");
    }
}

/// <summary>A tick that is under way.</summary>
/// <param name="Due">When it was due.</param>
/// <param name="Count">How many processes it has woken the rule for so far.</param>
public sealed record RuleTickAnswer(DateTimeOffset Due, long Count);

/// <summary>What became of a tick.</summary>
/// <param name="Due">When it was due.</param>
/// <param name="At">When it ended.</param>
/// <param name="Outcome">ran, skipped, stopped or failed.</param>
/// <param name="Reason">In a sentence, where there is something to say.</param>
/// <param name="Count">How many processes it woke the rule for.</param>
public sealed record RuleScheduleLastAnswer(DateTimeOffset Due, DateTimeOffset At, string Outcome, string? Reason, long Count);
