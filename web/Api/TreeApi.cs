using System.Text;
using System.Text.Json;
using Eddy.Apps;
using Eddy.Files;
using Eddy.Keys;
using Eddy.Kvps;
using Eddy.Problems;
using Eddy.Rules;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>A tenant's tree for who has a copy of it: what there is, by versions and hashes, and changes of several files as one version.</summary>
public static class TreeApi
{
    private const string Example = """{"files":[{"path":"scripts/heat.py","seen":7,"text":"class hot(Rule):\n    listens_to = [\"temperature\"]\n"},{"path":"scripts/old.py","seen":3,"text":null}]}""";

    public static void MapTree(this IEndpointRouteBuilder api)
    {
        var tree = api.MapGroup("/tree").WithTags("Files");
        tree.MapGet("/", ReadAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("ReadTree").WithSummary("Read what files there are")
            .WithDescription("Each file's version, size and SHA-256, and the version of the tree that they are: for who has a copy, to see what of it is another.")
            .Produces<TreeAnswer>().Refuses(401, 403)
            .WithExample(null, """{"tenant":"demo","version":12,"files":[{"path":"scripts/heat.py","version":7,"size":60,"sha256":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}]}""");
        tree.MapPost("/", ChangeAsync).RequireScope(Scope.Write)
            .Accepts<TreeBody>("application/json", ApiDescription.AnyType)
            .WithName("ChangeTree").WithSummary("Change several files at once")
            .WithDescription(
                "Saves and deletes files as one version of the tree, whole or not at all. Of each file 'seen' is the version that was changed, null for a new one: where it has another by now, all is refused, and so it is with If-Match where the tree has another version than that. "
                + "A file that could not be in force refuses all, too: 'errors' has the places, as path:line:column: error: message. With 'dry=true' nothing is saved, and the answer says what it would come to.")
            .Produces<TreeChangedAnswer>().Refuses(400, 401, 403, 412, 413, 422, 503)
            .WithExample(Example, """{"version":13,"saved":true,"files":[{"path":"scripts/heat.py","kind":"changed","findings":[]},{"path":"scripts/old.py","kind":"removed","findings":[]}]}""");
    }

    private static async Task<IResult> ReadAsync(HttpContext context, FileStore files, CancellationToken cancel)
    {
        var holder = context.Holder();
        var (version, marks) = await files.ListTreeAsync(holder.Tenant, cancel);
        context.Response.Headers.ETag = Precondition.ETag(version);
        return Results.Ok(new TreeAnswer(holder.Slug, version, marks));
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, AppDesk desk, FileKeeper keeper, CancellationToken cancel, bool dry = false)
    {
        if (!Precondition.TryRead(context.Request, out var condition, out var unread))
        {
            return unread!;
        }

        if (await RequestBody.ReadAsync(context.Request, AppDesk.MostZip, cancel) is not { } content)
        {
            return new Problem(ProblemType.BodyTooLarge, $"Changes of the tree have at most {AppDesk.MostZip} bytes together.");
        }

        if (!TreeBody.TryRead(content, keeper.MostBytes, out var changes, out var fault))
        {
            return new Problem(ProblemType.InvalidRequest, fault);
        }

        var holder = context.Holder();
        AppPlan plan;
        try
        {
            plan = await desk.PlanAsync(holder.Tenant, changes, cancel);
        }
        catch (SandboxUnavailable unavailable)
        {
            return new Problem(ProblemType.Unavailable, $"The files can not be checked now, and nothing was saved: {unavailable.Message}");
        }

        return !condition.Holds(plan.TreeVersion) ? Precondition.Changed("The tree", plan.TreeVersion)
            : Stale(plan, changes) ?? Faulty(plan)
            ?? (dry ? Results.Ok(new TreeChangedAnswer(plan.TreeVersion, false, ChangedFile.Of(plan))) : await SaveAsync(holder, desk, plan, cancel));
    }

    private static async Task<IResult> SaveAsync(KeyHolder holder, AppDesk desk, AppPlan plan, CancellationToken cancel) =>
        !plan.Changes.Any() ? Results.Ok(new TreeChangedAnswer(plan.TreeVersion, false, ChangedFile.Of(plan)))
        : await desk.ImportAsync(holder.Tenant, plan, holder.Actor, cancel) switch
        {
            ImportOutcome.Imported imported => Results.Ok(new TreeChangedAnswer(imported.Version, true, ChangedFile.Of(plan))),
            ImportOutcome.Changed => new Problem(ProblemType.PreconditionFailed, "Somebody saved a file meanwhile. Nothing was saved; look at what they did first."),
            _ => new Problem(ProblemType.TooMany, $"A tenant has at most {FileStore.MostFiles} files. Nothing was saved."),
        };

    private static Problem? Stale(AppPlan plan, IReadOnlyList<TreeChange> changes) =>
        plan.Files.Zip(changes).FirstOrDefault(pair => pair.First.Kind != PlannedKind.Same && pair.First.Was != pair.Second.Seen) is { First: { } file } ? Precondition.Changed(file.Path, file.Was) : null;

    private static Problem? Faulty(AppPlan plan)
    {
        var errors = plan.Files.SelectMany((file, at) => FileFault.Of(file.Check.Faults).Select(fault => new FieldError(
            $"{file.Path}{(fault.Line is { } line ? $":{line}" : "")}{(fault.Column is { } column ? $":{column}" : "")}: error: {fault.Message}", $"/files/{at}/text"))).ToList();
        return errors.Count == 0 ? null : new Problem(ProblemType.Refused, $"Nothing was saved, because {RulesApi.And([.. plan.Files.Where(file => file.Check.Faults is not null).Select(file => file.Path)])} could not be in force.", errors);
    }
}

/// <summary>A tree, without what is in its files.</summary>
/// <param name="Tenant">The slug of the tenant whose it is.</param>
/// <param name="Version">For If-Match.</param>
public sealed record TreeAnswer(string Tenant, long Version, IReadOnlyList<FileMark> Files);

/// <summary>Changes of a tree.</summary>
public sealed record TreeBody(IReadOnlyList<TreeBodyFile?>? Files)
{
    internal static bool TryRead(byte[] content, int mostBytes, out IReadOnlyList<TreeChange> changes, out string fault)
    {
        (changes, fault) = ([], "");
        TreeBody? body;
        try
        {
            body = JsonSerializer.Deserialize<TreeBody>(content, JsonSerializerOptions.Web);
        }
        catch (JsonException e)
        {
            fault = KvpValue.MalformedJson(e);
            return false;
        }

        if (body?.Files is not { Count: > 0 and <= FileStore.MostFiles } files)
        {
            fault = $"'files' is a list of 1 to {FileStore.MostFiles} files: path, seen, and text, or base64 where it is no text.";
            return false;
        }

        var read = new List<TreeChange>();
        foreach (var file in files)
        {
            fault = file?.Path is not { } path ? "A file of 'files' has no 'path'."
                : FilePath.Fault(path) is { } wrong ? $"{path}: {wrong}"
                : file is { Text: not null, Base64: not null } ? $"{path}: it has 'text' or 'base64', not both."
                : read.Exists(one => one.Path == path) ? $"{path} is there twice."
                : !file.TryContent(out var bytes) ? $"{path}: 'base64' is none."
                : bytes?.Length > mostBytes ? $"{path} has more than {mostBytes} bytes, which is what a file may have."
                : "";
            if (fault.Length > 0)
            {
                return false;
            }

            file!.TryContent(out var whole);
            read.Add(new TreeChange(file.Path!, whole, file.Seen));
        }

        changes = read;
        return true;
    }
}

/// <summary>A file that is changed.</summary>
/// <param name="Seen">The version that was changed; null for a new file.</param>
/// <param name="Text">What it is to say; null, and no base64, where it is to go.</param>
/// <param name="Base64">The same of what is no text.</param>
public sealed record TreeBodyFile(string? Path, long? Seen, string? Text, string? Base64)
{
    internal bool TryContent(out byte[]? content)
    {
        content = Text is null ? null : Encoding.UTF8.GetBytes(Text);
        if (Base64 is null)
        {
            return true;
        }

        content = new byte[Base64.Length];
        if (!Convert.TryFromBase64String(Base64, content, out var length))
        {
            return false;
        }

        content = content[..length];
        return true;
    }
}

/// <summary>What changes came to.</summary>
/// <param name="Version">The version of the tree: the one that they made, or that of before where nothing was saved.</param>
/// <param name="Saved">False where it was a try, and where there was nothing to save.</param>
public sealed record TreeChangedAnswer(long Version, bool Saved, IReadOnlyList<ChangedFile> Files);

/// <summary>What became of a file.</summary>
/// <param name="Kind"><c>new</c>, <c>changed</c>, <c>removed</c> or <c>same</c>.</param>
/// <param name="Findings">What was found in it that does not keep it out of force.</param>
public sealed record ChangedFile(string Path, string Kind, IReadOnlyList<Finding> Findings)
{
    internal static IReadOnlyList<ChangedFile> Of(AppPlan plan) => [.. plan.Files.Select(file => new ChangedFile(
        file.Path, file.Kind switch { PlannedKind.New => "new", PlannedKind.Changed => "changed", PlannedKind.Removed => "removed", _ => "same" }, file.Findings))];
}
