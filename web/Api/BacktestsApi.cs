using System.Text.Json;
using Eddy.Hindsight;
using Eddy.Keys;
using Eddy.Kvps;
using Eddy.Problems;
using Eddy.Runs;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>Backtests over HTTP.</summary>
public static class BacktestsApi
{
    public static void MapBacktests(this IEndpointRouteBuilder api)
    {
        var backtests = api.MapGroup("/backtests").WithTags("Hindsight");
        backtests.MapPost("/", BeginAsync).RequireScope(Scope.Write)
            .Accepts<BacktestBody>("application/json", ApiDescription.AnyType)
            .WithName("BeginBacktest").WithSummary("Try a text on a part of the log")
            .WithDescription(
                "Runs a rule of 'text', as the file 'path' over the files in force, for each change set from 'first' to 'last' (positions; without them for the last 'events') that would wake it or woke the rule of this name, on the state of then. What it does is told and not fed back. "
                + "At most 200,000 events, and one at a time for a tenant. It goes on by itself: ask for its number until 'result' is there.")
            .Produces<BacktestAnswer>(202).Refuses(400, 401, 403, 409, 413)
            .WithExample(
                """{"path":"scripts/heat.py","text":"class high_temperature(Rule):\n    listens_to = [\"temperature\"]\n\n    def check(self):\n        return self.temperature > 80\n","events":10000}""",
                """{"id":"01a20941-f9f0-7989-ad4f-5e4983f1f43b","done":0,"of":0,"result":null,"stopped":null}""");
        backtests.MapGet("/{id:guid}", Read).RequireScope(Scope.Write)
            .WithName("ReadBacktest").WithSummary("Read a backtest")
            .WithDescription("How far it is, and, once it has ended, what the draft would have done beside what the rule did. The tenant's last one is kept for a while.")
            .Produces<BacktestAnswer>().Refuses(401, 403, 404);
        backtests.MapDelete("/{id:guid}", Stop).RequireScope(Scope.Write)
            .WithName("StopBacktest").WithSummary("Stop a backtest")
            .Produces(204).Refuses(401, 403, 404);
    }

    private static async Task<IResult> BeginAsync(HttpContext context, Backtests backtests, RunStore runs, WebOptions options, CancellationToken cancel)
    {
        var holder = context.Holder();
        if (await RequestBody.ReadAsync(context.Request, options.FileBytes * 2, cancel) is not { } content)
        {
            return new Problem(ProblemType.BodyTooLarge, $"A backtest takes at most {options.FileBytes * 2} bytes.");
        }

        BacktestBody? body;
        try
        {
            body = JsonSerializer.Deserialize<BacktestBody>(content, JsonSerializerOptions.Web);
        }
        catch (JsonException e)
        {
            return new Problem(ProblemType.InvalidRequest, KvpValue.MalformedJson(e));
        }

        if (DryRunBody.FileFault(body?.Path, body?.Text, options.FileBytes) is { } fault)
        {
            return new Problem(ProblemType.InvalidRequest, fault);
        }

        var (position, _, _) = await runs.ReadUsageAsync(holder.Tenant, cancel);
        var last = body!.Last ?? position;
        var first = body.First ?? Math.Max(1, last - (body.Events ?? 10_000) + 1);
        if (first < 1 || last < first || last - first >= Backtester.MostEvents)
        {
            return new Problem(ProblemType.InvalidRequest, $"'first' and 'last' are positions, at most {Backtester.MostEvents:N0} apart; 'events' is how many of the last.");
        }

        return backtests.Begin(holder.Tenant, holder.TimeZone, new BacktestQuestion(body.Path, body.Text, body.Rule, first, last)) is { } job
            ? Results.Accepted($"/api/backtests/{job.Id}", BacktestAnswer.From(job))
            : new Problem(ProblemType.InUse, "A backtest of this tenant is under way: stop it, or wait until it has ended.");
    }

    private static IResult Read(HttpContext context, Guid id, Backtests backtests) =>
        backtests.Find(context.Holder().Tenant, id) is { } job ? Results.Ok(BacktestAnswer.From(job)) : new Problem(ProblemType.NotFound, $"There is no backtest {id}.");

    private static IResult Stop(HttpContext context, Guid id, Backtests backtests)
    {
        if (backtests.Find(context.Holder().Tenant, id) is not { } job)
        {
            return new Problem(ProblemType.NotFound, $"There is no backtest {id}.");
        }

        job.Stop();
        return Results.NoContent();
    }
}

/// <summary>A text to be tried on a part of the log.</summary>
/// <param name="Path">The file that it would be, under scripts/.</param>
/// <param name="Rule">The class, where the text has several rules.</param>
/// <param name="First">The first event.</param>
/// <param name="Last">The last event.</param>
/// <param name="Events">How many of the last, in place of 'first'; 10,000 without.</param>
public sealed record BacktestBody(string Path, string Text, string? Rule, long? First, long? Last, int? Events);

/// <summary>A backtest.</summary>
/// <param name="Done">How many events are done.</param>
/// <param name="Of">Of so many; 0 while they are read.</param>
/// <param name="Result">null while it is under way, and where it was stopped.</param>
/// <param name="Stopped">Why it did not come to its end.</param>
public sealed record BacktestAnswer(Guid Id, int Done, int Of, BacktestResultAnswer? Result, string? Stopped)
{
    internal static BacktestAnswer From(BacktestJob job) => new(
        job.Id, job.Progress.Done, job.Progress.Of, job.Result is Backtest.Done done ? BacktestResultAnswer.Of(done) : null,
        job.Result switch
        {
            Backtest.Stopped stopped => stopped.Reason,
            Backtest.Faulty { Error: var error } => $"The text does not load{(error.Line is { } line ? $", at line {line}" : "")}: {error.Message}",
            Backtest.NoRule { Rules: [] } => "There is no rule in the text: a class that has Rule as its base, and listens_to.",
            Backtest.NoRule { Rules: var rules } => $"Say by 'rule' which one is to run: {RulesApi.And(rules)}.",
            _ => null,
        });
}

/// <summary>What a draft would have done, beside what the rule of its name did.</summary>
/// <param name="Events">How many events there were.</param>
/// <param name="More">How often the draft would have run where the rule did not.</param>
/// <param name="Fewer">How often the rule ran where the draft would not have.</param>
/// <param name="Otherwise">How often both ran and changed something else.</param>
/// <param name="Timeline">How often each ran, in 48 equal parts of the time.</param>
/// <param name="Examples">The first differences of each kind: more, fewer, otherwise, failed.</param>
public sealed record BacktestResultAnswer(
    string Rule, long First, long Last, DateTimeOffset From, DateTimeOffset To, int Events, BacktestSide Draft, BacktestSide Record, int More, int Fewer, int Otherwise, IReadOnlyList<BacktestPart> Timeline,
    IReadOnlyList<BacktestExample> Examples, IReadOnlyList<string> Notes)
{
    internal static BacktestResultAnswer Of(Backtest.Done done) => new(
        done.Rule, done.First, done.Last, done.From, done.To, done.Events, done.Draft, done.Record, done.More, done.Fewer, done.Otherwise, done.Timeline, done.Examples, done.Notes);
}
