using Eddy.Apps;
using Eddy.Files;
using Eddy.Keys;
using Eddy.Problems;
using Eddy.Rules;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>A tenant's files as one thing: out as a zip, in as one, the difference first.</summary>
public static class AppApi
{
    public static void MapApp(this IEndpointRouteBuilder api)
    {
        var app = api.MapGroup("/app").WithTags("Apps");
        app.MapGet("/", ExportAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("ExportApp").WithSummary("Export all files")
            .WithDescription("The tree as a zip: each file as it was last saved, at its path.")
            .Produces(200, contentType: "application/zip").Refuses(401, 403);
        app.MapPost("/plan", PlanAsync).RequireScope(Scope.Write)
            .WithName("PlanImport").WithSummary("See what an import would come to")
            .WithDescription(
                "The body is a zip with a tenant's folders, in a folder of its own or not. The answer says of each file whether it is new, changed or the same, what of it was Python 2 and was converted, what a person has to look at, and what keeps it out of force. "
                + "Nothing is saved, and nothing of it is executed.")
            .Accepts<byte[]>("application/zip", ApiDescription.AnyType)
            .Produces<PlanAnswer>().Refuses(400, 401, 403, 413, 503);
        app.MapPost("/", ImportAsync).RequireScope(Scope.Write)
            .WithName("ImportApp").WithSummary("Import an app")
            .WithDescription(
                "The body is a zip as for the plan. Its files are added or take the place of those that are there, as one version of the tree; other files stay. It is done whole or not at all: a file with faults refuses all of it, and so does, with If-Match and the 'tree' of a plan, "
                + "whatever was saved since that plan.")
            .Accepts<byte[]>("application/zip", ApiDescription.AnyType)
            .Produces<ImportAnswer>().Refuses(400, 401, 403, 412, 413, 422, 503);
    }

    private static async Task<IResult> ExportAsync(HttpContext context, AppDesk desk, CancellationToken cancel)
    {
        var holder = context.Holder();
        return Results.File(await desk.ExportAsync(holder.Tenant, cancel), "application/zip", "app.zip");
    }

    private static async Task<IResult> PlanAsync(HttpContext context, AppDesk desk, CancellationToken cancel)
    {
        var (plan, problem) = await ReadAsync(context, desk, cancel);
        return problem ?? Results.Ok(PlanAnswer.Of(plan!));
    }

    private static async Task<IResult> ImportAsync(HttpContext context, AppDesk desk, CancellationToken cancel)
    {
        if (!Precondition.TryRead(context.Request, out var condition, out var fault))
        {
            return fault!;
        }

        var (plan, problem) = await ReadAsync(context, desk, cancel);
        if (problem is not null)
        {
            return problem;
        }

        if (!condition.Holds(plan!.TreeVersion))
        {
            return Precondition.Changed("The tree", plan.TreeVersion);
        }

        if (plan.IsFaulty)
        {
            var first = plan.Files.First(file => file.Check.Faults is not null);
            var why = FileFault.Of(first.Check.Faults)[0];
            return new Problem(ProblemType.Refused, $"Nothing was imported, because {first.Path} could not be in force: {(why.Line is { } line ? $"line {line}: " : "")}{why.Message}");
        }

        var holder = context.Holder();
        return await desk.ImportAsync(holder.Tenant, plan, holder.Actor, cancel) switch
        {
            ImportOutcome.Imported imported => Results.Ok(new ImportAnswer(imported.Version, imported.Files, PlanAnswer.Of(plan))),
            ImportOutcome.Changed => new Problem(ProblemType.PreconditionFailed, "Somebody saved a file meanwhile. Nothing was imported; look at the difference again."),
            _ => new Problem(ProblemType.TooMany, $"A tenant has at most {FileStore.MostFiles} files. Nothing was imported."),
        };
    }

    private static async Task<(AppPlan? Plan, IResult? Problem)> ReadAsync(HttpContext context, AppDesk desk, CancellationToken cancel)
    {
        if (await RequestBody.ReadAsync(context.Request, AppDesk.MostZip, cancel) is not { } zip)
        {
            return (null, new Problem(ProblemType.BodyTooLarge, $"A zip has at most {AppDesk.MostZip} bytes."));
        }

        try
        {
            return (await desk.PlanAsync(context.Holder().Tenant, new MemoryStream(zip), cancel), null);
        }
        catch (AppFault fault)
        {
            return (null, new Problem(ProblemType.InvalidRequest, fault.Message));
        }
        catch (SandboxUnavailable unavailable)
        {
            return (null, new Problem(ProblemType.Unavailable, $"The files can not be checked now, and nothing was imported: {unavailable.Message}"));
        }
    }
}

/// <summary>What an import would come to.</summary>
/// <param name="Tree">The version of the tree that it was compared with; for If-Match.</param>
/// <param name="MayImport">False where a file has faults.</param>
/// <param name="Left">What of the zip is no file that a tenant may have, and why.</param>
public sealed record PlanAnswer(long Tree, bool MayImport, IReadOnlyList<PlannedAnswer> Files, IReadOnlyList<LeftOut> Left)
{
    internal static PlanAnswer Of(AppPlan plan) => new(plan.TreeVersion, !plan.IsFaulty, [.. plan.Files.Select(PlannedAnswer.Of)], plan.Left);
}

/// <summary>A file of an app.</summary>
/// <param name="Kind"><c>new</c>, <c>changed</c> or <c>same</c>.</param>
/// <param name="Converted">What of it was Python 2 and is Python 3 now; the lines are those of the text at that time.</param>
/// <param name="ToSee">What a person has to look at, because Python 3 takes it otherwise or has it no more.</param>
/// <param name="Faults">Why it could not be in force.</param>
public sealed record PlannedAnswer(string Path, string Kind, IReadOnlyList<ConvertedAnswer> Converted, IReadOnlyList<ConvertedAnswer> ToSee, IReadOnlyList<FileFault> Faults)
{
    internal static PlannedAnswer Of(PlannedFile file) => new(
        file.Path, file.Kind switch { PlannedKind.New => "new", PlannedKind.Changed => "changed", _ => "same" },
        [.. file.Converted.Select(ConvertedAnswer.Of)], [.. file.ToSee.Select(ConvertedAnswer.Of)], FileFault.Of(file.Check.Faults));
}

public sealed record ConvertedAnswer(int Line, string Message)
{
    internal static ConvertedAnswer Of(Finding finding) => new(finding.Line, finding.Message);
}

/// <summary>An import that was done.</summary>
/// <param name="Version">The version of the tree that it made.</param>
/// <param name="Files">How many files it saved.</param>
public sealed record ImportAnswer(long Version, int Files, PlanAnswer Plan);
