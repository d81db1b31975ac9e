using System.Diagnostics;
using Eddy.Ingest;
using Eddy.Keys;
using Eddy.Kvps;
using Eddy.Problems;
using Eddy.Schedules;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>
/// A tenant's drips over HTTP: written, previewed, run by hand, deleted. The ETag of a drip is its version, which its runs leave as it is. A PUT without <c>If-Match</c> overwrites; with it, it is
/// refused where somebody else did meanwhile.
/// </summary>
public static class DripsApi
{
    private const int Previewed = 5;

    public static void MapDrips(this IEndpointRouteBuilder api)
    {
        var drips = api.MapGroup("/drips").WithTags("Drips");
        drips.MapGet("/", ListAsync).RequireScope(Scope.Read)
            .WithName("ListDrips").WithSummary("List the drips")
            .WithDescription("All drips by name, each with when it runs next and what became of it when it was due last.")
            .Produces<DripListAnswer>().Refuses(401, 403);
        drips.MapGet("/{name}", ReadAsync).RequireScope(Scope.Read)
            .WithName("ReadDrip").WithSummary("Read a drip")
            .Produces<DripAnswer>().Refuses(401, 403, 404);
        drips.MapPut("/{name}", SaveAsync).RequireScope(Scope.Write)
            .WithName("SaveDrip").WithSummary("Save a drip")
            .WithDescription(
                "Makes or overwrites a drip: each time that 'cron' says, the KVPs of its text become a new process. 'cron' has five fields and counts in 'timeZone', or in the tenant's time zone where that is absent. "
                + "With 'on' false it is kept and does not run. With If-Match only the version that was named is overwritten; with 'If-None-Match: *' only a new drip is made. "
                + "By a key that acts for a person it takes that they may set its KVPs.")
            .Accepts<DripRequest>("application/json", ApiDescription.AnyType)
            .Produces<DripAnswer>().Produces<DripAnswer>(201).Refuses(400, 401, 403, 412, 413)
            .WithExample("""{"cron":"30 2 * * *","kvps":"report := daily\nday := 2026-11-24","timeZone":"Europe/Berlin","on":true}""",
                """{"name":"nightly","cron":"30 2 * * *","timeZone":"Europe/Berlin","kvps":"report := daily\nday := 2026-11-24","on":true,"version":1795600800000000,"createdAt":"2026-11-24T10:00:00+00:00","createdBy":"key:editor","changedAt":"2026-11-24T10:00:00+00:00","changedBy":"key:editor","next":{"local":"2026-11-25T02:30:00+01:00","utc":"2026-11-25T01:30:00+00:00","note":null},"last":null,"missed":0}""");
        drips.MapDelete("/{name}", DeleteAsync).RequireScope(Scope.Write)
            .WithName("DeleteDrip").WithSummary("Delete a drip")
            .WithDescription("It is due no more. The processes that it has made stay.")
            .Produces(204).Refuses(401, 403, 404, 412);
        drips.MapPost("/{name}/run", RunAsync).RequireScope(Scope.Write)
            .WithName("RunDrip").WithSummary("Run a drip now")
            .WithDescription("Puts its KVPs in once, as a new process, whether it is on or off; its source is 'drip', its actor the caller. When it runs next stays as it is.")
            .Produces<ArrivalAnswer>(202).Refuses(401, 403, 404, 429, 503)
            .WithExample(null, """{"arrival":"01a20941-f9f0-7989-ad4f-5e4983f1f43b","pid":15}""");
        drips.MapPost("/preview", PreviewAsync).RequireScope(Scope.Read)
            .WithName("PreviewDrip").WithSummary("Preview a drip")
            .WithDescription(
                "What a drip that is being written would do, and nothing is saved: the KVPs that its text comes to, with their kinds; when it would run the next five times, with a note where a change of the clocks moves it; "
                + "and what is wrong, with line and column. Any part may be absent.")
            .Accepts<DripPreviewRequest>("application/json", ApiDescription.AnyType)
            .Produces<DripPreviewAnswer>().Refuses(400, 401, 403, 413)
            .WithExample("""{"cron":"30 2 * * *","kvps":"limit := 90\nthis is none"}""",
                """{"timeZone":"Europe/Berlin","kvps":[{"key":"limit","kind":"integer","value":90}],"runs":[{"local":"2027-03-28T03:00:00+02:00","utc":"2027-03-28T01:00:00+00:00","note":"The clocks go forward, and 02:30 does not come on this day: it runs when they jump, at 03:00."}],"faults":[{"field":"kvps","line":2,"column":1,"message":"This line is no KVP, which is written key := value, and does not belong to the value above it."}]}""");
    }

    private static async Task<IResult> ListAsync(HttpContext context, DripStore drips, CancellationToken cancel) =>
        Results.Ok(new DripListAnswer([.. (await drips.ListAsync(context.Holder().Tenant, cancel)).Select(DripAnswer.Of)]));

    private static async Task<IResult> ReadAsync(HttpContext context, string name, DripStore drips, CancellationToken cancel)
    {
        if (Drip.NameFault(name) is not null || await drips.FindAsync(context.Holder().Tenant, name, cancel) is not { } drip)
        {
            return NotThere();
        }

        context.Response.Headers.ETag = Precondition.ETag(drip.Version);
        return Results.Ok(DripAnswer.Of(drip));
    }

    private static async Task<IResult> SaveAsync(HttpContext context, string name, DripStore drips, DoorOptions limits, CancellationToken cancel)
    {
        if (Drip.NameFault(name) is { } nameFault)
        {
            return new Problem(ProblemType.InvalidRequest, nameFault);
        }

        if (!Precondition.TryRead(context.Request, out var condition, out var problem))
        {
            return problem!;
        }

        if (await RequestBody.ReadAsync(context.Request, DripBody.MostBytes, cancel) is not { } json)
        {
            return TooLarge();
        }

        if (DripBody.Read(json, takesOn: true, out problem) is not { } body || body.ToDrip(limits, out problem) is not { } drip)
        {
            return problem!;
        }

        if (context.Access().SetFault(null, [drip.Changes], (_, _) => "/kvps") is { } denied)
        {
            return denied;
        }

        var holder = context.Holder();
        switch (await drips.SaveAsync(holder.Tenant, name, drip, holder.Actor, condition, cancel))
        {
            case DripOutcome.Saved saved:
                context.Response.Headers.ETag = Precondition.ETag(saved.Drip.Version);
                var answer = DripAnswer.Of(saved.Drip);
                return saved.IsNew ? Results.Created(context.Request.Path.ToUriComponent(), answer) : Results.Ok(answer);
            case DripOutcome.Changed changed:
                return Precondition.Changed($"The drip {name}", changed.Version);
            default:
                return new Problem(ProblemType.TooMany, $"A tenant has at most {Drip.MostDrips} drips; delete one that is not needed.");
        }
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string name, DripStore drips, CancellationToken cancel)
    {
        if (!Precondition.TryRead(context.Request, out var condition, out var problem))
        {
            return problem!;
        }

        return Drip.NameFault(name) is not null ? NotThere() : await drips.DeleteAsync(context.Holder().Tenant, name, condition, cancel) switch
        {
            null => NotThere(),
            DripOutcome.Changed changed => Precondition.Changed($"The drip {name}", changed.Version),
            _ => Results.NoContent(),
        };
    }

    private static async Task<IResult> RunAsync(HttpContext context, string name, DripStore drips, Door door, CancellationToken cancel)
    {
        var holder = context.Holder();
        if (Drip.NameFault(name) is not null || await drips.FindAsync(holder.Tenant, name, cancel) is not { } drip)
        {
            return NotThere();
        }

        var changes = ChangeList.Read(drip.Changes);
        if (context.Access().SetFault(null, [changes], (_, _) => null) is { } denied)
        {
            return denied;
        }

        var arrival = new NewArrival(holder.Tenant, null, changes, holder.Actor, Drip.Source, Activity.Current?.Id);
        return await door.AcceptAsync([arrival], null, WaitFor.Nothing, TimeSpan.Zero, cancel) switch
        {
            DoorAnswer.Accepted { Arrivals: [var accepted] } => Results.Accepted(null, new ArrivalAnswer(accepted.Arrival, accepted.Pid)),
            DoorAnswer.TooMany tooMany => new Problem(ProblemType.TooManyRequests, "More of this tenant's events are waiting than may. Run it a little later.", retryAfter: tooMany.RetryAfter),
            DoorAnswer.Unavailable unavailable => new Problem(ProblemType.Unavailable, unavailable.Why),
            var other => throw new InvalidOperationException($"The door answered {other.GetType().Name}."),
        };
    }

    private static async Task<IResult> PreviewAsync(HttpContext context, DoorOptions limits, TimeProvider time, CancellationToken cancel)
    {
        if (await RequestBody.ReadAsync(context.Request, DripBody.MostBytes, cancel) is not { } json)
        {
            return TooLarge();
        }

        if (DripBody.Read(json, takesOn: false, out var problem) is not { } body)
        {
            return problem!;
        }

        return Results.Ok(DripPreviewAnswer.Of(body, context.Holder().TimeZone, limits, time.GetUtcNow(), Previewed));
    }

    private static Problem TooLarge() => new(ProblemType.BodyTooLarge, $"A drip is sent in at most {DripBody.MostBytes} bytes; its text has at most {Drip.MostTextBytes}.");

    private static Problem NotThere() => new(ProblemType.NotFound, "There is no drip of this name.");
}

/// <summary>A drip as it is written.</summary>
/// <param name="Cron">Minute, hour, day of month, month, day of week.</param>
/// <param name="Kvps">Lines of key := value.</param>
/// <param name="TimeZone">An IANA time zone; the tenant's where absent or null.</param>
/// <param name="On">Whether it runs; true where absent.</param>
public sealed record DripRequest(string Cron, string Kvps, string? TimeZone, bool? On);

/// <summary>A drip that is being written.</summary>
public sealed record DripPreviewRequest(string? Cron, string? Kvps, string? TimeZone);

/// <summary>A moment at which a drip runs.</summary>
/// <param name="Local">In its time zone.</param>
/// <param name="Note">What a change of the clocks does to it, in a sentence; null where there is none.</param>
public sealed record DripRunAnswer(DateTimeOffset Local, DateTimeOffset Utc, string? Note)
{
    internal static DripRunAnswer Of(UpcomingRun run) => new(run.At, run.At.ToUniversalTime(), run.Note);
}

/// <summary>What became of a drip when it was due last.</summary>
/// <param name="Due">When that was.</param>
/// <param name="At">When it was seen to.</param>
/// <param name="Outcome">ran, refused or failed.</param>
/// <param name="Reason">Why it did not run, in a sentence.</param>
/// <param name="Pid">The process that it made.</param>
public sealed record DripLastAnswer(DateTimeOffset Due, DateTimeOffset At, string Outcome, string? Reason, long? Pid, Guid? Arrival);

/// <summary>A drip.</summary>
/// <param name="TimeZone">Its own; null for the tenant's.</param>
/// <param name="Version">Of what was written, not of its runs; its ETag.</param>
/// <param name="Next">When it runs next; null while it is off, and where it never does.</param>
/// <param name="Last">The last time that it was due; null before the first.</param>
/// <param name="Missed">How often it was due, since it ran last, and nothing came of it.</param>
public sealed record DripAnswer(
    string Name, string Cron, string? TimeZone, string Kvps, bool On, long Version, DateTimeOffset CreatedAt, string CreatedBy, DateTimeOffset ChangedAt, string ChangedBy,
    DripRunAnswer? Next, DripLastAnswer? Last, int Missed)
{
    internal static DripAnswer Of(StoredDrip drip) => new(
        drip.Name, drip.Cron, drip.TimeZone, drip.Kvps, drip.IsOn, drip.Version, drip.CreatedAt, drip.CreatedBy, drip.ChangedAt, drip.ChangedBy,
        drip.NextAt is { } next ? NextOf(drip, next) : null,
        drip.Last is { } last ? new DripLastAnswer(last.Due, last.At, last.Outcome, last.Reason, last.Pid, last.Arrival) : null,
        drip.Missed);

    private static DripRunAnswer NextOf(StoredDrip drip, DateTimeOffset next) =>
        Cadence.TryParse(drip.Cron, out var cadence, out _) && TimeZoneInfo.TryFindSystemTimeZoneById(drip.ZoneInForce, out var zone)
            ? DripRunAnswer.Of(cadence.RunAt(zone, next))
            : new DripRunAnswer(next, next, null);
}

public sealed record DripListAnswer(IReadOnlyList<DripAnswer> Drips);

/// <summary>A KVP of a drip's text.</summary>
/// <param name="Kind">none, boolean, integer, float, text, list, dictionary, date, time, datetime, decimal or process.</param>
/// <param name="Value">As canonical JSON.</param>
public sealed record DripKvpAnswer(string Key, string Kind, RawJson Value);

/// <summary>What a drip that is being written would do.</summary>
/// <param name="TimeZone">The time zone in which it counts.</param>
/// <param name="Kvps">The KVPs of the lines that can be read.</param>
/// <param name="Runs">The next times; none where 'cron' is absent or wrong.</param>
/// <param name="Faults">What is wrong; a drip with any can not be saved.</param>
public sealed record DripPreviewAnswer(string TimeZone, IReadOnlyList<DripKvpAnswer> Kvps, IReadOnlyList<DripRunAnswer> Runs, IReadOnlyList<DripFault> Faults)
{
    internal static DripPreviewAnswer Of(DripBody body, string tenantZone, DoorOptions limits, DateTimeOffset now, int runs)
    {
        var faults = new List<DripFault>();
        Cadence? cadence = null;
        if (body.Cron is not null && !Cadence.TryParse(body.Cron, out cadence, out var cronFault))
        {
            faults.Add(new DripFault("cron", 1, cronFault.Column, cronFault.Detail));
        }

        var zoneFault = body.TimeZone is null ? null : Tenant.TimeZoneFault(body.TimeZone);
        if (zoneFault is not null)
        {
            faults.Add(new DripFault("timeZone", 1, 1, zoneFault));
        }

        IReadOnlyList<Change> changes = [];
        if (body.Kvps is not null)
        {
            changes = body.ReadKvps(limits, out var kvpFaults);
            faults.AddRange(kvpFaults);
        }

        var zone = zoneFault is null ? body.TimeZone ?? tenantZone : tenantZone;
        return new DripPreviewAnswer(
            zone,
            [.. changes.Select(change => new DripKvpAnswer(change.Key, KvpKind.Of(change.Value!), new RawJson(change.Value!)))],
            cadence is null || zoneFault is not null ? [] : [.. cadence.Upcoming(TimeZoneInfo.FindSystemTimeZoneById(zone), now).Take(runs).Select(DripRunAnswer.Of)],
            faults);
    }
}
