using Eddy.Files;
using Eddy.Tenants;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace Eddy.Sites;

/// <summary>
/// Files of <c>workspace/public</c> as everybody may have them: <c>workspace/public/style.css</c> is <c>/style.css</c>. No other file of a tenant is ever one of them. What a browser shows of them it shows as
/// what their name says, and nothing is guessed; what it can not tell, it saves.
/// </summary>
internal static class PublicFiles
{
    public const string Folder = FilePath.Workspace + "public/";

    private static readonly FileExtensionContentTypeProvider Types = new(new FileExtensionContentTypeProvider().Mappings.ToDictionary(StringComparer.OrdinalIgnoreCase))
    {
        Mappings = { [".mjs"] = "text/javascript", [".js"] = "text/javascript", [".md"] = "text/plain", [".log"] = "text/plain", [".yaml"] = "text/plain", [".yml"] = "text/plain" },
    };

    /// <summary>The path of the file at this place of a site; null where no file can be there. What begins with a dot is nobody's to see, but for <c>.well-known</c>.</summary>
    /// <param name="place">As in <c>/style.css</c>.</param>
    public static string? PathOf(string place)
    {
        var path = Folder + place[1..];
        return FilePath.Fault(path) is null && !path.Split('/').Any(part => part.StartsWith('.') && part != ".well-known") ? path : null;
    }

    /// <summary>Null where there is no such file.</summary>
    public static async Task<IResult?> FindAsync(HttpContext context, TenantId tenant, FileStore files, CancellationToken cancel)
    {
        if (PathOf(context.Request.Path.Value!) is not { } path || await files.FindAsync(tenant, path, cancel) is not { } file)
        {
            return null;
        }

        // Asked for again each time, and sent where it has changed.
        context.Response.Headers.CacheControl = "no-cache";
        var isKnown = Types.TryGetContentType(path, out var type);
        if (!isKnown)
        {
            context.Response.Headers.ContentDisposition = "attachment";
        }

        return Results.Bytes(
            file.Content, isKnown ? WithCharset(type!) : "application/octet-stream", enableRangeProcessing: true, lastModified: file.SavedAt, entityTag: new EntityTagHeaderValue($"\"{file.Version}\""));
    }

    // What is text here is UTF-8; nobody has to guess.
    private static string WithCharset(string type) =>
        type.StartsWith("text/", StringComparison.Ordinal) || type is "application/json" or "application/xml" or "image/svg+xml" ? type + "; charset=utf-8" : type;
}
