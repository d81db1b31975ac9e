using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace Eddy.Sites;

/// <summary>Files of ours on the tenants' hosts: those of <c>wwwroot/site</c>, and the look's tokens and letters below <c>look/</c>.</summary>
internal static class SiteFiles
{
    private static readonly FileExtensionContentTypeProvider Types = new();

    public static void MapSiteFiles(this IEndpointRouteBuilder site) =>
        site.MapMethods(Site.Ours + "/{**file:file}", [HttpMethods.Get, HttpMethods.Head], (string file, HttpContext context, IWebHostEnvironment environment) =>
        {
            var found = environment.WebRootFileProvider.GetFileInfo(file.StartsWith("look/", StringComparison.Ordinal) ? file : "site/" + file);
            if (!found.Exists || found.IsDirectory || !Types.TryGetContentType(file, out var type))
            {
                return Results.NotFound();
            }

            context.Response.Headers.CacheControl = "public, max-age=300";
            return Results.Stream(found.CreateReadStream(), type, lastModified: found.LastModified, entityTag: new EntityTagHeaderValue($"\"{found.LastModified.UtcTicks:x}-{found.Length:x}\""));
        });
}
