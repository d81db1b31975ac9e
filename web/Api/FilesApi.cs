using System.Globalization;
using System.Text.Json;
using Eddy.Files;
using Eddy.Keys;
using Eddy.Problems;
using Eddy.Rules;
using Eddy.Sandbox;
using Eddy.Tenants;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace Eddy.Api;

/// <summary>
/// A tenant's files over HTTP: rules, libraries and what belongs to them. The ETag of a file is the tree version that its last save made. A PUT without
/// <c>If-Match</c> overwrites; with it, it is refused where somebody else saved meanwhile.
/// </summary>
public static class FilesApi
{
    internal const string CheckSuffix = "/check";

    private static readonly FileExtensionContentTypeProvider ContentTypes = new() { Mappings = { [".py"] = "text/x-python" } };

    public static void MapFiles(this IEndpointRouteBuilder api)
    {
        var files = api.MapGroup("/files").WithTags("Files");
        files.MapGet("/", ListAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("ListFiles").WithSummary("List the files")
            .WithDescription(
                "All files by path, without their contents. 'faults' says why the version that was saved last does not compile, 'findings' all that was found in it, warnings too; 'loadFaults' and 'loadLog' what happened and what was printed when the version in force was last "
                + "loaded, as it is with the first event after a save: a file that fails there is not in force either.")
            .Produces<FileListAnswer>().Refuses(401, 403);
        files.MapGet("/{**path}", ReadAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("ReadFile").WithSummary("Read a file")
            .WithDescription("The file as it was last saved, byte for byte. Its version is the ETag; X-Eddy-In-Force names the version that is in force, where that is another or none.")
            .Produces(200, contentType: "application/octet-stream").Produces(304).Refuses(401, 403, 404);
        files.MapPut("/{**path}", SaveAsync).RequireScope(Scope.Write)
            .WithName("SaveFile").WithSummary("Save a file")
            .WithDescription(
                "Makes or overwrites a file; the body is its content, whatever the content type. Python under scripts/, api/ and libraries/ is compiled: where that fails, the file is saved, "
                + "'faults' says why, and the version that was in force stays so. requirements.txt is resolved, and its packages and requirements.lock come into force with it; where that fails, "
                + "'faults' says why, and the packages that were in force stay so. 'findings' are the faults of Python and what else was found, as POST /api/files/{path}/check gives them. With If-Match only the version that was named is overwritten; with 'If-None-Match: *' only a new file is made.")
            .Accepts<byte[]>("text/x-python", ApiDescription.AnyType)
            .Produces<FileAnswer>().Produces<FileAnswer>(201).Refuses(400, 401, 403, 412, 413, 503)
            .WithExample("class hot(Rule):\n    listens_to = [\"temperature\"]\n", """{"path":"scripts/heat.py","version":2,"inForce":1,"size":60,"author":"key:editor","savedAt":"2026-11-23T10:00:00+00:00","faults":[{"line":3,"column":5,"message":"print is a function in Python 3; write print(\"hot\")"}],"findings":[{"severity":"error","code":"python-2-print","line":3,"column":5,"endLine":3,"endColumn":16,"message":"print is a function in Python 3; write print(\"hot\")","fix":{"line":3,"column":5,"endLine":3,"endColumn":16,"text":"print(\"hot\")"}}]}""");
        files.MapPost("/{**path:regex(/check$)}", CheckAsync).RequireScope(Scope.Write)
            .WithName("CheckFile").WithSummary("Check a file without saving it")
            .WithDescription(
                "The address is that of the file with /check behind it; the body is the content that it might have. Nothing is saved and nothing of it is executed. Findings are in the order of their places; "
                + "lines and columns count from 1, columns in UTF-16 units as editors do, and the end is the place after the last one. An 'error' would keep the file out of force, a 'warning' would not. "
                + "'fix' is a text that takes the place of what is in its range. 'rules' is what the file's rules read and write, as GET /api/rules gives it. For an editor to ask while somebody types.")
            .Accepts<byte[]>("text/x-python", ApiDescription.AnyType)
            .Produces<CheckAnswer>().Refuses(400, 401, 403, 404, 413, 503)
            .WithExample(
                "class hot(Rule):\n    listens_to == [\"temperature\"]\n",
                """{"findings":[{"severity":"error","code":"listens-to-compared","line":2,"column":5,"endLine":2,"endColumn":34,"message":"listens_to == [...] compares and sets nothing; write listens_to = [...]","fix":{"line":2,"column":16,"endLine":2,"endColumn":18,"text":"="}}],"rules":[]}""");
        files.MapDelete("/{**path}", DeleteAsync).RequireScope(Scope.Write)
            .WithName("DeleteFile").WithSummary("Delete a file")
            .WithDescription("Takes the file out of force. Its versions stay in the record.")
            .Produces(204).Refuses(400, 401, 403, 404, 412);
    }

    private static async Task<IResult> ListAsync(HttpContext context, FileStore files, CancellationToken cancel)
    {
        var tenant = context.Holder().Tenant;
        var all = await files.ListAsync(tenant, cancel);
        var loaded = await files.LoadedAsync(tenant, cancel);
        // What failed or was printed while files loaded may hold a shared KVP.
        loaded = context.Access().MayChangeRules ? loaded : null;
        var faults = loaded?.Faults is { } json ? JsonSerializer.Deserialize<List<LoadError>>(json, JsonSerializerOptions.Web)! : [];
        var logs = loaded?.Logs is { } told ? JsonSerializer.Deserialize<List<LoadLog>>(told, JsonSerializerOptions.Web)! : [];
        return Results.Ok(new FileListAnswer([.. all.Select(file => FileAnswer.Of(file) with
        {
            // What was saved since has not been tried yet.
            LoadFaults = [.. faults.Where(fault => fault.File == file.Path && file.InForce <= loaded!.Value.Version).Select(fault => new FileFault(fault.Line, fault.Column, fault.Message))],
            LoadLog = logs.Find(log => log.File == file.Path && file.InForce <= loaded!.Value.Version)?.Text,
        })]));
    }

    private static async Task<IResult> ReadAsync(HttpContext context, string path, FileStore files, CancellationToken cancel)
    {
        if (await files.FindAsync(context.Holder().Tenant, path, cancel) is not { } file)
        {
            return NotThere(path);
        }

        if (file.InForce != file.Version)
        {
            context.Response.Headers["X-Eddy-In-Force"] = file.InForce?.ToString(CultureInfo.InvariantCulture) ?? "none";
        }

        // What tenants wrote is never shown as a page of ours.
        context.Response.Headers.ContentDisposition = "attachment";
        var type = ContentTypes.TryGetContentType(path, out var known) ? known : "application/octet-stream";
        return Results.Bytes(
            file.Content, type.StartsWith("text/", StringComparison.Ordinal) ? type + "; charset=utf-8" : type, lastModified: file.SavedAt, entityTag: new EntityTagHeaderValue(Precondition.ETag(file.Version)));
    }

    private static async Task<IResult> SaveAsync(HttpContext context, string path, FileKeeper keeper, CancellationToken cancel)
    {
        if (FilePath.Fault(path) is { } pathFault)
        {
            return new Problem(ProblemType.InvalidRequest, pathFault);
        }

        if (!Precondition.TryRead(context.Request, out var condition, out var problem))
        {
            return problem!;
        }

        if (await RequestBody.ReadAsync(context.Request, keeper.MostBytes, cancel) is not { } content)
        {
            return new Problem(ProblemType.BodyTooLarge, $"A file has at most {keeper.MostBytes} bytes.");
        }

        var holder = context.Holder();
        SaveOutcome outcome;
        try
        {
            outcome = await keeper.SaveAsync(holder.Tenant, path, content, holder.Actor, condition, cancel);
        }
        catch (SandboxUnavailable unavailable)
        {
            return new Problem(ProblemType.Unavailable, $"The file was not saved, because it can not be checked now: {unavailable.Message}");
        }

        switch (outcome)
        {
            case SaveOutcome.Saved saved:
                context.Response.Headers.ETag = Precondition.ETag(saved.File.Version);
                var answer = FileAnswer.Of(saved.File);
                return saved.IsNew ? Results.Created(context.Request.Path.ToUriComponent(), answer) : Results.Ok(answer);
            case SaveOutcome.Changed changed:
                return Precondition.Changed(path, changed.Version);
            default:
                return new Problem(ProblemType.TooMany, $"A tenant has at most {FileStore.MostFiles} files.");
        }
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string path, FileStore files, CancellationToken cancel)
    {
        if (!Precondition.TryRead(context.Request, out var condition, out var problem))
        {
            return problem!;
        }

        if (path == FilePath.Lock)
        {
            return new Problem(ProblemType.InvalidRequest, FilePath.Fault(path)!);
        }

        var holder = context.Holder();
        return await files.DeleteAsync(holder.Tenant, path, holder.Actor, condition, cancel) switch
        {
            null => NotThere(path),
            SaveOutcome.Changed changed => Precondition.Changed(path, changed.Version),
            _ => Results.NoContent(),
        };
    }

    private static async Task<IResult> CheckAsync(HttpContext context, string path, FileKeeper keeper, CancellationToken cancel)
    {
        path = path[..^CheckSuffix.Length];
        if (FilePath.Fault(path) is { } pathFault)
        {
            return new Problem(ProblemType.InvalidRequest, pathFault);
        }

        if (!FilePath.IsChecked(path))
        {
            return new Problem(ProblemType.InvalidRequest, $"{path} is neither Python nor a card: .py files in scripts/, api/ and libraries/ are checked, and card_html_files/NAME.html.");
        }

        if (await RequestBody.ReadAsync(context.Request, keeper.MostBytes, cancel) is not { } content)
        {
            return new Problem(ProblemType.BodyTooLarge, $"A file has at most {keeper.MostBytes} bytes.");
        }

        try
        {
            var compiled = await keeper.CompileAsync(context.Holder().Tenant, path, content, cancel);
            return Results.Ok(new CheckAnswer(compiled.Findings, [.. compiled.Rules.Select(look => new PlacedRule(path, look)).Where(rule => rule.IsRule).Select(RuleAnswer.Of)]));
        }
        catch (SandboxUnavailable unavailable)
        {
            return new Problem(ProblemType.Unavailable, $"The file can not be checked now: {unavailable.Message}");
        }
    }

    private static Problem NotThere(string path) => new(ProblemType.NotFound, $"There is no file {path}.");
}

/// <summary>A file, without its content.</summary>
/// <param name="Version">The tree version that its last save made; its ETag.</param>
/// <param name="InForce">The version whose content is in force: the same, an earlier one where that does not compile, or null.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Faults">Why <c>version</c> is not in force; empty where it is.</param>
public sealed record FileAnswer(string Path, long Version, long? InForce, int Size, string Author, DateTimeOffset SavedAt, IReadOnlyList<FileFault> Faults)
{
    /// <summary>All that was found in <c>version</c>, warnings too, in the order of the places; empty for files that are neither Python nor cards.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>What happened when the version in force was last loaded; empty where it was loaded, and where it was not tried yet.</summary>
    public IReadOnlyList<FileFault> LoadFaults { get; init; } = [];

    /// <summary>What the version in force printed while it was last loaded; null for nothing.</summary>
    public string? LoadLog { get; init; }

    internal static FileAnswer Of(FileEntry file) => new(
        file.Path, file.Version, file.InForce, file.Size, file.Author, file.SavedAt,
        FileFault.Of(file.Faults))
    {
        Findings = file.Findings is null ? [] : JsonSerializer.Deserialize<IReadOnlyList<Finding>>(file.Findings, JsonSerializerOptions.Web)!,
    };
}

/// <summary>What was found in a text that was not saved.</summary>
/// <param name="Rules">Its rules, as far as their text says.</param>
public sealed record CheckAnswer(IReadOnlyList<Finding> Findings, IReadOnlyList<RuleAnswer> Rules);

public sealed record FileListAnswer(IReadOnlyList<FileAnswer> Files);
